import type { BotSummary } from '../classify/service.js';
import type { BotSettings } from '../classify/botSettings.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';

/** The bots and their settings. */
export class Bots {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All of them, by name. */
  list(options?: CallOptions): Promise<BotSummary[]> {
    return this.#transport.member('bots', { method: 'GET', path: ['v1', 'bots'], options });
  }

  get(bot: string, options?: CallOptions): Promise<BotSummary> {
    return this.#transport.json({ method: 'GET', path: botPath(bot), options });
  }

  /** Creates a bot, or replaces its settings: one that is left out has its default. */
  put(bot: string, settings: BotSettings = {}, options?: CallOptions): Promise<BotSummary> {
    return this.#transport.json({ method: 'PUT', path: botPath(bot), json: settings, options });
  }

  /** With all that belongs to it. */
  async delete(bot: string, options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'DELETE', path: botPath(bot), options });
  }
}
