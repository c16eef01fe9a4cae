import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProgress } from '../../src/cli/progress.js';
import type { Settings } from '../../src/config.js';
import { loadEncoder } from '../../src/encoder/load.js';
import { readCalibration } from '../../src/heads/calibration.js';
import { loadCheckpoint } from '../../src/heads/checkpoint.js';
import { createHead, type HeadName } from '../../src/heads/registry.js';
import { HeadRuntime, initHeads } from '../../src/heads/runtime.js';
import { EmbeddingCache } from '../../src/learn/embeddingCache.js';
import { type BenchQueries, readLargeBot } from './largeBot.js';
import {
  type BenchHead,
  buildBots,
  type EmbeddedQueries,
  measureHead,
  type Retrieval,
} from './retrievalBench.js';
import type { RetrievalResults } from './retrievalReport.js';

export interface RetrievalOptions {
  /** A folder as `scripts/fetchData` fills it. */
  readonly datasets: string;
  /** The folder that holds the encoder which has not seen what is asked. */
  readonly encoders: string;
  /** Where embeddings are kept. */
  readonly embeddings: string;
  readonly heads: readonly HeadName[];
  /** Folders of trained heads. */
  readonly checkpoints: readonly string[];
  /** Intents of each bot. */
  readonly botSizes: readonly number[];
  /** Test queries of a row. */
  readonly queries: number;
  readonly seed: number;
}

const ENCODER = 'without-clinc150';
/** Makes probabilities of logits; CLINC150's training split is among what it was fitted to, which flatters the ECE. */
const CALIBRATION_FILE = fileURLToPath(new URL('../../../models/heads/calibration.json', import.meta.url));

/** What the service does (src/classify/liveBot.ts). */
const SERVED: Retrieval = { examples: 64 };

/** What it was chosen among, by validation queries. */
const RETRIEVALS: readonly Retrieval[] = [
  { examples: 64, candidates: 32 },
  { examples: 64, candidates: 16 },
  { examples: 64, candidates: 8 },
  { examples: 64, candidates: 4 },
  { examples: 16, candidates: 8 },
  { examples: 32, candidates: 8 },
  { examples: 128, candidates: 8 },
];
const VALID_QUERIES = 300;

/**
 * Accuracy and time of scoring all intents, and of scoring those that retrieval finds.
 *
 * @throws KshotError what the readers, the encoder and the cache throw.
 */
export async function measureRetrieval(
  options: RetrievalOptions,
  settings: Pick<Settings, 'device' | 'threads'>,
): Promise<Pick<RetrievalResults, 'encoder' | 'bots' | 'test' | 'valid'>> {
  await initHeads();
  const calibration = await readCalibration(CALIBRATION_FILE);
  const source = await readLargeBot(options.datasets, options.seed);
  const encoder = await loadEncoder({
    model: join(options.encoders, ENCODER),
    device: settings.device,
    threads: settings.threads,
    cacheBytes: 0,
  });
  const cache = new EmbeddingCache(options.embeddings);
  const embed = async (texts: readonly string[]) => {
    const bar = startProgress(process.stderr, 'Embeddings', new Set(texts).size);
    try {
      return await cache.embedAll(encoder, texts, { progress: (done) => bar.update(done) });
    } finally {
      bar.stop();
    }
  };
  const embedded = async (queries: BenchQueries): Promise<EmbeddedQueries> => ({
    ...queries,
    embeddings: await embed(queries.texts),
  });
  try {
    const test = await embedded(evenlySpread(source.test, options.queries));
    const valid = await embedded(evenlySpread(source.valid, VALID_QUERIES));
    const heads = await loadHeads(options, encoder);
    const results = { encoder: encoder.name, bots: [], test: [], valid: [] } as {
      -readonly [Key in 'bots' | 'test' | 'valid']: RetrievalResults[Key][number][];
    } & { encoder: string };
    for await (const bot of buildBots(source, options.botSizes, embed, options.seed)) {
      results.bots.push(bot.size);
      for (const head of heads) {
        for (const row of measureHead(bot, head, [SERVED], test, calibration)) {
          results.test.push(row);
          process.stderr.write(`${JSON.stringify(row)}\n`);
        }
        if (bot.size.intents < Math.max(...options.botSizes)) continue;
        results.valid.push(...measureHead(bot, head, RETRIEVALS, valid, calibration));
      }
    }
    return results;
  } finally {
    cache.close();
    await encoder.close();
  }
}

async function loadHeads(
  { heads, checkpoints }: RetrievalOptions,
  { dimension, fingerprint }: { readonly dimension: number; readonly fingerprint: string },
): Promise<BenchHead[]> {
  const trained = await Promise.all(
    checkpoints.map(async (folder) => {
      const { head, params } = await loadCheckpoint(folder, { encoder: fingerprint });
      return { name: basename(folder), runtime: new HeadRuntime(head, dimension, params) };
    }),
  );
  return [
    ...heads.map((name) => ({ name, runtime: new HeadRuntime(createHead(name), dimension) })),
    ...trained,
  ];
}

/** So many of the queries, at even distances: the files are sorted by intent. */
function evenlySpread({ texts, labels }: BenchQueries, count: number): BenchQueries {
  const n = Math.min(count, texts.length);
  const picked = Array.from({ length: n }, (_, i) => Math.floor((i * texts.length) / n));
  return { texts: picked.map((i) => texts[i]!), labels: picked.map((i) => labels[i]!) };
}
