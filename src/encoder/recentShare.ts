/** Events that count, about; what was before is forgotten. */
const MEMORY = 100;

/** The share of events that were of a kind, lately. */
export class RecentShare {
  /** @param share as long as nothing is known. */
  constructor(public share: number) {}

  observe(isOfKind: boolean): void {
    this.share += ((isOfKind ? 1 : 0) - this.share) / MEMORY;
  }
}
