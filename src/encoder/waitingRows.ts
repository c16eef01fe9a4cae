import type { Call } from './call.js';

/** A text that waits for a forward pass, or is in one, with the calls that want it. */
export interface Row {
  readonly text: string;
  readonly enqueuedAt: number;
  /** Nobody waits for it but work in the background. */
  background: boolean;
  state: 'queued' | 'running' | 'dropped';
  /** Which row of which call it is; calls that settled meanwhile may be among them. */
  readonly wantedBy: { readonly call: Call; readonly position: number }[];
  /** Token ids; absent until it comes near the head of the queue. */
  ids?: readonly number[];
  truncated?: boolean;
}

/**
 * A queue of rows, oldest first. Rows that leave it by another way than `take` (dropped, or moved to the other
 * queue) are forgotten lazily, when the head of the queue reaches them.
 */
export class WaitingRows {
  private rows: Row[] = [];
  /** Rows that still wait. */
  size = 0;

  /** @param background which rows belong here. */
  constructor(private readonly background: boolean) {}

  push(row: Row): void {
    this.rows.push(row);
    this.size++;
  }

  /** To be called when a row leaves otherwise than by `take`. */
  left(): void {
    this.size--;
  }

  /** The oldest rows, `count` at most. */
  head(count: number): Row[] {
    let scanned = 0;
    const head: Row[] = [];
    while (scanned < this.rows.length && head.length < count) {
      const row = this.rows[scanned++];
      if (row !== undefined && this.waits(row)) head.push(row);
    }
    if (scanned > head.length) this.rows.splice(0, scanned, ...head);
    return head;
  }

  /** Removes rows that `head` gave and marks them as running. */
  take(taken: readonly Row[]): void {
    for (const row of taken) row.state = 'running';
    this.size -= taken.length;
  }

  private waits(row: Row): boolean {
    return row.state === 'queued' && row.background === this.background;
  }
}
