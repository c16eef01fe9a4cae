import { KshotError } from '../../errors.js';

/** A bot's training texts, as files carry them. */
export interface BotDocument {
  readonly intents: readonly IntentDocument[];
  /** Texts that are out of scope for the bot. */
  readonly counterexamples: readonly string[];
}

export interface IntentDocument {
  readonly name: string;
  readonly description?: string;
  readonly examples: readonly string[];
}

/** A file format. What it cannot hold exactly is said in data/README.md. */
export interface Format {
  /**
   * @param text the decoded file, without a byte order mark.
   * @throws KshotError `invalid_file`, with the line and what to do.
   */
  read(text: string): Reading;
  /** The reader gives back the very document. */
  write(document: BotDocument): string;
}

export interface Reading {
  readonly document: BotDocument;
  /** What was passed over or read in a way that may surprise, for a person; empty if nothing was. */
  readonly notes: readonly string[];
}

/** @param line counted from 1. */
export function invalidAt(line: number, problem: string): KshotError {
  return new KshotError('invalid_file', `line ${line}: ${problem}`);
}

interface CollectedIntent {
  description: string | undefined;
  descriptionLine: number;
  /** Text to the line of its first occurrence. */
  readonly examples: Map<string, number>;
}

/**
 * Gathers what a reader meets, line by line, into a document: parts of one intent are joined wherever they stand,
 * a text given twice is kept once, and nothing is dropped without a note.
 */
export class DocumentBuilder {
  readonly #intents = new Map<string, CollectedIntent>();
  readonly #counterexamples = new Map<string, number>();
  /** What was skipped, by kind, with the lines. */
  readonly #skipped = new Map<string, number[]>();
  readonly #remarks: string[] = [];

  /** An intent that is to exist, with or without examples. @throws KshotError `invalid_file` for an empty name. */
  intent(name: string, line: number): void {
    this.#collected(name, line);
  }

  /** @throws KshotError `invalid_file` if the intent has another description already. */
  description(intent: string, description: string, line: number): void {
    const collected = this.#collected(intent, line);
    if (description.trim() === '') {
      this.skip('empty description', line);
      return;
    }
    if (collected.description !== undefined && collected.description !== description) {
      const first = collected.descriptionLine;
      throw invalidAt(
        line,
        `intent "${intent}" has another description on line ${first} already; keep one of them`,
      );
    }
    if (collected.description === undefined) collected.descriptionLine = line;
    collected.description = description;
  }

  example(intent: string, text: string, line: number): void {
    this.#add(this.#collected(intent, line).examples, text, line);
  }

  counterexample(text: string, line: number): void {
    this.#add(this.#counterexamples, text, line);
  }

  /** @param what in the singular, such as "empty line". */
  skip(what: string, line: number): void {
    const lines = this.#skipped.get(what);
    if (lines === undefined) this.#skipped.set(what, [line]);
    else lines.push(line);
  }

  remark(note: string): void {
    this.#remarks.push(note);
  }

  /** @throws KshotError `invalid_file` if there is nothing in it. */
  finish(): Reading {
    if (this.#intents.size === 0 && this.#counterexamples.size === 0) {
      throw new KshotError('invalid_file', 'there is no intent in it');
    }
    const intents = [...this.#intents].map(([name, { description, examples }]) => ({
      name,
      ...(description === undefined ? {} : { description }),
      examples: [...examples.keys()],
    }));
    return {
      document: { intents, counterexamples: [...this.#counterexamples.keys()] },
      notes: [...this.#remarks, ...this.#skippedNotes(), ...this.#sharedTextNotes()],
    };
  }

  #collected(name: string, line: number): CollectedIntent {
    const trimmed = name.trim();
    if (trimmed === '') throw invalidAt(line, 'the name of the intent is empty');
    let collected = this.#intents.get(trimmed);
    if (collected === undefined) {
      collected = { description: undefined, descriptionLine: 0, examples: new Map() };
      this.#intents.set(trimmed, collected);
    }
    return collected;
  }

  #add(texts: Map<string, number>, text: string, line: number): void {
    if (text.trim() === '') this.skip('empty text', line);
    else if (texts.has(text)) this.skip('repeated text', line);
    else texts.set(text, line);
  }

  #skippedNotes(): string[] {
    return [...this.#skipped].map(([what, lines]) => {
      const plural = lines.length === 1 ? what : `${what}s`;
      return `skipped ${lines.length} ${plural} (${lineList(lines)})`;
    });
  }

  /** A text under two intents is legal and sometimes meant, more often a slip. */
  #sharedTextNotes(): string[] {
    const owners = new Map<string, string[]>();
    const own = (text: string, owner: string) => {
      const others = owners.get(text);
      if (others === undefined) owners.set(text, [owner]);
      else others.push(owner);
    };
    for (const [name, { examples }] of this.#intents) for (const text of examples.keys()) own(text, name);
    for (const text of this.#counterexamples.keys()) own(text, 'the counter-examples');

    const shared = [...owners].filter(([, names]) => names.length > 1);
    const notes = shared
      .slice(0, NAMED_AT_MOST)
      .map(([text, names]) => `"${shortened(text)}" stands in ${names.join(' and in ')}`);
    const more = shared.length - notes.length;
    return more > 0 ? [...notes, `${more} more texts stand in several intents`] : notes;
  }
}

/** How many lines or texts a note names before it only counts. */
const NAMED_AT_MOST = 5;

function lineList(lines: readonly number[]): string {
  const named = lines.slice(0, NAMED_AT_MOST).join(', ');
  return `${lines.length === 1 ? 'line' : 'lines'} ${named}${lines.length > NAMED_AT_MOST ? ', …' : ''}`;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
