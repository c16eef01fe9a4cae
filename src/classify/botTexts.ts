import type { VectorIndex } from '../index/vectorIndex.js';
import type { BotContents, BotRecord, Change, IntentRecord, StoredText } from '../store/store.js';

export interface LiveIntent {
  readonly name: string;
  readonly description: string | null;
  /** Stands for the intent itself; scores for it while it has no examples. */
  readonly label: StoredText;
  /** In the order of their ids. */
  readonly examples: readonly StoredText[];
  /** The bot's revision at which its texts last changed. */
  readonly version: number;
}

/** Indexes of one bot; empty, or opened from a snapshot of the very same texts. */
export interface BotIndexes {
  /** Every example, and the label of every intent that has none. */
  readonly examples: VectorIndex;
  readonly counterexamples: VectorIndex;
}

interface GrowingIntent {
  readonly name: string;
  description: string | null;
  label: StoredText | undefined;
  examples: StoredText[];
  version: number;
}

/** A text without its characters and embedding: the record, and its places in maps, lists and an index. Measured. */
const TEXT_BYTES = 500;

/** A bot's texts in memory with their embeddings, and the indexes over them, kept in step with each write. */
export class BotTexts {
  readonly #intents = new Map<string, GrowingIntent>();
  readonly #texts = new Map<number, StoredText>();
  readonly #embeddings = new Map<number, Float32Array>();
  readonly #counterexamples = new Map<number, StoredText>();
  readonly #indexes: BotIndexes;
  readonly #dimension: number;
  #record: BotRecord;
  #examples = 0;
  /** Of all texts together. */
  #characters = 0;

  /** Takes over what the store holds; the indexes hold those texts already that `indexedTexts` names. */
  constructor(contents: BotContents, dimension: number, indexes: BotIndexes) {
    this.#dimension = dimension;
    this.#record = contents.bot;
    this.#indexes = indexes;
    for (const { name, description } of contents.intents) this.#intent(name).description = description;
    contents.texts.forEach((text, i) => {
      this.#learn(text, contents.embeddings.subarray(i * dimension, (i + 1) * dimension));
    });
  }

  get record(): BotRecord {
    return this.#record;
  }

  set record(record: BotRecord) {
    this.#record = record;
  }

