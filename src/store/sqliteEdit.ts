import type { BotRow, IntentRow, Statements, TextRow } from './sqliteStatements.js';
import type { BotRecord, Change, EmbeddedText, Settings, StoredText, TextKind } from './store.js';
import { planTexts, toWellFormed } from './textPlan.js';

/** Where texts belong, and whose embeddings they come with. */
export interface Place {
  readonly kind: TextKind;
  /** Null for counter-examples. */
  readonly intent: IntentRow | null;
  readonly encoderId: number;
}

/** One write to one bot, within a transaction: changes its texts, notes what changed, and raises the revision. */
export class BotEdit {
  readonly #sql: Statements;
  readonly #bot: BotRow;
  readonly #added: StoredText[] = [];
  readonly #removed: StoredText[] = [];
  #renamed: Change['renamed'];
  #isChanged: boolean;

  constructor(sql: Statements, bot: BotRow) {
    this.#sql = sql;
    this.#bot = bot;
    this.#isChanged = bot.revision === 0; // It was created by this very write.
  }

  /** Notes that something other than texts has changed. */
  markChanged(): void {
    this.#isChanged = true;
  }

  /** Makes `texts` all that there is at this place. */
  replaceTexts(place: Place, texts: readonly EmbeddedText[]): void {
    const rows =
      place.intent === null
        ? this.#sql.listCounterexamples.all(this.#bot.id)
        : this.#sql.listTextsOfIntent.all(place.intent.id, place.kind);
    const { removed, wanted } = planTexts(rows, texts);
    // What goes, goes first: an intent has one label at a time.
    for (const { id, text } of removed) {
      this.removeText({ id, kind: place.kind, intent: place.intent?.name ?? null, text });
    }
    for (const { id, text, embedding } of wanted) this.#put(place, id, text, embedding);
  }

  /** Adds an example, or a counter-example, unless it is there already. */
  addText(place: Place, { text, embedding }: EmbeddedText): void {
    const stored = toWellFormed(text);
    const present =
      place.intent === null
        ? this.#sql.findCounterexampleByText.get(this.#bot.id, stored)
        : this.#sql.findExampleByText.get(place.intent.id, stored);
    this.#put(place, present?.id, stored, embedding);
  }

  /** Has an example belong to another intent, with its embeddings; where that has the text already, the example goes. */
  moveExample({ id, text }: TextRow, from: IntentRow, to: IntentRow): void {
    if (this.#sql.findExampleByText.get(to.id, text) === undefined) {
      this.#sql.moveEmbeddings.run(this.#insert('example', to, text), id);
    }
    this.removeText({ id, kind: 'example', intent: from.name, text });
  }

  /** Gives an intent a name that no other has. @returns the intent under it. */
  renameIntent(intent: IntentRow, name: string): IntentRow {
    this.#sql.setIntentName.run(name, intent.id);
    this.#renamed = { from: intent.name, to: name };
    return { ...intent, name };
  }

  /**
   * Makes an unlabelled text an example of the intent, or a counter-example where that is null. No other text of the bot
   * has the same words, or it would not be unlabelled.
   */
  label({ id, text }: TextRow, intent: IntentRow | null): void {
    const labelled = this.#insert(intent === null ? 'counterexample' : 'example', intent, text);
    this.#sql.moveEmbeddings.run(labelled, id);
    this.#sql.deleteText.run(id);
  }

  removeText(text: StoredText): void {
    this.#sql.deleteText.run(text.id);
    this.#removed.push(text);
  }

  /** Deletes an intent and its texts. */
  removeIntent(intent: IntentRow): void {
    for (const kind of ['label', 'example'] as const) {
      for (const { id, text } of this.#sql.listTextsOfIntent.all(intent.id, kind)) {
        this.removeText({ id, kind, intent: intent.name, text });
      }
    }
    this.#sql.deleteIntent.run(intent.id);
    this.markChanged();
  }

  /** Raises the revision if anything changed, and says what did. */
  finish(): Change {
    const renamed = this.#renamed && { renamed: this.#renamed };
    const isChanged =
      this.#isChanged || renamed !== undefined || this.#added.length > 0 || this.#removed.length > 0;
    return {
      bot: toBotRecord(isChanged ? this.#raiseRevision() : this.#bot),
      added: this.#added,
      removed: this.#removed.sort((a, b) => a.id - b.id),
      ...renamed,
    };
  }

  #raiseRevision(): BotRow {
    const { id, revision, created_at: createdAt } = this.#bot;
    return some(this.#sql.raiseRevision.get(revision === 0 ? createdAt : new Date().toISOString(), id));
  }

  /** @param id of the text if it is stored already; then its embedding alone may be missing. */
  #put(place: Place, id: number | undefined, text: string, embedding: Float32Array): void {
    const { kind, intent, encoderId } = place;
    // Where its intent is known now, it is unlabelled no longer.
    if (id === undefined && kind !== 'label') this.#sql.deleteUnlabelledText.run(this.#bot.id, text);
    const textId = id ?? this.#insert(kind, intent, text);
    this.#sql.addEmbedding.run(textId, encoderId, toBlob(embedding));
  }

  /** @returns the new text's id. */
  #insert(kind: TextKind, intent: IntentRow | null, text: string): number {
    const id = some(this.#sql.insertText.get(this.#bot.id, intent?.id ?? null, kind, text));
    this.#added.push({ id, kind, intent: intent?.name ?? null, text });
    return id;
  }
}

export function toBotRecord(row: BotRow): BotRecord {
  return {
    id: row.id,
    name: row.name,
    settings: JSON.parse(row.settings) as Settings,
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** The bytes of an embedding `[D]`, not copied: Float32, little-endian like every machine that kshot runs on. */
export function toBlob(embedding: Float32Array): Buffer {
  return Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
}

/** What a statement that always returns a row returned. */
export function some<T>(row: T | undefined): T {
  if (row === undefined) throw new TypeError('SQLite returned no row');
  return row;
}
