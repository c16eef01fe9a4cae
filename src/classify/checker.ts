import { Worker } from 'node:worker_threads';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { type CheckedBot, type CheckedText, withCompared } from './checks/checkedBot.js';
import type { Checks } from './checks/finding.js';
import type { LiveBot } from './liveBot.js';

/** Bots that wait for their turn, or are looked at; more are refused. */
const MAX_WAITING = 8;

type Outcome = Checks & { readonly revision: number };

/**
 * Looks at the examples of live bots, in a worker thread, one bot at a time. What was found is kept until the bot is
 * written to: whoever asks again, or at the same time, costs nothing.
 */
export class Checker {
  readonly #found = new WeakMap<LiveBot, { revision: number; outcome: Promise<Outcome> }>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #worker: Worker | undefined;
  #closed = false;

  constructor(private readonly encoder: Encoder) {}

  /**
   * @returns what was found in the bot as it is now, or was when its turn had come.
   * @throws KshotError `overloaded` when too many bots wait, `not_ready` when the server stops.
   */
  check(bot: LiveBot): Promise<Outcome> {
    const { revision } = bot.texts.record;
    const known = this.#found.get(bot);
    if (known?.revision === revision) return known.outcome;
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(new KshotError('overloaded', 'too many bots wait for their checks'));
    }
    this.#waiting++;
    const outcome = this.#last.then(() => this.#look(bot)).finally(() => this.#waiting--);
    this.#last = outcome.catch(() => undefined);
    this.#found.set(bot, { revision, outcome });
    outcome.catch(() => {
      // So that the next one tries again.
      if (this.#found.get(bot)?.outcome === outcome) this.#found.delete(bot);
    });
    return outcome;
  }

  /** Gives up what waits and what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#last;
  }

  async #look(bot: LiveBot): Promise<Outcome> {
    const { revision } = bot.texts.record;
    const checked = await checkedBot(bot, this.encoder);
    return { revision, ...(await this.#lookApart(checked)) };
  }

  /** Has a thread of its own look, which may take seconds. The bot is copied to it. */
  #lookApart(bot: CheckedBot): Promise<Checks> {
    return new Promise((resolve, reject) => {
      const stopped = () => new KshotError('not_ready', 'the server is shutting down');
      if (this.#closed) return reject(stopped());
      const worker = new Worker(new URL('./checks/checkWorker.js', import.meta.url), { workerData: bot });
      this.#worker = worker;
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => {
        // Unless it had answered.
        reject(this.#closed ? stopped() : new Error(`the worker that checks a bot exited with code ${code}`));
      });
    });
  }
}

/** A live bot as it is at this moment, under the embeddings that it has. */
function checkedBot({ texts, dimension: D }: LiveBot, encoder: Encoder): Promise<CheckedBot> {
  const look = ({ id, text }: { readonly id: number; readonly text: string }) => {
    return { id, text, isCut: !encoder.readsWhole(text) };
  };
  const intents = texts.intents.map(({ name, description, examples }) => ({
    name,
    hasDescription: description !== null,
    examples: examples.map(look),
  }));
  const embed = (compared: readonly CheckedText[]) => {
    const embeddings = new Float32Array(compared.length * D);
    compared.forEach(({ id }, row) => embeddings.set(texts.embedding(id!), row * D));
    return embeddings;
  };
  return withCompared({ intents, counterexamples: texts.counterexamples.map(look) }, D, embed);
}
