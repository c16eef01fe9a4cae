import { KshotError } from '../errors.js';
import type { Archive } from './archive.js';
import type { JsonFile } from './jsonFile.js';

/** A bot's training texts, as files carry them. */
export interface BotDocument {
  readonly intents: readonly IntentDocument[];
  /** Texts that are out of scope for the bot. */
  readonly counterexamples: readonly string[];
}

/** What a bot holds, as a server tells it, without what the server alone knows. */
export function documentOf(
  intents: readonly {
    readonly name: string;
    readonly description: string | null;
    readonly examples: readonly { readonly text: string }[];
  }[],
  counterexamples: readonly { readonly text: string }[],
): BotDocument {
  return {
    intents: intents.map(({ name, description, examples }) => ({
      name,
      ...(description === null ? {} : { description }),
      examples: examples.map(({ text }) => text),
    })),
    counterexamples: counterexamples.map(({ text }) => text),
  };
}

export interface IntentDocument {
  readonly name: string;
  readonly description?: string;
  readonly examples: readonly string[];
}

export interface ReadOptions {
  /** Of a file in several languages the one to read; the file's own default where it is left out. */
  readonly language?: string;
}

export interface WriteOptions {
  /** For formats that must name one. */
  readonly language?: string;
}

/** Reads one format of text. */
export interface TextReader {
  /**
   * @param text the decoded file, without a byte order mark.
   * @throws KshotError `invalid_file`, with the place and what to do.
   */
  read(text: string, options?: ReadOptions): Reading;
}

/** Reads one format of JSON. */
export interface JsonReader {
  /** @throws KshotError `invalid_file`, with the place and what to do. */
  read(file: JsonFile, options?: ReadOptions): Reading;
}

/** Reads one format of ZIP archive. */
export interface ArchiveReader {
  /** @throws KshotError `invalid_file`, with the file inside the archive, the place and what to do. */
  read(archive: Archive, options?: ReadOptions): Promise<Reading>;
}

export interface Writer {
  /** The reader gives back the very document, but for what `losses` names. */
  write(document: BotDocument, options?: WriteOptions): string;
  /** What of the document the format cannot hold, for a person. Absent: it holds everything. */
  losses?(document: BotDocument): string[];
}

export interface Reading {
  readonly document: BotDocument;
  /** What was passed over or read in a way that may surprise, for a person; empty if nothing was. */
  readonly notes: readonly string[];
  /** The language whose texts were read; absent where the file names none. */
  readonly language?: string;
  /** Languages of the file whose texts were not read. */
  readonly languagesLeftOut?: readonly string[];
}

/** Most texts of one file, repeated ones too, and most of what is skipped of one kind. Bounds what a file that repeats itself by reference can cost. */
export const MAX_TEXTS = 1_000_000;

/** Where in a file something stands: a line, counted from 1, or a place in words, which are made only where they are shown. */
export type Place = number | { toString(): string };

export function invalidAt(place: Place, problem: string): KshotError {
  const where = typeof place === 'number' ? `line ${place}` : place.toString();
  return new KshotError('invalid_file', `${where}: ${problem}`);
}

/** The error, with the file's name in front. */
export function inFile(file: string | undefined, error: unknown): unknown {
  if (file === undefined || !(error instanceof KshotError)) return error;
  return new KshotError(error.code, `${file}: ${error.message}`, { cause: error });
}

interface Skipped {
  count: number;
  /** The first of them. */
  readonly places: Place[];
}

interface CollectedIntent {
  description: string | undefined;
  descriptionPlace: Place;
  readonly examples: Set<string>;
}

/**
 * Gathers what a reader meets, one after the other, into a document: parts of one intent are joined wherever they stand,
 * a text given twice is kept once, and nothing is dropped without a note.
 */
export class DocumentBuilder {
  readonly #intents = new Map<string, CollectedIntent>();
  readonly #counterexamples = new Set<string>();
  /** What was skipped, by kind. */
  readonly #skipped = new Map<string, Skipped>();
  readonly #remarks: string[] = [];
  #texts = 0;

  /** An intent that is to exist, with or without examples. @throws KshotError `invalid_file` for an empty name. */
  intent(name: string, place: Place): void {
    this.#collected(name, place);
  }

