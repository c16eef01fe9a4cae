import type { AliasSummary } from '../classify/versionTypes.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';

/** Names that point at a bot's versions and are moved in one step. */
export class Aliases {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(bot: string, options?: CallOptions): Promise<AliasSummary[]> {
    const path = botPath(bot, 'aliases');
    return this.#transport.member('aliases', { method: 'GET', path, options });
  }

  /** Creates an alias, or moves it. */
  set(bot: string, alias: string, version: string, options?: CallOptions): Promise<AliasSummary> {
    const path = botPath(bot, 'aliases', alias);
    return this.#transport.json({ method: 'PUT', path, json: { version }, options });
  }

  /** Points it where it pointed before. */
  rollback(bot: string, alias: string, options?: CallOptions): Promise<AliasSummary> {
    const path = botPath(bot, 'aliases', alias, 'rollback');
    return this.#transport.json({ method: 'POST', path, options });
  }

  async delete(bot: string, alias: string, options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'DELETE', path: botPath(bot, 'aliases', alias), options });
  }
}
