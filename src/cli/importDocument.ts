import type { WriteResult } from '../classify/service.js';
import { type Kshot, KshotApiError, KshotClientError } from '../client/index.js';
import { shortened, type BotDocument, type IntentDocument } from '../formats/document.js';
import type { Progress } from './progress.js';
import { inWords, reworded } from './serverErrors.js';
import { printable } from './table.js';

/*
 * The size of one write. Servers take 1 MiB a body and 1000 examples an intent by default; besides, a write is
 * acknowledged when its texts are encoded, and a client wants to hear within seconds.
 */
const WRITE_TEXTS = 1000;
const WRITE_BYTES = 512 * 1024;

export interface ImportOptions {
  /** Delete what the bot has and the document has not. */
  readonly prune: boolean;
  /** Called once, with the number of texts. */
  readonly progress: (total: number) => Progress;
}

/** Field names as `--json` prints them. */
export interface ImportOutcome {
  /** Of the bot after the last write. */
  readonly revision: number;
  /** Texts that the bot did not have. */
  readonly added: number;
  /** Texts that it had and the document has not. */
  readonly removed: number;
  readonly pruned_intents: readonly string[];
}

/** One request: whole intents, or more examples of one whose first part went before. */
type Write =
  | { readonly kind: 'put'; readonly intents: readonly IntentDocument[]; readonly texts: number }
  | {
      readonly kind: 'add';
      readonly intent: string;
      readonly examples: readonly string[];
      readonly texts: number;
    };

/**
 * Writes a document to a bot that is longer than one import may be: in several writes of up to 1000 texts, each whole, its
 * counter-examples in one more. May be done again after a failure.
 *
 * @throws KshotClientError, which says how far it came.
 */
export async function importInParts(
  client: Kshot,
  bot: string,
  document: BotDocument,
  { prune, progress }: ImportOptions,
): Promise<ImportOutcome> {
  const writes = planWrites(document.intents);
  const total = writes.reduce((sum, { texts }) => sum + texts, document.counterexamples.length);
  const tally = new Tally();
  const bar = progress(total);
  try {
    let done = 0;
    for (const write of writes) {
      tally.count(await perform(client, bot, write));
      bar.update((done += write.texts));
    }
    if (document.counterexamples.length > 0) {
      tally.count(await client.counterexamples.putAll(bot, document.counterexamples));
      bar.update(total);
    }
    if (prune) await pruneBot(client, bot, document, tally);
  } catch (error) {
    if (!(error instanceof KshotClientError) || tally.writes === 0) throw error;
    const message = `${inWords(error)} (part of the file was written before; repeat the import once that is mended)`;
    throw reworded(error, message);
  } finally {
    bar.stop();
  }
  return tally.outcome();
}

async function perform(client: Kshot, bot: string, write: Write): Promise<WriteResult> {
  try {
    if (write.kind === 'add') return await client.examples.add(bot, write.intent, write.examples);
    return await client.intents.putAll(bot, write.intents);
  } catch (error) {
    throw error instanceof KshotApiError ? namingPlaces(error, write) : error;
  }
}

/** Says of which intent and example the server complains: its places count within the request. */
function namingPlaces(error: KshotApiError, write: Write): KshotClientError {
  const [problem] = error.fields;
  if (problem === undefined) return error;
  const place = /^(?:intents\.(\d+)\.?)?(?:examples\.(\d+))?/.exec(problem.field);
  const intent =
    write.kind === 'add'
      ? { name: write.intent, examples: write.examples }
      : write.intents[Number(place?.[1] ?? NaN)];
  if (intent === undefined) return error;
  const example = intent.examples[Number(place?.[2] ?? NaN)];
  const where = `intent "${shown(intent.name)}"${example === undefined ? '' : `, "${shown(example)}"`}`;
  const more = error.fields.length - 1;
  const message = `${where}: ${problem.message}${more > 0 ? ` (and ${more} more)` : ''}`;
  return reworded(error, message);
}

function shown(text: string): string {
  return shortened(printable(text));
}

async function pruneBot(client: Kshot, bot: string, document: BotDocument, tally: Tally): Promise<void> {
  const kept = new Set(document.intents.map(({ name }) => name));
  for (const { name } of await client.intents.list(bot)) {
    if (!kept.has(name)) tally.prune(name, await client.intents.delete(bot, name));
  }
  if (document.counterexamples.length === 0 && (await client.counterexamples.list(bot)).length > 0) {
    tally.count(await client.counterexamples.putAll(bot, []));
  }
}

/** Requests that each fit a server's limits, as few as may be, in the order of the intents. */
export function planWrites(intents: readonly IntentDocument[]): Write[] {
  const writes: Write[] = [];
  let open: { intents: IntentDocument[]; texts: number; bytes: number } = { intents: [], texts: 0, bytes: 0 };
  const flush = () => {
    if (open.intents.length > 0) writes.push({ kind: 'put', intents: open.intents, texts: open.texts });
    open = { intents: [], texts: 0, bytes: 0 };
  };
  for (const intent of intents) {
    const [first = [], ...rest] = slices(intent.examples);
    const head = { ...intent, examples: first };
    const bytes = jsonBytes(head);
    if (open.texts + first.length > WRITE_TEXTS || open.bytes + bytes > WRITE_BYTES) flush();
    open.intents.push(head);
    open.texts += first.length;
    open.bytes += bytes;
    if (rest.length === 0) continue;
    flush();
    for (const examples of rest) {
      writes.push({ kind: 'add', intent: intent.name, examples, texts: examples.length });
    }
  }
  flush();
  return writes;
}

/** Texts in parts that each fit one write. */
export function slices(examples: readonly string[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let bytes = 0;
  for (const example of examples) {
    const length = jsonBytes(example);
    if (part.length === WRITE_TEXTS || (part.length > 0 && bytes + length > WRITE_BYTES)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(example);
    bytes += length;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value)) + 1;
}

class Tally {
  writes = 0;
  #revision = 0;
  #added = 0;
  #removed = 0;
  readonly #pruned: string[] = [];

  count(result: WriteResult): void {
    this.writes++;
    this.#revision = result.revision;
    this.#added += result.added.length;
    this.#removed += result.removed.length;
  }

  prune(intent: string, result: WriteResult): void {
    this.#pruned.push(intent);
    this.count(result);
  }

  outcome(): ImportOutcome {
    return {
      revision: this.#revision,
      added: this.#added,
      removed: this.#removed,
      pruned_intents: this.#pruned,
    };
  }
}
