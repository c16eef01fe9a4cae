/** Does what there is to do, one after the other, whenever it is told that there may be something. */
export class LaneLoop {
  #isWoken = false;
  #isClosed = false;
  #loop: Promise<void> | undefined;

  /** @param step does the next, and says whether there was one. Throws nothing. */
  constructor(private readonly step: () => Promise<boolean>) {}

  wake(): void {
    if (this.#isClosed) return;
    this.#isWoken = true;
    this.#loop ??= this.#run().finally(() => (this.#loop = undefined));
  }

  /** Begins nothing more; resolves when what is being done is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#isWoken && !this.#isClosed) {
      this.#isWoken = false;
      if (await this.step()) this.#isWoken = true;
    }
  }
}
