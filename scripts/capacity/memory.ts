import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { BUNDLED_MODEL } from '../../src/config.js';
import { loadEncoder } from '../../src/encoder/load.js';
import type { IntentInput } from '../../src/store/store.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { classify, metric } from '../../test/e2e/api.js';
import { vectorSource } from '../bench/vectorSource.js';
import { demoTexts, type Stage } from '../stress/stage.js';

/** How many bots of how many examples. */
export interface Holding {
  readonly bots: number;
  readonly examples: number;
}

export interface MemoryRow extends Holding {
  /** Resident, over that of a server without bots, in bytes. */
  readonly bytes: number;
  /** From its start until a server is ready: without snapshots of its graphs, and with them. */
  readonly startSeconds: number;
  readonly restartSeconds: number;
  /** First answers of each bot, but the few that a start loads, in ms. */
  readonly firstAnswers: readonly number[];
  /** Later answers, one after the other, of texts that are in the cache, in ms. */
  readonly answers: readonly number[];
}

const EXAMPLES_AN_INTENT = 10;
const INTENTS_A_WRITE = 100;
const QUERIES = 500;
/** A head that does not adapt: what adapting takes is another figure (docs/operations.md). */
const HEAD = 'prototypical';
const SEED = 1;
/** All bots stay in memory. */
const BOT_MEMORY_MB = String(2 ** 20);
const FLAGS = [
  ...['--no-demo', '--embedding-cache-mb', '64', '--warmup-timeout-ms', '1000'],
  ...['--bot-memory-mb', BOT_MEMORY_MB],
];

/** `baseBytes` of a server without bots; memory, start and query time of servers that hold so many examples, whose embeddings lie around those of real texts. */
export async function measureMemory(
  stage: Stage,
  holdings: readonly Holding[],
  progress: (what: string) => void,
): Promise<{ readonly baseBytes: number; readonly rows: MemoryRow[] }> {
  const texts = await demoTexts();
  const encoder = await loadEncoder({ model: BUNDLED_MODEL, device: 'cpu', cacheBytes: 0 });
  const { embeddings } = await encoder.encode(texts, { background: true });
  await encoder.close();

  const { bytes: baseBytes } = await start(stage, await stage.folder());
  const rows: MemoryRow[] = [];
  for (const holding of holdings) {
    const what = `${holding.bots} × ${holding.examples} examples`;
    const folder = await stage.folder();
    await fill(join(folder, 'kshot.db'), holding, encoder, embeddings, (bot) =>
      progress(`${what}: bot ${bot} is written`),
    );
    progress(`${what}: starts`);
    const first = await start(stage, folder, { query: texts, bots: holding.bots });
    progress(`${what}: starts again`);
    const second = await start(stage, folder);
    rows.push({
      ...holding,
      bytes: first.bytes - baseBytes,
      startSeconds: first.seconds,
      restartSeconds: second.seconds,
      firstAnswers: first.firstAnswers,
      answers: first.answers,
    });
    await rm(folder, { recursive: true, force: true });
  }
  return { baseBytes, rows };
}

/** Writes bots without encoding a text. */
async function fill(
  file: string,
  { bots, examples }: Holding,
  { dimension, fingerprint }: { readonly dimension: number; readonly fingerprint: string },
  seeds: Float32Array,
  progress: (bot: number) => void,
): Promise<void> {
  const vectors = vectorSource(dimension, SEED, seeds);
  let made = 0;
  const embedded = (text: string) => ({ text, embedding: vectors.row(made++).slice() });
  const store = await openSqliteStore(file);
  try {
    for (let bot = 0; bot < bots; bot++) {
      await store.putBot(nameOf(bot), { head: HEAD });
      const intents = Math.ceil(examples / EXAMPLES_AN_INTENT);
      for (let from = 0; from < intents; from += INTENTS_A_WRITE) {
        const written = Array.from(
          { length: Math.min(INTENTS_A_WRITE, intents - from) },
          (_, i): IntentInput => {
            const name = `intent_${from + i}`;
            const texts = Array.from(
              { length: EXAMPLES_AN_INTENT },
              (_, n) => `example ${n} of intent ${from + i}, about as long as people write`,
            );
            return { name, description: null, label: embedded(name), examples: texts.map(embedded) };
          },
        );
        await store.putIntents(nameOf(bot), written, fingerprint);
      }
      progress(bot + 1);
    }
  } finally {
    await store.close();
  }
}

async function start(
  stage: Stage,
  folder: string,
  ask?: { readonly query: readonly string[]; readonly bots: number },
): Promise<{ bytes: number; seconds: number; firstAnswers: number[]; answers: number[] }> {
  const started = performance.now();
  const { url, process } = await stage.serve(folder, FLAGS);
  const seconds = (performance.now() - started) / 1000;
  const firstAnswers: number[] = [];
  const answers: number[] = [];
  if (ask !== undefined) {
    const { query, bots } = ask;
    const timed = async (bot: number, n: number) => {
      const from = performance.now();
      await classify(url, nameOf(bot), [query[n % query.length]!]);
      return performance.now() - from;
    };
    for (const n of query.keys()) await timed(bots - 1, n); // written last, and in memory: now all texts are in the cache
    for (let bot = 0; bot < bots; bot++) firstAnswers.push(await timed(bot, bot));
    for (let n = 0; n < QUERIES; n++) answers.push(await timed(n % bots, n));
  }
  const bytes = await metric(url, 'process_resident_memory_bytes');
  await process.end('SIGTERM');
  return { bytes, seconds, firstAnswers, answers };
}

function nameOf(bot: number): string {
  return `bot-${bot}`;
}
