import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Serving } from '../../src/serve.js';
import { openPostgresStore } from '../../src/store/postgres.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { EmbeddedText, Store } from '../../src/store/store.js';
import { inSchema } from './schema.js';

const D = 384;
const FINGERPRINT = 'bench';
const BOT = 'bench';

/** Sorted, in ms. */
type Times = number[];

export interface StoreTimes {
  readonly store: string;
  /** One example to an intent; ten intents of ten examples; all at once, and all read. */
  readonly example: Times;
  readonly intents: Times;
  readonly importMs: number;
  readonly readMs: number;
}

export const IMPORTED = 10_000;

/** How long writes take in each store, embeddings made up. */
export async function measureStores(postgres: string, writes: number): Promise<StoreTimes[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kshot-bench-'));
  try {
    const sqlite = await measureStore('SQLite', await openSqliteStore(join(folder, 'kshot.db')), writes);
    const other = await inSchema(postgres, async (url) =>
      measureStore(
        'PostgreSQL',
        await openPostgresStore({ url, connections: 2, checkEveryMs: 60_000 }),
        writes,
      ),
    );
    return [sqlite, other];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureStore(name: string, store: Store, writes: number): Promise<StoreTimes> {
  try {
    await store.putIntents(BOT, [intentOf('first', 1)], FINGERPRINT);
    const example = await timed(writes, (n) =>
      store.addExamples(BOT, 'first', [embedded(`example ${n}`)], FINGERPRINT),
    );
    const intents = await timed(writes, (n) =>
      store.putIntents(
        `${BOT}${n}`,
        Array.from({ length: 10 }, (_, i) => intentOf(`intent ${i}`, 10)),
        FINGERPRINT,
      ),
    );
    const all = Array.from({ length: IMPORTED / 100 }, (_, i) => intentOf(`intent ${i}`, 100));
    const [importMs] = await timed(1, () => store.putIntents('large', all, FINGERPRINT));
    const [readMs] = await timed(1, () => store.readBot('large', FINGERPRINT));
    return { store: name, example, intents, importMs: importMs!, readMs: readMs! };
  } finally {
    await store.close();
  }
}

export interface ReplicaTimes {
  /** From a write's acknowledgement by one server until the other answers by it: by itself, and with min_revision. */
  readonly lag: Times;
  readonly reached: Times;
}

/** @param start makes a server on that database; both run in this process. */
export async function measureReplicas(
  postgres: string,
  writes: number,
  start: (url: string) => Promise<Serving>,
): Promise<ReplicaTimes> {
  return inSchema(postgres, async (url) => {
    const a = await start(url);
    const b = await start(url);
    try {
      await b.service.reach('demo', 2);
      const write = (what: string) => (n: number) =>
        a.service.addExamples('demo', 'card_lost', [`${what} ${n} has lost a card`]);
      const seen = async (revision: number) => {
        while ((await b.service.getBot('demo')).revision < revision) await nextTurn();
      };
      const lag = await timedAfter(writes, write('somebody'), seen);
      const reached = await timedAfter(writes, write('nobody'), (revision) =>
        b.service.reach('demo', revision),
      );
      return { lag, reached };
    } finally {
      await a.close();
      await b.close();
    }
  });
}

async function timedAfter(
  count: number,
  write: (n: number) => Promise<{ readonly revision: number }>,
  then: (revision: number) => Promise<void>,
): Promise<Times> {
  const times: Times = [];
  for (let n = 0; n < count; n++) {
    const { revision } = await write(n);
    const from = performance.now();
    await then(revision);
    times.push(performance.now() - from);
  }
  return times.sort((x, y) => x - y);
}

async function timed(count: number, work: (n: number) => Promise<unknown>): Promise<Times> {
  const times: Times = [];
  for (let n = 0; n < count; n++) {
    const from = performance.now();
    await work(n);
    times.push(performance.now() - from);
  }
  return times.sort((x, y) => x - y);
}

function embedded(text: string): EmbeddedText {
  return { text, embedding: Float32Array.from({ length: D }, (_, d) => Math.sin(d + text.length)) };
}

function intentOf(name: string, examples: number) {
  return {
    name,
    description: null,
    label: embedded(name),
    examples: Array.from({ length: examples }, (_, i) => embedded(`${name}: example ${i}`)),
  };
}