  /** @throws KshotError `invalid_file` if the intent has another description already. */
  description(intent: string, description: string, place: Place): void {
    const collected = this.#collected(intent, place);
    if (description.trim() === '') {
      this.skip('empty description', place);
      return;
    }
    if (collected.description !== undefined && collected.description !== description) {
      const first = collected.descriptionPlace;
      const where = typeof first === 'number' ? `on line ${first}` : `at ${first.toString()}`;
      throw invalidAt(place, `intent "${intent}" has another description ${where} already; keep one of them`);
    }
    if (collected.description === undefined) collected.descriptionPlace = place;
    collected.description = description;
  }

  example(intent: string, text: string, place: Place): void {
    this.#add(this.#collected(intent, place).examples, text, place);
  }

  counterexample(text: string, place: Place): void {
    this.#add(this.#counterexamples, text, place);
  }

  /** @param what in the singular, such as "empty line". @throws KshotError `invalid_file` for too many. */
  skip(what: string, place: Place): void {
    const skipped = this.#skipped.get(what);
    if (skipped === undefined) this.#skipped.set(what, { count: 1, places: [place] });
    else {
      if (++skipped.count > MAX_TEXTS)
        throw invalidAt(place, `more than ${MAX_TEXTS} ${what}s; is it whole?`);
      if (skipped.places.length < NAMED_AT_MOST) skipped.places.push(place);
    }
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
      examples: [...examples],
    }));
    return {
      document: { intents, counterexamples: [...this.#counterexamples] },
      notes: [...this.#remarks, ...this.#skippedNotes(), ...this.#sharedTextNotes()],
    };
  }

  #collected(name: string, place: Place): CollectedIntent {
    const trimmed = name.trim();
    if (trimmed === '') throw invalidAt(place, 'the name of the intent is empty');
    let collected = this.#intents.get(trimmed);
    if (collected === undefined) {
      collected = { description: undefined, descriptionPlace: place, examples: new Set() };
      this.#intents.set(trimmed, collected);
    }
    return collected;
  }

  #add(texts: Set<string>, text: string, place: Place): void {
    if (++this.#texts > MAX_TEXTS) {
      throw invalidAt(place, `more than ${MAX_TEXTS} texts; split the file and import the parts`);
    }
    if (text.trim() === '') this.skip('empty text', place);
    else if (texts.has(text)) this.skip('repeated text', place);
    else texts.add(text);
  }

  #skippedNotes(): string[] {
    return [...this.#skipped].map(([what, { count, places }]) => {
      const plural = count === 1 ? what : `${what}s`;
      return `skipped ${count} ${plural} (${placeList(places, count)})`;
    });
  }

  /** A text under two intents is legal and sometimes meant, more often a slip. */
  #sharedTextNotes(): string[] {
    const owners = new Map<string, string>();
    const shared = new Map<string, string[]>();
    const own = (text: string, owner: string) => {
      const first = owners.get(text);
      const all = shared.get(text);
      if (first === undefined) owners.set(text, owner);
      else if (all === undefined) shared.set(text, [first, owner]);
      else all.push(owner);
    };
    for (const [name, { examples }] of this.#intents) for (const text of examples) own(text, name);
    for (const text of this.#counterexamples) own(text, 'the counter-examples');

    const notes = [...shared]
      .slice(0, NAMED_AT_MOST)
      .map(([text, names]) => `"${shortened(text)}" stands in ${listed(names, ' and in ')}`);
    const more = shared.size - notes.length;
    return more > 0 ? [...notes, `${more} more texts stand in several intents`] : notes;
  }
}

/** How many places or texts a note names before it only counts. */
const NAMED_AT_MOST = 5;

function placeList(places: readonly Place[], count: number): string {
  const named = places.map(String).join(', ') + (count > places.length ? ', …' : '');
  if (typeof places[0] !== 'number') return named;
  return `${count === 1 ? 'line' : 'lines'} ${named}`;
}

/** Names for a note: the first few, and how many more there are. */
export function listed(names: readonly string[], separator = ', '): string {
  const shown = names.slice(0, NAMED_AT_MOST).join(separator);
  return names.length > NAMED_AT_MOST ? `${shown} and ${names.length - NAMED_AT_MOST} more` : shown;
}

/** A text as an error or a note shows it. */
export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
