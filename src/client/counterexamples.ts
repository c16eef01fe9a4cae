import type { Example, WriteResult } from '../classify/service.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';

/** Texts that a bot is told are out of scope. */
export class Counterexamples {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(bot: string, options?: CallOptions): Promise<Example[]> {
    const path = botPath(bot, 'counterexamples');
    return this.#transport.member('examples', { method: 'GET', path, options });
  }

  add(bot: string, examples: readonly string[], options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'counterexamples');
    return this.#transport.json({ method: 'POST', path, json: { examples }, options });
  }

  /** Replaces them all. */
  putAll(bot: string, examples: readonly string[], options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'counterexamples');
    return this.#transport.json({ method: 'PUT', path, json: { examples }, options });
  }

  delete(bot: string, id: number, options?: CallOptions): Promise<WriteResult> {
    return this.#transport.json({ method: 'DELETE', path: botPath(bot, 'counterexamples', id), options });
  }
}
