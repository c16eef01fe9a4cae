import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Intent, WriteResult } from '../../src/classify/service.js';
import { json, putIntent, send } from '../../test/e2e/api.js';
import type { WritesKept } from './fault.js';
import { BOT } from './stage.js';
import { Tally } from './tally.js';

/** A client sends a request when the former one is answered, and not before so many ms have passed. */
const PERIOD_MS = 200;
const READERS = 4;
const WRITERS = 2;
const INTENT = 'notes';

/** Clients that classify and add examples, no two alike, and remember what was acknowledged. */
export class SteadyLoad {
  readonly reads = new Tally();
  readonly writes = new Tally();
  /** Of the bot, as it was last acknowledged. */
  revision: number;
  readonly #url: string;
  /** In its texts: another load's are others. */
  readonly #name = randomUUID();
  readonly #acknowledged: string[] = [];
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[] = [];

  private constructor(url: string, revision: number) {
    this.#url = url;
    this.revision = revision;
  }

  /**
   * Begins.
   *
   * @param url where both are sent.
   * @param writers how many clients write.
   */
  static async start(url: string, writers = WRITERS): Promise<SteadyLoad> {
    // With a head that does not adapt: else the machine would be busy with that.
    json(await send(url, 'PUT', `/v1/bots/${BOT}`, { body: { head: 'prototypical' } }), 200, 201);
    const { revision } = await putIntent(url, BOT, INTENT, ['take a note', 'write this down']);
    const load = new SteadyLoad(url, revision);
    load.#clients.push(
      ...Array.from({ length: READERS }, () => load.#repeat(() => load.#classify())),
      ...Array.from({ length: writers }, () => load.#repeat(() => load.write())),
    );
    return load;
  }

  /** Adds an example. @returns the revision, where it was acknowledged. */
  async write(url = this.#url): Promise<number | undefined> {
    const text = `note ${this.writes.sent} of ${this.#name}`;
    const path = `/v1/bots/${BOT}/intents/${INTENT}/examples`;
    const answer = await this.writes.add(send(url, 'POST', path, { body: { examples: [text] } }));
    if (answer === undefined) return undefined;
    this.#acknowledged.push(text);
    const { revision } = json<WriteResult>(answer, 200, 201);
    this.revision = Math.max(this.revision, revision);
    return revision;
  }

  /** Resolves when all requests are answered. Twice is harmless. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  /** Reads back from each of these servers what was acknowledged; a write that one of them lacks is lost. */
  async readBack(urls: readonly string[]): Promise<WritesKept> {
    const path = `/v1/bots/${BOT}/intents/${INTENT}?min_revision=${this.revision}`;
    const kept = await Promise.all(
      urls.map(async (url) => {
        const { examples } = json<Intent>(await send(url, 'GET', path));
        return new Set(examples.map(({ text }) => text));
      }),
    );
    const lost = this.#acknowledged.filter((text) => kept.some((texts) => !texts.has(text)));
    return { acknowledged: this.#acknowledged.length, lost: lost.length };
  }

  async #classify(): Promise<void> {
    const body = { text: `where is my card, case ${this.reads.sent}` };
    await this.reads.add(send(this.#url, 'POST', `/v1/bots/${BOT}/classify`, { body }));
  }

  async #repeat(request: () => Promise<unknown>): Promise<void> {
    while (!this.#stop.signal.aborted) await Promise.all([request(), sleep(PERIOD_MS)]);
  }
}
