import type { SupportRows } from '../../heads/runtime.js';
import type { EmbeddedSet } from '../embeddedSet.js';
import type { EvaluatedHead } from './evaluatedHead.js';
import type { Report } from './episodic.js';

/** A whole set as one task: all its classes at once. */
export interface Task {
  /** `[C]` */
  readonly classes: readonly string[];
  readonly support: SupportRows;
  /** `[C]`: the rows of each class that are examples; one more is the class's name. */
  readonly examples: readonly number[];
  /** `[Q, D]` */
  readonly queries: Float32Array;
  /** `[Q]`: the class of each query; -1 for one whose class has no support, which nothing can get right. */
  readonly labels: readonly number[];
}

/** Queries that are scored between two reports; a multiple of the runtime's largest bucket. */
const CHUNK = 256;

/**
 * Puts support and queries together, class by name.
 *
 * @param nameRows whether the name of a class, where it says something, is one more support row behind its examples, as the
 *   server has it (src/classify/supportSet.ts).
 * @param rows `[C]` lists of rows of the support's set; all by default.
 */
export function taskOf(
  support: EmbeddedSet,
  queries: EmbeddedSet,
  nameRows: boolean,
  rows: readonly (readonly number[])[] = rowsByClass(support),
): Task {
  const classes = support.set.classes.map(({ name }) => name);
  const places = new Map(classes.map((name, c) => [name, c]));
  return {
    classes,
    ...supportOf(support, nameRows, rows),
    queries: queries.embeddings,
    labels: Array.from(queries.set.labels, (label) => places.get(queries.set.classes[label]!.name) ?? -1),
  };
}

/** `[C]` lists of a set's rows. */
export function rowsByClass({ set }: EmbeddedSet): number[][] {
  const rows = set.classes.map((): number[] => []);
  set.labels.forEach((label, row) => rows[label]!.push(row));
  return rows;
}

function supportOf(
  { dimension: D, embeddings, names }: EmbeddedSet,
  nameRows: boolean,
  rows: readonly (readonly number[])[],
): Pick<Task, 'support' | 'examples'> {
  const row = (source: Float32Array, at: number) => source.subarray(at * D, (at + 1) * D);
  const byClass = rows.map((own, c) => {
    const examples = own.map((at) => row(embeddings, at));
    const name = row(names, c);
    return nameRows && name.some((value) => value !== 0) ? [...examples, name] : examples;
  });
  const counts = byClass.map((own) => own.length);
  const gathered = new Float32Array(counts.reduce((sum, count) => sum + count, 0) * D);
  byClass.flat().forEach((vector, at) => gathered.set(vector, at * D));
  const support = { counts, rows: gathered, names: nameRows ? names : new Float32Array(names.length) };
  return { support, examples: rows.map((own) => own.length) };
}

/**
 * Logits of queries by the very code that the server runs: the class state is induced, or adapted, once.
 *
 * @param queries `[Q, D]`
 * @returns `[Q, C]`
 * @throws KshotError `invalid_configuration` from a head that cannot take so large a support set.
 */
export function scoreTask(
  { runtime, dimension }: EvaluatedHead,
  support: SupportRows,
  queries: Float32Array,
  report?: Report,
): Float32Array {
  const classes = support.counts.length;
  const total = queries.length / dimension;
  const logits = new Float32Array(total * classes);
  const state = runtime.load(runtime.adapt(support));
  try {
    for (let from = 0; from < total; from += CHUNK) {
      const to = Math.min(total, from + CHUNK);
      logits.set(runtime.score(state, queries.subarray(from * dimension, to * dimension)), from * classes);
      report?.(to, total);
    }
    return logits;
  } finally {
    state.dispose();
  }
}
