import { isDeepStrictEqual } from 'node:util';
import type { Session } from './postgresConnection.js';
import { noticeOf } from './postgresFeed.js';
import {
  BOT,
  type BotRow,
  encoderIdOf,
  insertEmbeddings,
  insertTexts,
  type IntentRow,
  type TextEmbedding,
  type TextRow,
  toBotRecord,
} from './postgresRows.js';
import type { Change, EmbeddedText, IntentInput, Settings, StoredText, TextKind } from './store.js';
import { distinctTexts, lastOfEachName, planTexts } from './textPlan.js';

/** Changes of a bot that are remembered; whoever is farther behind reads the bot anew. */
const CHANGES_KEPT = 1_000;
/** Nor is a change remembered that removed more texts than this: it would be as long as the bot. */
const MOST_REMOVED = 2_000;

/** Where texts belong. An intent that is about to be made has no id yet. */
interface Place {
  readonly kind: TextKind;
  /** Null for counter-examples. */
  readonly intent: string | null;
}

interface PresentIntent extends IntentRow {
  readonly texts: readonly (TextRow & { readonly kind: TextKind })[];
}

/**
 * One write to one bot, within a transaction that has the bot's row locked. What is to be done is gathered first, and done in
 * `finish` with a statement a table, whatever the number of texts. What one call does must not depend on what another one has
 * gathered: no two of them are about the same texts.
 */
export class BotEdit {
  readonly #session: Session;
  readonly #bot: BotRow;
  readonly #channel: string;
  /** In whose name embeddings come. */
  readonly #fingerprint: string | undefined;

  readonly #intentIds = new Map<string, number>();
  readonly #newIntents: { name: string; description: string | null }[] = [];
  readonly #descriptions: IntentRow[] = [];
  readonly #droppedIntents: IntentRow[] = [];
  readonly #put: string[] = [];
  readonly #removed: StoredText[] = [];
  readonly #newTexts: (Place & EmbeddedText)[] = [];
  readonly #keptTexts: TextEmbedding[] = [];
  /** What has been added already. */
  readonly #added: StoredText[] = [];
  #renamed: Change['renamed'];
  #settings: Settings;
  #isChanged: boolean;

  /** @param channel on which others are told. */
  constructor(session: Session, bot: BotRow, channel: string, fingerprint?: string) {
    this.#session = session;
    this.#bot = bot;
    this.#channel = channel;
    this.#fingerprint = fingerprint;
    this.#settings = bot.settings;
    this.#isChanged = bot.revision === 0; // It was created by this very write.
  }

