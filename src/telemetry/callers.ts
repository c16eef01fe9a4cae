import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context, SpanContext } from '@opentelemetry/api';

/** A request whose spans are recorded, to what is done for it. */
export interface Caller {
  /** With its span as the parent of others. */
  readonly context: Context;
  readonly span: SpanContext;
  /** Forward passes that were run for it and that no span has told of yet. */
  readonly passes: SpanContext[];
  /** Its answer is out: what is still done in its context (an adaptation, texts that are kept) is not part of it. */
  ended: boolean;
}

/** Tells for which request something is done. */
export class Callers {
  readonly #storage = new AsyncLocalStorage<Caller>();

  run(caller: Caller, work: () => void): void {
    this.#storage.run(caller, work);
  }

  /** Undefined where no request waits, or none that is recorded. */
  current(): Caller | undefined {
    const caller = this.#storage.getStore();
    return caller?.ended === false ? caller : undefined;
  }
}
