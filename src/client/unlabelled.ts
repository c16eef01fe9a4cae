import type { UnlabelledPage, UnlabelledRemoval, UnlabelledWrite, WriteResult } from '../classify/service.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';
import type { UnlabelledListOptions } from './types.js';

/** A bot's texts whose intent is not known. To read them needs a key that may write. */
export class Unlabelled {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A page of them, in the order in which they came. */
  list(bot: string, { limit, after, ...options }: UnlabelledListOptions = {}): Promise<UnlabelledPage> {
    const path = botPath(bot, 'unlabelled');
    return this.#transport.json({ method: 'GET', path, query: { limit, after }, options });
  }

  /** Those that the bot has already are passed over. */
  add(bot: string, texts: readonly string[], options?: CallOptions): Promise<UnlabelledWrite> {
    return this.#transport.json({
      method: 'POST',
      path: botPath(bot, 'unlabelled'),
      json: { texts },
      options,
    });
  }

  /** Makes a text an example. @param intent one that exists; null: out of scope, a counter-example. */
  label(bot: string, id: number, intent: string | null, options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'unlabelled', id, 'label');
    const json = intent === null ? { out_of_scope: true } : { intent };
    return this.#transport.json({ method: 'POST', path, json, options });
  }

  delete(bot: string, id: number, options?: CallOptions): Promise<UnlabelledRemoval> {
    return this.#transport.json({ method: 'DELETE', path: botPath(bot, 'unlabelled', id), options });
  }

  deleteAll(bot: string, options?: CallOptions): Promise<UnlabelledRemoval> {
    return this.#transport.json({ method: 'DELETE', path: botPath(bot, 'unlabelled'), options });
  }
}
