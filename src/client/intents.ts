import type { Intent, IntentDefinition, WriteResult } from '../classify/service.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';
import type { IntentContents, IntentSummary } from './types.js';

/** A bot's intents. */
export class Intents {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** In the order in which they were created, with the number of their examples; or with the examples themselves. */
  list(bot: string, options: CallOptions & { readonly examples: true }): Promise<Intent[]>;
  list(bot: string, options?: CallOptions & { readonly examples?: false }): Promise<IntentSummary[]>;
  list(
    bot: string,
    options?: CallOptions & { readonly examples?: boolean },
  ): Promise<Intent[] | IntentSummary[]> {
    const query = { examples: options?.examples };
    return this.#transport.member('intents', {
      method: 'GET',
      path: botPath(bot, 'intents'),
      query,
      options,
    });
  }

  /** With its examples and their ids. */
  get(bot: string, intent: string, options?: CallOptions): Promise<Intent> {
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'intents', intent), options });
  }

  /** Creates or replaces an intent, and the bot where there is none. */
  put(bot: string, intent: string, contents: IntentContents, options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'intents', intent);
    return this.#transport.json({ method: 'PUT', path, json: contents, options });
  }

  /** Creates or replaces several, all or none; those that are not named stay. */
  putAll(bot: string, intents: readonly IntentDefinition[], options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'intents');
    return this.#transport.json({ method: 'PUT', path, json: { intents }, options });
  }

  rename(bot: string, intent: string, name: string, options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'intents', intent, 'rename');
    return this.#transport.json({ method: 'POST', path, json: { name }, options });
  }

  delete(bot: string, intent: string, options?: CallOptions): Promise<WriteResult> {
    return this.#transport.json({ method: 'DELETE', path: botPath(bot, 'intents', intent), options });
  }
}
