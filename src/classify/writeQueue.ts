/** Writes to one bot follow one another, so that the live state sees revisions in their order. */
export class WriteQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs a write when those before it, to the same bot, are over. */
  run<T>(bot: string, write: () => Promise<T>): Promise<T> {
    const before = this.#last.get(bot) ?? Promise.resolve();
    const done = before.then(write, write);
    this.#last.set(bot, done);
    const forget = () => {
      if (this.#last.get(bot) === done) this.#last.delete(bot);
    };
    done.then(forget, forget);
    return done;
  }

  /** Resolves when all writes are over that there are by now, however they end. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
