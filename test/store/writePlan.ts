/**
 * An endless plan of writes to one bot. Step n (from 1) is the same wherever it is worked out, and changes
 * something, so that a store that has taken n steps is at revision n and holds `stateAfter(n)`: a process that
 * writes and one that checks need not tell each other what was written.
 */
export type Step =
  | { readonly do: 'replace'; readonly intents: ReadonlyMap<string, readonly string[]> }
  | { readonly do: 'add'; readonly intent: string; readonly examples: readonly string[] }
  | { readonly do: 'remove'; readonly intent: string; readonly example: string }
  | { readonly do: 'counterexamples'; readonly texts: readonly string[] }
  | { readonly do: 'settings'; readonly settings: { readonly step: number } };

export interface State {
  settings: { step?: number };
  intents: Map<string, string[]>;
  counterexamples: string[];
}

export const LOG = 'log';

/** Runs through five kinds of writes: some of many rows, some of one. */
export function stepAt(n: number, state: State): Step {
  const several = (what: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${what} ${i} of step ${n} 💳`);
  const oldest = state.intents.get(LOG)?.[0];
  switch (n % 5) {
    case 1:
      return {
        do: 'replace',
        intents: new Map([LOG, 'a', 'b'].map((name) => [name, several(name, name === LOG ? 2 : 12)])),
      };
    case 2:
    case 3:
      return { do: 'add', intent: LOG, examples: several('added', n % 3 === 0 ? 1 : 9) };
    case 4:
      if (oldest === undefined) throw new Error('the log is never empty here');
      return { do: 'remove', intent: LOG, example: oldest };
    default:
      return n % 10 === 0
        ? { do: 'settings', settings: { step: n } }
        : { do: 'counterexamples', texts: several('counter', 7) };
  }
}

export function applyStep(step: Step, state: State): void {
  const log = state.intents.get(LOG) ?? [];
  switch (step.do) {
    case 'replace':
      for (const [intent, examples] of step.intents) state.intents.set(intent, [...examples]);
      break;
    case 'add':
      log.push(...step.examples);
      break;
    case 'remove':
      log.splice(log.indexOf(step.example), 1);
      break;
    case 'counterexamples':
      state.counterexamples = [...step.texts];
      break;
    case 'settings':
      state.settings = step.settings;
  }
}

export function stateAfter(steps: number): State {
  const state: State = { settings: {}, intents: new Map(), counterexamples: [] };
  for (let n = 1; n <= steps; n++) applyStep(stepAt(n, state), state);
  return state;
}
