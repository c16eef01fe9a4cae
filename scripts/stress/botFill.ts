import { startProgress } from '../../src/cli/progress.js';
import { readSettings } from '../../src/config.js';
import { loadEncoder } from '../../src/encoder/load.js';
import { encoderOptions } from '../../src/serve.js';
import { Random } from '../../src/statistics/random.js';
import { openStore } from '../../src/store/openStore.js';
import type { EmbeddedText, IntentInput } from '../../src/store/store.js';

/** How an utterance can begin: so many examples an intent can have. One more is for questions. */
const BEGINNINGS = [
  '',
  'hello, ',
  'quick question: ',
  'sorry, ',
  'one thing: ',
  'again: ',
  'for a friend: ',
  'urgent: ',
];
const ASKING = 'i wonder, ';

/** Writes at a time, where the store can do several. */
const WRITERS = 4;

export interface Fill {
  readonly bots: number;
  readonly intents: number;
  readonly examples: number;
  /** An intent is one of them, said in several ways. */
  readonly utterances: readonly string[];
  /** Of a PostgreSQL database; undefined: the SQLite file. */
  readonly url: string | undefined;
  readonly file: string;
}

export interface Filled {
  readonly names: readonly string[];
  readonly seconds: number;
  readonly utterances: readonly string[];
}

/**
 * Fills a new store with bots. What is embedded is each way to say an utterance, once: bots share their texts, as those of a
 * company do, and have no embedding in common.
 *
 * @throws RangeError where there are not enough utterances, or ways to say them.
 */
export async function fillStore({ bots, intents, examples, utterances, url, file }: Fill): Promise<Filled> {
  if (intents > utterances.length || examples > BEGINNINGS.length) {
    throw new RangeError(
      `a bot has ${utterances.length} intents of ${BEGINNINGS.length} examples at the most`,
    );
  }
  const settings = readSettings({}, {});
  const encoder = await loadEncoder({ ...encoderOptions(settings), warn: () => undefined });
  const opened = await openStore({
    ...{ url, file, connections: WRITERS, checkEveryMs: settings.revisionCheckMs },
  });
  try {
    const topics: IntentInput[] = [];
    for (const [i, utterance] of utterances.entries()) {
      const texts = BEGINNINGS.slice(0, examples).map((beginning) => beginning + utterance);
      const { embeddings } = await encoder.encode(texts);
      const D = encoder.dimension;
      const embedded = texts.map((text, row): EmbeddedText => {
        return { text, embedding: embeddings.slice(row * D, (row + 1) * D) };
      });
      topics.push({ name: `topic_${i}`, description: utterance, label: embedded[0]!, examples: embedded });
    }
    const started = performance.now();
    const names = Array.from({ length: bots }, (_, n) => `bot-${String(n).padStart(6, '0')}`);
    const bar = startProgress(process.stderr, 'Filling the store', bots);
    let next = 0;
    const write = async () => {
      while (next < bots) {
        const name = names[next++]!;
        await opened.store.putIntents(name, topicsOf(name, topics, intents), encoder.fingerprint);
        bar.update(next);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
    bar.stop();
    return { names, seconds: (performance.now() - started) / 1000, utterances };
  } finally {
    await opened.close();
    await encoder.close();
  }
}

/** A text that is none of a bot's examples, and mostly means one of its intents or one much like it. */
export function questionTo(bot: string, { utterances }: Filled, random: Random): string {
  return `${ASKING}${utterances[random.below(utterances.length)]!} (${bot})`;
}

function topicsOf<T>(bot: string, topics: readonly T[], intents: number): T[] {
  return new Random(bot).sample(topics, intents);
}
