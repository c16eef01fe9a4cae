import type { Delivery } from './delivery.js';

/** Within one process: for a store that is its alone. */
export class InProcessDelivery implements Delivery {
  readonly #waiting = new Map<string, Set<number>>();

  send(kind: string, id: number): Promise<void> {
    const ids = this.#waiting.get(kind) ?? new Set();
    this.#waiting.set(kind, ids.add(id));
    return Promise.resolve();
  }

  next(kind: string): Promise<number | undefined> {
    const ids = this.#waiting.get(kind);
    const [id] = ids ?? [];
    if (id !== undefined) ids!.delete(id);
    return Promise.resolve(id);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
