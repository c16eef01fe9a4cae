import { KshotError } from '../../errors.js';

/** A labelled text set: what every reader gives and every sampler takes. */
export interface TextSet {
  readonly name: string;
  /** `[n]`, without space around, none empty. */
  readonly texts: readonly string[];
  /** `[n]`: the class of each text, an index of `classes`. */
  readonly labels: Int32Array;
  /** Sorted by name, so that their order does not depend on that of the file; each has a text at least. */
  readonly classes: readonly TextClass[];
  /** Texts that belong to no class. */
  readonly outOfScope: readonly string[];
  /** `[n]`, for relations: which two entities of the text the class is about. */
  readonly entities?: readonly EntityPair[];
}

export interface TextClass {
  /** As the source has it, such as `card_arrival` or `P177`. */
  readonly name: string;
  /** What the source says about the class in words; absent where the name is all there is. */
  readonly description?: string;
}

export interface EntityPair {
  readonly head: Entity;
  readonly tail: Entity;
}

export interface Entity {
  /** In the knowledge base that the source names, such as a Wikidata id. */
  readonly id: string;
  /** Where the text names the entity: once at least. */
  readonly mentions: readonly Mention[];
}

/** Where a text first names head and tail: its first UTF-16 unit and the one after its last, of each. */
export function firstMentions({ head, tail }: EntityPair): [Mention['characters'], Mention['characters']] {
  return [head.mentions[0]!.characters, tail.mentions[0]!.characters];
}

export interface Mention {
  /** First token and the one after the last, counted as the source splits the text. */
  readonly tokens: readonly [start: number, end: number];
  /** First UTF-16 unit and the one after the last, in the text as it is given here; markers stand outside. */
  readonly characters: readonly [start: number, end: number];
}

/** Class names by part; no class is in two. Classes of the tests are met in no training. */
export interface ClassSplit {
  readonly train: readonly string[];
  readonly valid: readonly string[];
  readonly test: readonly string[];
}

/** More than any set that fits into memory as embeddings; a file beyond it is a mistake. */
const MAX_TEXTS = 2_000_000;

/** Gathers a set text by text. */
export class TextSetBuilder {
  readonly #texts: string[] = [];
  readonly #labels: string[] = [];
  readonly #entities: EntityPair[] = [];
  readonly #outOfScope: string[] = [];
  readonly #descriptions = new Map<string, string>();

  constructor(readonly name: string) {}

  /**
   * @param place where the text stands, for the message: `<file>, line 7`.
   * @throws KshotError `invalid_file` for an empty text or label, or too many texts.
   */
  add(label: string, text: string, place: string, entities?: EntityPair): void {
    if (label.trim() === '') throw new KshotError('invalid_file', `${place}: the label is empty`);
    this.#texts.push(this.#checked(text, place));
    this.#labels.push(label.trim());
    if (entities !== undefined) this.#entities.push(entities);
  }

  /** @throws like `add`. */
  addOutOfScope(text: string, place: string): void {
    this.#outOfScope.push(this.#checked(text, place));
  }

  /** Says what a class is about; the first description stays. */
  describe(label: string, description: string): void {
    if (!this.#descriptions.has(label)) this.#descriptions.set(label, description);
  }

  /** @throws KshotError `invalid_file` if nothing was added. */
  finish(): TextSet {
    if (this.#texts.length + this.#outOfScope.length === 0) {
      throw new KshotError('invalid_file', `${this.name}: there is no text in it`);
    }
    const names = [...new Set(this.#labels)].sort();
    const indices = new Map(names.map((name, i) => [name, i]));
    return {
      name: this.name,
      texts: this.#texts,
      labels: Int32Array.from(this.#labels, (label) => indices.get(label)!),
      classes: names.map((name) => {
        const description = this.#descriptions.get(name);
        return description === undefined ? { name } : { name, description };
      }),
      outOfScope: this.#outOfScope,
      ...(this.#entities.length === 0 ? {} : { entities: this.#entities }),
    };
  }

  #checked(text: string, place: string): string {
    const trimmed = text.trim();
    if (trimmed === '') throw new KshotError('invalid_file', `${place}: the text is empty`);
    if (this.#texts.length + this.#outOfScope.length >= MAX_TEXTS) {
      throw new KshotError('invalid_file', `${place}: more than ${MAX_TEXTS} texts; split the file`);
    }
    return trimmed;
  }
}

/** Two texts with one key are one text to an uncased encoder: case and runs of space are levelled. */
export function textKey(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s+/gu, ' ').trim();
}

/**
 * What tells rows apart: the text and, for relations, which entities are asked about, since one sentence may state several
 * relations.
 */
export function rowKey(set: TextSet, row: number): string {
  const key = textKey(set.texts[row]!);
  const pair = set.entities?.[row];
  if (pair === undefined) return key;
  const places = [pair.head, pair.tail].map(({ mentions }) => mentions.map(({ tokens }) => tokens.join('-')));
  return `${key}\0${places.join('\0')}`;
}

/** The rows that pass; classes that lose all theirs go. May be left without any. */
export function filterRows(set: TextSet, keep: (row: number) => boolean): TextSet {
  const rows = [...set.texts.keys()].filter(keep);
  const used = [...new Set(rows.map((row) => set.labels[row]!))].sort((a, b) => a - b);
  const renumbered = new Map(used.map((old, i) => [old, i]));
  return {
    name: set.name,
    texts: rows.map((row) => set.texts[row]!),
    labels: Int32Array.from(rows, (row) => renumbered.get(set.labels[row]!)!),
    classes: used.map((old) => set.classes[old]!),
    outOfScope: set.outOfScope,
    ...(set.entities === undefined ? {} : { entities: rows.map((row) => set.entities![row]!) }),
  };
}

/** The first rows of every class, at most so many. */
export function firstRows(set: TextSet, limit: number): TextSet {
  const counts = new Int32Array(set.classes.length);
  return filterRows(set, (row) => ++counts[set.labels[row]!]! <= limit);
}

/** The classes of these names alone. @throws KshotError `invalid_configuration` for a class that the set lacks. */
export function filterClasses(set: TextSet, names: Iterable<string>): TextSet {
  const wanted = new Set(names);
  const kept = new Set(classIndices(set, wanted));
  return filterRows(set, (row) => kept.has(set.labels[row]!));
}

/** The indices of the classes of these names, in their order. @throws like `filterClasses`. */
export function classIndices(set: TextSet, names: Iterable<string>): number[] {
  const indices = new Map(set.classes.map(({ name }, i) => [name, i]));
  return Array.from(names, (name) => {
    const index = indices.get(name);
    if (index === undefined) {
      throw new KshotError('invalid_configuration', `${set.name} has no class "${name}"`);
    }
    return index;
  });
}

/** The set without any text, in scope or out, that one of the others holds: nothing to be tested on may be trained on. */
export function withoutTextsOf(set: TextSet, others: Iterable<TextSet>): TextSet {
  const forbidden = new Set<string>();
  for (const other of others) {
    for (const text of [...other.texts, ...other.outOfScope]) forbidden.add(textKey(text));
  }
  return {
    ...filterRows(set, (row) => !forbidden.has(textKey(set.texts[row]!))),
    outOfScope: set.outOfScope.filter((text) => !forbidden.has(textKey(text))),
  };
}
