import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { KshotError } from '../errors.js';
import type { Pool, Suggestion } from '../heads/acquisition.js';
import type { Strategy } from '../heads/strategies.js';
import type { HeadVersion } from '../heads/version.js';
import { Committee } from './committee.js';
import type { LiveBot } from './liveBot.js';

/** Unlabelled texts that are considered, the newest; and of a bot whose texts take longer to score. */
const MAX_POOL = 2000;
const MAX_POOL_OF_LARGE_BOT = 500;

/** Texts that are scored before other requests get their turn. */
const TEXTS_A_TURN = 32;

/** Requests that may wait for suggestions; more are refused. */
const MAX_WAITING = 8;

/** What a strategy asks about texts, besides where they are. */
const ASKS: Readonly<Record<Strategy, 'own head' | 'committee' | 'labelled texts' | 'nothing'>> = {
  'least-confidence': 'own head',
  margin: 'own head',
  entropy: 'own head',
  mix: 'own head',
  committee: 'committee',
  'k-centre': 'labelled texts',
  random: 'nothing',
};

/** How many of a bot's unlabelled texts are considered. */
export function poolSize(bot: LiveBot): number {
  return bot.hasClassState || bot.texts.intentCount === 0 ? MAX_POOL : MAX_POOL_OF_LARGE_BOT;
}

export interface SuggestionRequest {
  readonly strategy: Strategy;
  readonly count: number;
  /** `[U, D]`, of the unlabelled texts. */
  readonly embeddings: Float32Array;
  /** The bot as it is at that moment. @throws KshotError `unknown_bot` when it has gone. */
  readonly bot: () => LiveBot;
  /** Whom to ask besides the bot's own head, where the strategy asks several. */
  readonly committee: () => readonly HeadVersion[];
  readonly signal?: AbortSignal | undefined;
}

/** What the worker thread is asked to choose from. */
export interface AcquisitionJob {
  readonly strategy: Strategy;
  readonly pool: Pool;
  readonly count: number;
}

/**
 * Chooses the texts that are most worth a label. Texts are scored in slices between which others get their turn, and a
 * worker thread chooses; one request at a time, for a pool takes some megabytes.
 */
export class Suggester {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * @returns rows of `embeddings`, best first.
   * @throws KshotError `overloaded` when too many requests wait, `unknown_bot`; the signal's reason.
   */
  choose(request: SuggestionRequest): Promise<Suggestion[]> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new KshotError('overloaded', 'too many requests wait for suggestions'));
    }
    this.#waiting++;
    const chosen = this.#last.then(() => choose(request)).finally(() => this.#waiting--);
    this.#last = chosen.catch(() => undefined);
    return chosen;
  }
}

async function choose(request: SuggestionRequest): Promise<Suggestion[]> {
  const { strategy, count, embeddings, signal } = request;
  signal?.throwIfAborted();
  if (embeddings.length === 0) return [];
  const { dimension } = request.bot();
  const none = { labelled: new Float32Array(), members: [] };
  const seen =
    ASKS[strategy] === 'nothing'
      ? none
      : ASKS[strategy] === 'labelled texts'
        ? { ...none, labelled: await nearestLabelled(request) }
        : { ...none, members: await judgements(request) };
  return chooseApart({ strategy, count, pool: { embeddings, dimension, ...seen } }, signal);
}

/**
 * `[L, D]`: the labelled texts that are nearest to each of the pool's. Farther ones cover nothing that these do not, and a
 * bot may have a hundred thousand.
 */
async function nearestLabelled(request: SuggestionRequest): Promise<Float32Array> {
  const nearest = new Map<number, Float32Array>();
  for await (const { bot, rows } of slices(request)) {
    for (const row of rows) {
      for (const { id } of [
        ...bot.texts.nearestExamples(row, 1),
        ...bot.texts.nearestCounterexamples(row, 1),
      ]) {
        nearest.set(id, bot.texts.embedding(id));
      }
    }
  }
  const { dimension: D } = request.bot();
  const all = new Float32Array(nearest.size * D);
  [...nearest.values()].forEach((row, l) => all.set(row, l * D));
  return all;
}

/**
 * Each `[U, C]`: what the bot's own head says of each text, and the committee where it is asked. The classes are the intents
 * that came up; one that was no candidate of a text has probability 0.
 */
async function judgements(request: SuggestionRequest): Promise<Float32Array[]> {
  const rows: { intents: readonly string[]; said: readonly Float32Array[] }[] = [];
  const asksAll = ASKS[request.strategy] === 'committee';
  const committee = await Committee.convene(request.bot(), asksAll ? request.committee() : []);
  try {
    for await (const { bot, queries } of slices(request)) {
      const own = bot.intentProbabilities(queries);
      committee.judge(queries, own).forEach((said, q) => rows.push({ intents: own[q]!.intents, said }));
    }
  } finally {
    committee.dispose();
  }
  const columns = new Map<string, number>();
  for (const intents of new Set(rows.map((row) => row.intents))) {
    for (const intent of intents) if (!columns.has(intent)) columns.set(intent, columns.size);
  }
  return rows[0]!.said.map((_, m) => {
    const all = new Float32Array(rows.length * columns.size);
    rows.forEach(({ intents, said }, u) =>
      intents.forEach((intent, c) => (all[u * columns.size + columns.get(intent)!] = said[m]![c]!)),
    );
    return all;
  });
}

/** The pool in slices, between which other requests get their turn. */
async function* slices({ embeddings, bot, signal }: SuggestionRequest) {
  const D = bot().dimension;
  for (let from = 0; from < embeddings.length;) {
    if (from > 0) {
      await nextTurn();
      signal?.throwIfAborted();
    }
    // As it is by now: it may have been written to meanwhile.
    const now = bot();
    const size = Math.min(now.queriesATurn, TEXTS_A_TURN) * D;
    const queries = embeddings.subarray(from, from + size);
    const rows = Array.from({ length: queries.length / D }, (_, q) => queries.subarray(q * D, (q + 1) * D));
    yield { bot: now, queries, rows };
    from += size;
  }
}

/** Has a thread of its own choose, which may take a second. The pool is copied to it. */
function chooseApart(job: AcquisitionJob, signal: AbortSignal | undefined): Promise<Suggestion[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./acquisitionWorker.js', import.meta.url), { workerData: job });
    const stop = () => {
      void worker.terminate();
      reject(signal!.reason as Error);
    };
    signal?.addEventListener('abort', stop, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      reject(new Error(`the worker that chooses texts exited with code ${code}`)); // unless it had answered
    });
  });
}