  setSettings(settings: Settings): void {
    if (isDeepStrictEqual(JSON.parse(JSON.stringify(settings)), this.#bot.settings)) return;
    this.#settings = settings;
    this.#isChanged = true;
  }

  async replaceIntents(inputs: readonly IntentInput[]): Promise<void> {
    const wanted = lastOfEachName(inputs);
    const present = await this.#readIntents(wanted.map(({ name }) => name));
    for (const { name, description, label, examples } of wanted) {
      const intent = present.get(name);
      this.#put.push(name);
      if (intent === undefined) {
        this.#newIntents.push({ name, description });
      } else if (intent.description !== description) {
        this.#descriptions.push({ ...intent, description });
      }
      const texts = intent?.texts ?? [];
      this.#replaceTexts({ kind: 'label', intent: name }, texts, [label]);
      this.#replaceTexts({ kind: 'example', intent: name }, texts, examples);
    }
  }

  async replaceCounterexamples(wanted: readonly EmbeddedText[]): Promise<void> {
    const present = await this.#session.rows<TextRow & { kind: TextKind }>(
      `SELECT id, kind, text FROM kshot_texts WHERE bot_id = $1 AND kind = 'counterexample' ORDER BY id`,
      [this.#bot.id],
    );
    this.#replaceTexts({ kind: 'counterexample', intent: null }, present, wanted);
  }

  /** Adds examples, or counter-examples where the intent is null, unless they are there already. */
  async addTexts(intent: IntentRow | null, texts: readonly EmbeddedText[]): Promise<void> {
    const present = await this.#findTexts(intent, [...distinctTexts(texts).keys()]);
    if (intent !== null) this.#intentIds.set(intent.name, intent.id);
    const { wanted } = planTexts(present, texts);
    this.#putTexts({ kind: kindIn(intent), intent: intent?.name ?? null }, wanted);
  }

  /** Has an example belong to another intent, with its embeddings; where that has the text already, the example goes. */
  async moveExample(example: TextRow, from: IntentRow, to: IntentRow): Promise<void> {
    const [present] = await this.#findTexts(to, [example.text]);
    if (present === undefined) await this.#place(example, to);
    this.removeText({ id: example.id, kind: 'example', intent: from.name, text: example.text });
  }

  /** Gives an intent a name that no other has. @param label stands for it from now on, where it has no description. */
  async renameIntent(intent: IntentRow, name: string, label: EmbeddedText): Promise<void> {
    await this.#session.run('UPDATE kshot_intents SET name = $2 WHERE id = $1', [intent.id, name]);
    this.#renamed = { from: intent.name, to: name };
    if (intent.description !== null) return;
    const { texts } = (await this.#readIntents([name])).get(name)!;
    this.#replaceTexts({ kind: 'label', intent: name }, texts, [label]);
  }

  removeText(text: StoredText): void {
    this.#removed.push(text);
  }

  async removeIntents(intents: readonly IntentRow[]): Promise<void> {
    for (const { texts, ...intent } of (await this.#readIntents(intents.map(({ name }) => name))).values()) {
      for (const { id, kind, text } of texts) this.removeText({ id, kind, intent: intent.name, text });
      this.#droppedIntents.push(intent);
    }
  }

  /**
   * Makes an unlabelled text an example of the intent, or a counter-example where that is null. No other text of the bot
   * has the same words, or it would not be unlabelled.
   */
  async label(text: TextRow, intent: IntentRow | null): Promise<void> {
    await this.#place(text, intent);
  }

  /** Does it all. Raises the revision if anything changed, tells the others, and says what did. */
  async finish(): Promise<Change> {
    await this.#removeAll();
    await this.#writeIntents();
    await this.#writeTexts();
    const isChanged =
      this.#isChanged ||
      this.#renamed !== undefined ||
      [this.#added, this.#removed, this.#newIntents, this.#descriptions, this.#droppedIntents].some(
        ({ length }) => length > 0,
      );
    const removed = this.#removed.sort((a, b) => a.id - b.id);
    const bot = isChanged ? await this.#raiseRevision() : this.#bot;
    return {
      bot: toBotRecord(bot),
      added: this.#added,
      removed,
      ...(this.#renamed && { renamed: this.#renamed }),
    };
  }

  /** Those of the examples of an intent, or of the counter-examples, that have one of these texts. */
  #findTexts(intent: IntentRow | null, texts: readonly string[]): Promise<TextRow[]> {
    return this.#session.rows(
      `SELECT id, text FROM kshot_texts
       WHERE ${intent === null ? 'bot_id' : 'intent_id'} = $1 AND kind = '${kindIn(intent)}'
         AND digest IN (SELECT kshot_digest(given) FROM unnest($2::text[]) AS given)`,
      [intent?.id ?? this.#bot.id, [...texts]],
    );
  }

  /** Makes a text an example of the intent, or a counter-example where that is null, under another id. */
  async #place({ id, text }: TextRow, intent: IntentRow | null): Promise<void> {
    const kind = kindIn(intent);
    const [placed] = await this.#session.rows<{ id: number }>(
      `UPDATE kshot_texts SET id = DEFAULT, kind = $2, intent_id = $3, source = NULL WHERE id = $1 RETURNING id`,
      [id, kind, intent?.id ?? null],
    );
    this.#added.push({ id: placed!.id, kind, intent: intent?.name ?? null, text });
  }

  async #readIntents(names: readonly string[]): Promise<Map<string, PresentIntent>> {
    const intents = await this.#session.rows<IntentRow>(
      'SELECT id, name, description FROM kshot_intents WHERE bot_id = $1 AND name = ANY ($2::text[]) ORDER BY id',
      [this.#bot.id, [...names]],
    );
    const texts = await this.#session.rows<TextRow & { intent_id: number; kind: TextKind }>(
      'SELECT id, intent_id, kind, text FROM kshot_texts WHERE intent_id = ANY ($1::bigint[]) ORDER BY id',
      [intents.map(({ id }) => id)],
    );
    const byIntent = new Map<number, (typeof texts)[number][]>(intents.map(({ id }) => [id, []]));
    for (const text of texts) byIntent.get(text.intent_id)!.push(text);
    for (const { name, id } of intents) this.#intentIds.set(name, id);
    return new Map(intents.map((intent) => [intent.name, { ...intent, texts: byIntent.get(intent.id)! }]));
  }

