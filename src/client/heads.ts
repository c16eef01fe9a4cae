import type { HeadReload, HeadSummary } from '../classify/service.js';
import type { CallOptions, Transport } from './transport.js';

/** The heads that bots may choose from. */
export class Heads {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Those that can be had, and those that cannot, with the reason. */
  list(options?: CallOptions): Promise<HeadSummary[]> {
    return this.#transport.member('heads', { method: 'GET', path: ['v1', 'heads'], options });
  }

  /** Has the server read the trained ones anew. */
  reload(options?: CallOptions): Promise<HeadReload> {
    return this.#transport.json({ method: 'POST', path: ['v1', 'heads', 'reload'], options });
  }
}
