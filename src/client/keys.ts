import type { KeyRequest, KeySummary, NewKey } from '../keys/keyTypes.js';
import type { CallOptions, Transport } from './transport.js';

const KEYS = ['v1', 'keys'] as const;

/** API keys. They are managed by a key that may write to all bots; where there are none at all, by anybody. */
export class Keys {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Revoked ones too, in the order in which they were made. */
  list(options?: CallOptions): Promise<KeySummary[]> {
    return this.#transport.member('keys', { method: 'GET', path: KEYS, options });
  }

  /** The answer alone has the secret. */
  create({ name, access, bots, rate }: KeyRequest, options?: CallOptions): Promise<NewKey> {
    const json = { name, access, bots, rate };
    return this.#transport.json({ method: 'POST', path: KEYS, json, options });
  }

  /** It is good for nothing from the next request on. */
  revoke(id: number, options?: CallOptions): Promise<KeySummary> {
    return this.#transport.json({ method: 'DELETE', path: [...KEYS, String(id)], options });
  }
}