  /** In the order in which they were created. */
  get intents(): readonly LiveIntent[] {
    return [...this.#intents.values()].map(settled);
  }

  get intentCount(): number {
    return this.#intents.size;
  }

  get exampleCount(): number {
    return this.#examples;
  }

  get counterexamples(): readonly StoredText[] {
    return [...this.#counterexamples.values()];
  }

  intent(name: string): LiveIntent | undefined {
    const intent = this.#intents.get(name);
    return intent && settled(intent);
  }

  text(id: number): StoredText {
    return this.#texts.get(id)!;
  }

  /** Memory that the texts, their embeddings and the indexes take, in bytes: an estimate. */
  get bytes(): number {
    const vectors = 2 * this.#embeddings.size * this.#dimension * Float32Array.BYTES_PER_ELEMENT;
    return vectors + this.#texts.size * TEXT_BYTES + 2 * this.#characters;
  }

  /** `[D]`, unit length. */
  embedding(id: number): Float32Array {
    return this.#embeddings.get(id)!;
  }

  nearestExamples(query: Float32Array, k: number) {
    return this.#indexes.examples.search(query, k);
  }

  nearestCounterexamples(query: Float32Array, k: number) {
    return this.#indexes.counterexamples.search(query, k);
  }

  /**
   * Takes over what a write did.
   *
   * @param embeddings by text, for every text that the write brought.
   * @param put the intents that were put, with their descriptions.
   */
  apply(
    change: Change,
    embeddings: ReadonlyMap<string, Float32Array>,
    put: readonly IntentRecord[] = [],
  ): void {
    this.#record = change.bot;
    if (change.renamed !== undefined) this.#rename(change.renamed.from, change.renamed.to);
    for (const text of change.removed) this.#forget(text);
    for (const text of change.added) this.#learn(text, embeddings.get(text.text)!);
    for (const text of change.added) {
      if (text.kind !== 'label') this.#indexOf(text).add(text.id, this.embedding(text.id));
    }
    for (const { name, description } of put) this.#intent(name).description = description;
    const touched = new Set([...change.removed, ...change.added].flatMap(({ intent }) => intent ?? []));
    if (change.renamed !== undefined) touched.add(change.renamed.to);
    for (const name of touched) this.#settle(this.#intent(name));
  }

  #intent(name: string): GrowingIntent {
    let intent = this.#intents.get(name);
    if (intent === undefined) {
      intent = { name, description: null, label: undefined, examples: [], version: this.#record.revision };
      this.#intents.set(name, intent);
    }
    return intent;
  }

  /** An intent goes by another name, at its place among the others. */
  #rename(from: string, to: string): void {
    const intents = [...this.#intents.values()];
    this.#intents.clear();
    for (const intent of intents) {
      const isIt = intent.name === from;
      this.#intents.set(isIt ? to : intent.name, isIt ? this.#renamed(intent, to) : intent);
    }
  }

  #renamed(intent: GrowingIntent, name: string): GrowingIntent {
    const rename = (text: StoredText) => {
      const renamed = { ...text, intent: name };
      this.#texts.set(text.id, renamed);
      return renamed;
    };
    return {
      ...intent,
      name,
      label: intent.label && rename(intent.label),
      examples: intent.examples.map(rename),
    };
  }

  #learn(text: StoredText, embedding: Float32Array): void {
    this.#texts.set(text.id, text);
    this.#characters += text.text.length;
    this.#embeddings.set(text.id, embedding);
    if (text.kind === 'counterexample') {
      this.#counterexamples.set(text.id, text);
    } else if (text.kind === 'label') {
      this.#intent(text.intent!).label = text;
    } else {
      this.#intent(text.intent!).examples.push(text);
      this.#examples += 1;
    }
  }

  #forget(text: StoredText): void {
    this.#indexOf(text).remove(text.id);
    this.#texts.delete(text.id);
    this.#characters -= text.text.length;
    this.#embeddings.delete(text.id);
    if (text.kind === 'counterexample') {
      this.#counterexamples.delete(text.id);
    } else if (text.kind === 'label') {
      this.#intent(text.intent!).label = undefined;
    } else {
      const intent = this.#intent(text.intent!);
      intent.examples = intent.examples.filter(({ id }) => id !== text.id);
      this.#examples -= 1;
    }
  }

  /** After a write: an intent without label is gone, and a label is indexed just while there is no example. */
  #settle(intent: GrowingIntent): void {
    intent.version = this.#record.revision;
    const { label } = intent;
    if (label === undefined) this.#intents.delete(intent.name);
    else if (intent.examples.length > 0) this.#indexes.examples.remove(label.id);
    else this.#indexes.examples.add(label.id, this.embedding(label.id));
  }

  #indexOf({ kind }: StoredText): VectorIndex {
    return kind === 'counterexample' ? this.#indexes.counterexamples : this.#indexes.examples;
  }
}

/** Of what the store holds, the texts that belong into each of a bot's indexes, as positions in `contents.texts`. */
export function indexedTexts({ texts }: BotContents): { examples: number[]; counterexamples: number[] } {
  const filled = new Set(texts.flatMap(({ kind, intent }) => (kind === 'example' ? intent! : [])));
  const positions = { examples: [] as number[], counterexamples: [] as number[] };
  texts.forEach(({ kind, intent }, i) => {
    if (kind === 'counterexample') positions.counterexamples.push(i);
    else if (kind === 'example' || !filled.has(intent!)) positions.examples.push(i);
  });
  return positions;
}

/** Between writes every intent has its label. */
function settled(intent: GrowingIntent): LiveIntent {
  return intent as LiveIntent;
}
