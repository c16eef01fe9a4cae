import { Worker } from 'node:worker_threads';
import type { Encoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { type CheckedBot, type CheckedText, withCompared } from './checks/checkedBot.js';
import type { Inspected, Inspection } from './inspections.js';
import type { InspectJob } from './inspectWorker.js';
import type { LiveBot } from './liveBot.js';

/** Inspections that wait for their turn, or run; more are refused. */
const MAX_WAITING = 8;

/** What was found, and the bot's revision that was looked at. */
type Outcome<I extends Inspection> = Inspected<I> & { readonly revision: number };

interface Found {
  readonly revision: number;
  readonly outcome: Promise<unknown>;
}

/**
 * Looks at the examples of live bots, in a worker thread, one bot at a time. What was found is kept until the bot is
 * written to: whoever asks again, or at the same time, costs nothing.
 */
export class Inspector {
  readonly #found = new WeakMap<LiveBot, Map<Inspection, Found>>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #worker: Worker | undefined;
  #closed = false;

  constructor(private readonly encoder: Encoder) {}

  /**
   * @returns what was found in the bot as it is now, or was when its turn had come.
   * @throws KshotError `overloaded` when too many wait, `not_ready` when the server stops.
   */
  inspect<I extends Inspection>(bot: LiveBot, inspection: I): Promise<Outcome<I>> {
    const { revision } = bot.texts.record;
    const found = this.#foundIn(bot);
    const known = found.get(inspection);
    if (known?.revision === revision) return known.outcome as Promise<Outcome<I>>;
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(
        new KshotError('overloaded', 'too many bots wait for their checks and maps; try again in a moment'),
      );
    }
    this.#waiting++;
    const outcome = this.#last.then(() => this.#look(bot, inspection)).finally(() => this.#waiting--);
    this.#last = outcome.catch(() => undefined);
    found.set(inspection, { revision, outcome });
    outcome.catch(() => {
      // So that the next one tries again.
      if (found.get(inspection)?.outcome === outcome) found.delete(inspection);
    });
    return outcome;
  }

  /** Gives up what waits and what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    await this.#last;
  }

  #foundIn(bot: LiveBot): Map<Inspection, Found> {
    let found = this.#found.get(bot);
    if (found === undefined) this.#found.set(bot, (found = new Map<Inspection, Found>()));
    return found;
  }

  async #look<I extends Inspection>(bot: LiveBot, inspection: I): Promise<Outcome<I>> {
    const { revision } = bot.texts.record;
    const copy = await checkedBot(bot, this.encoder);
    return { revision, ...(await this.#lookApart(inspection, copy)) };
  }

  /** Has a thread of its own look, which may take seconds. The bot is copied to it. */
  #lookApart<I extends Inspection>(inspection: I, bot: CheckedBot): Promise<Inspected<I>> {
    return new Promise((resolve, reject) => {
      const stopped = () => new KshotError('not_ready', 'the server is shutting down');
      if (this.#closed) return reject(stopped());
      const workerData: InspectJob = { inspection, bot };
      const worker = new Worker(new URL('./inspectWorker.js', import.meta.url), { workerData });
      this.#worker = worker;
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) => {
        // Unless it had answered.
        reject(
          this.#closed
            ? stopped()
            : new Error(`the worker that looks at a bot (${inspection}) exited with code ${code}`),
        );
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
