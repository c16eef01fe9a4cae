import type { WriteResult } from '../classify/service.js';
import { botPath } from './botPath.js';
import type { CallOptions, Transport } from './transport.js';

/** What becomes of an example; what is left out stays. */
export interface ExampleChange {
  readonly text?: string;
  /** The intent that it is to belong to. */
  readonly intent?: string;
}

/** An intent's examples; `intents.get` reads them. */
export class Examples {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** To an intent that exists. Those that it has already are left as they are. */
  add(bot: string, intent: string, examples: readonly string[], options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'intents', intent, 'examples');
    return this.#transport.json({ method: 'POST', path, json: { examples }, options });
  }

  edit(
    bot: string,
    intent: string,
    id: number,
    change: ExampleChange,
    options?: CallOptions,
  ): Promise<WriteResult> {
    const path = botPath(bot, 'intents', intent, 'examples', id);
    return this.#transport.json({ method: 'PUT', path, json: change, options });
  }

  delete(bot: string, intent: string, id: number, options?: CallOptions): Promise<WriteResult> {
    const path = botPath(bot, 'intents', intent, 'examples', id);
    return this.#transport.json({ method: 'DELETE', path, options });
  }
}
