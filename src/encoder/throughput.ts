/** How long the past counts, in milliseconds: the machine may have other work from one second to the next. */
const MEMORY_MS = 500;
/** Assumed until a pass was measured. */
const INITIAL_TEXTS_PER_MS = 0.2;

/** How fast a session works off a queue, from the passes that it has run while one waited. */
export class Throughput {
  #textsPerMs: number | undefined;

  get textsPerMs(): number {
    return this.#textsPerMs ?? INITIAL_TEXTS_PER_MS;
  }

  /**
   * A pass ended that had as many texts as there were, or could be. One that had fewer says nothing: what a text costs falls
   * with those that share its pass.
   */
  measured(texts: number, milliseconds: number): void {
    const measured = texts / milliseconds;
    const before = this.#textsPerMs ?? measured;
    this.#textsPerMs = before + (milliseconds / (milliseconds + MEMORY_MS)) * (measured - before);
  }
}
