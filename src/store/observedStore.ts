import type { Store } from './store.js';

/** What a store tells whoever measures it; called synchronously, in the context of whoever asked the store. */
export interface StoreObserver {
  /** An operation ended, whether it succeeded or not. `operation` is the name of the method. */
  stored(operation: string, milliseconds: number, failed: boolean): void;
}

/** What is not done for a request, or takes no time. */
const NOT_TOLD: ReadonlySet<PropertyKey> = new Set<keyof Store>(['ping', 'close', 'watchJobs']);

/** The same store, which tells of each of its operations: a method that it gains later is told of, too. */
export function observedStore<S extends Store>(store: S, observer: StoreObserver): S {
  const told = new Map<PropertyKey, unknown>();
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const known = told.get(name);
      if (known !== undefined) return known;
      const method = member as (...args: unknown[]) => unknown;
      const call = NOT_TOLD.has(name)
        ? method.bind(target)
        : (...args: unknown[]) => observe(String(name), () => method.apply(target, args), observer);
      told.set(name, call);
      return call;
    },
  });
}

async function observe(operation: string, run: () => unknown, observer: StoreObserver): Promise<unknown> {
  const started = performance.now();
  let failed = true;
  try {
    const outcome = await run();
    failed = false;
    return outcome;
  } finally {
    observer.stored(operation, performance.now() - started, failed);
  }
}