  /** Makes `wanted` all that there is of that kind at this place. */
  #replaceTexts(
    place: Place,
    texts: readonly (TextRow & { readonly kind: TextKind })[],
    wanted: readonly EmbeddedText[],
  ): void {
    const plan = planTexts(
      texts.filter(({ kind }) => kind === place.kind),
      wanted,
    );
    for (const { id, text } of plan.removed) this.removeText({ id, ...place, text });
    this.#putTexts(place, plan.wanted);
  }

  #putTexts(place: Place, texts: readonly (EmbeddedText & { readonly id: number | undefined })[]): void {
    for (const { id, text, embedding } of texts) {
      if (id === undefined) this.#newTexts.push({ ...place, text, embedding });
      else this.#keptTexts.push({ id, embedding });
    }
  }

  /** What goes, goes first: an intent has one label at a time. */
  async #removeAll(): Promise<void> {
    const ids = (rows: readonly { id: number }[]) => [rows.map(({ id }) => id)];
    if (this.#removed.length > 0) {
      await this.#session.run('DELETE FROM kshot_texts WHERE id = ANY ($1::bigint[])', ids(this.#removed));
    }
    if (this.#droppedIntents.length > 0) {
      await this.#session.run(
        'DELETE FROM kshot_intents WHERE id = ANY ($1::bigint[])',
        ids(this.#droppedIntents),
      );
    }
  }

  async #writeIntents(): Promise<void> {
    const named = (intents: readonly { name: string; description: string | null }[]) => [
      this.#bot.id,
      intents.map(({ name }) => name),
      intents.map(({ description }) => description),
    ];
    if (this.#newIntents.length > 0) {
      const made = await this.#session.rows<IntentRow>(
        `INSERT INTO kshot_intents (bot_id, name, description)
         SELECT $1, name, description FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (name, description, place)
         ORDER BY place RETURNING id, name`,
        named(this.#newIntents),
      );
      for (const { name, id } of made) this.#intentIds.set(name, id);
    }
    if (this.#descriptions.length > 0) {
      await this.#session.run(
        `UPDATE kshot_intents SET description = given.description
         FROM unnest($2::text[], $3::text[]) AS given (name, description)
         WHERE bot_id = $1 AND kshot_intents.name = given.name`,
        named(this.#descriptions),
      );
    }
  }

  async #writeTexts(): Promise<void> {
    const texts = this.#newTexts;
    const utterances = texts.filter(({ kind }) => kind !== 'label').map(({ text }) => text);
    if (utterances.length > 0) {
      // Where its intent is known now, it is unlabelled no longer.
      await this.#session.run(
        `DELETE FROM kshot_texts WHERE bot_id = $1 AND kind = 'unlabelled'
           AND digest IN (SELECT kshot_digest(given) FROM unnest($2::text[]) AS given)`,
        [this.#bot.id, utterances],
      );
    }
    const ids = await insertTexts(
      this.#session,
      this.#bot.id,
      texts.map(({ kind, intent, text }) => ({ kind, intentId: this.#idOf(intent), text })),
    );
    texts.forEach(({ kind, intent, text }, i) => this.#added.push({ id: ids[i]!, kind, intent, text }));
    const embeddings = [...this.#keptTexts, ...texts.map(({ embedding }, i) => ({ id: ids[i]!, embedding }))];
    if (embeddings.length > 0) {
      await insertEmbeddings(this.#session, await encoderIdOf(this.#session, this.#fingerprint!), embeddings);
    }
  }

  #idOf(intent: string | null): number | null {
    return intent === null ? null : this.#intentIds.get(intent)!;
  }

  async #raiseRevision(): Promise<BotRow> {
    const { id, name, revision, created_at: createdAt, catalog } = this.#bot;
    const next = revision + 1;
    const isRemembered = this.#removed.length <= MOST_REMOVED;
    const [raised] = await this.#session.rows<BotRow>(
      `WITH raised AS (
         UPDATE kshot_bots SET revision = $2, updated_at = $3, settings = $4 WHERE id = $1 RETURNING ${BOT}
       ), remembered AS (
         INSERT INTO kshot_changes (bot_id, revision, added, removed, put, dropped, renamed)
         SELECT id, revision, $5::bigint[], $6::json, $7::text[], $8::text[], $13::json FROM raised WHERE $9::boolean
       ), forgotten AS (
         DELETE FROM kshot_changes WHERE bot_id = $1 AND revision <= $10
       )
       SELECT raised.*, pg_notify($11, $12) FROM raised`,
      [
        id,
        next,
        revision === 0 ? createdAt : new Date(),
        JSON.stringify(this.#settings),
        this.#added.map((text) => text.id),
        JSON.stringify(isRemembered ? this.#removed : []),
        this.#put,
        this.#droppedIntents.map((intent) => intent.name),
        isRemembered,
        next - CHANGES_KEPT,
        this.#channel,
        noticeOf(name, { id, revision: next, catalog }),
        this.#renamed === undefined ? null : JSON.stringify(this.#renamed),
      ],
    );
    return raised!;
  }
}

function kindIn(intent: IntentRow | null): 'example' | 'counterexample' {
  return intent === null ? 'counterexample' : 'example';
}
