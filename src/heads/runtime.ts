import { defaultDevice, init, jit, numpy as np, tree } from '@jax-js/jax';
import { adaptedState, type ClassState, type Head, type Params, type Support } from './head.js';
import { keepKernelInstances } from './kernelInstances.js';

/** A support set outside of jax-js: rows class by class, no padding. */
export interface SupportRows {
  /** `[C]`: examples of each class. */
  readonly counts: readonly number[];
  /** `[sum of counts, D]`, the rows of class 0 first; unit length. */
  readonly rows: Float32Array;
  /** `[C, D]`: embeddings of names or descriptions; zero rows where there is none. */
  readonly names: Float32Array;
  /** `[U, D]`, unit length: texts whose class is not known, for a head that reads them. */
  readonly unlabelled?: Float32Array;
}

/** One array of a class state outside of jax-js; axis 0 is the class. Goes from thread to thread as it is. */
export interface Leaf {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A class state outside of jax-js. */
export type Leaves = Readonly<Record<string, Leaf>>;

/** Memory that a class state takes outside of jax-js, in bytes. */
export function bytesOf(state: Leaves): number {
  return Object.values(state).reduce((bytes, { data }) => bytes + data.byteLength, 0);
}

/** Queries are padded to these many rows, so that few shapes are compiled. */
export const QUERY_BUCKETS: readonly number[] = [1, 8, 32];
/** And class states to a multiple of these many classes. */
const CLASS_MULTIPLE = 16;
/**
 * Classes are induced in parts of at most 16, each padded to one of these: few shapes are compiled, and products of a few
 * thousand rows are ten times as slow, a row, as those of some hundreds.
 */
const INDUCTION_BUCKETS: readonly number[] = [1, 4, 16];

/** Starts jax-js on its WebAssembly backend; to be awaited once a thread, before anything else of this folder. */
export async function initHeads(): Promise<void> {
  keepKernelInstances();
  await init('wasm');
  defaultDevice('wasm');
}

/**
 * A head as the server runs it: Float32Arrays in and out, shapes padded to a few buckets, compiled once a bucket.
 */
export class HeadRuntime {
  readonly #induce: Head['induce'];
  readonly #adaptLocally: (params: Params, support: Support) => ClassState;
  readonly #score: (params: Params, state: ClassState, queries: np.Array) => np.Array;
  readonly #params: Params;

  constructor(
    readonly head: Head,
    readonly dimension: number,
    params?: Params,
  ) {
    this.#params = params ?? head.init(np.zeros([2]), dimension);
    const induce: Head['induce'] = (params, padded) => head.induce(params, padded);
    // One that reads all classes at once takes any number of them, and would be compiled for each.
    this.#induce = head.contextual ? induce : jit(induce);
    const local = head.local ?? head;
    this.#adaptLocally = jit((params: Params, support: Support) => adaptedState(local, params, support));
    this.#score = jit((params: Params, state: ClassState, queries: np.Array) =>
      head.score(params, state, queries),
    );
  }

  get adapts(): boolean {
    return this.head.adapt !== undefined;
  }

  /** Gives the parameters back; class states that were loaded are given back by their own `dispose()`. */
  dispose(): void {
    tree.dispose(this.#params);
  }

  /**
   * The class state of a support set; for a head that adapts, the state that it starts from.
   *
   * @param rows K at the least, so that states that were induced apart fit together.
   */
  induce(support: SupportRows, rows = 0): Leaves {
    const K = rowBucket(Math.max(rows, ...support.counts)); // of all, so that the parts fit together
    const induce = (part: SupportRows, C: number) =>
      download(this.#induce(tree.ref(this.#params), padSupport(part, this.dimension, K, C)));
    if (this.head.contextual) return induce(support, support.counts.length);
    const picks = splitClasses(support, this.dimension, INDUCTION_BUCKETS.at(-1)!).flatMap((part) => {
      const state = induce(
        part,
        INDUCTION_BUCKETS.find((size) => size >= part.counts.length)!,
      );
      return part.counts.map((_, at) => ({ state, at }));
    });
    return gatherClasses(picks)!;
  }

  /** The adapted class state, or the induced one where the head does not adapt. Takes its time: meant for a worker thread. */
  adapt(support: SupportRows): Leaves {
    if (this.head.adapt === undefined) return this.induce(support);
    // Every shape is compiled anew, and what was compiled takes memory for good.
    const C = support.counts.length;
    const K = rowBucket(Math.max(...support.counts));
    const padded = {
      ...padSupport(support, this.dimension, K, classMultiple(C)),
      ...(this.head.readsUnlabelled && padUnlabelled(support, this.dimension)),
    };
    const state = download(adaptedState(this.head, tree.ref(this.#params), padded));
    return gatherClasses(Array.from({ length: C }, (_, at) => ({ state, at })))!;
  }

  /**
   * As `adapt`, for a request: the inner loop is compiled as a whole for the task's shape, which takes 0.4 s once and makes it
   * five times as fast for a task of 100 rows (7 instead of 39 ms on a busy core).
   *
   * @param classes C, and
   * @param rows K that the task is padded to, so that all tasks are of one shape.
   * @returns the state of C classes; of a head that does not adapt, as induced.
   */
  adaptLocally(support: SupportRows, classes: number, rows: number): Leaves {
    const padded = padSupport(support, this.dimension, rows, classes);
    return download(this.#adaptLocally(tree.ref(this.#params), padded));
  }

  /** The fresh classes in line with adapted ones (`Head.align`); as they are where the head does not adapt. */
  align(fresh: Leaves, induced: Leaves, adapted: Leaves): Leaves {
    if (this.head.align === undefined) return fresh;
    return download(this.head.align(upload(fresh), upload(induced), upload(adapted)));
  }

  /** Puts a class state where queries are scored against it. To be given back by `dispose()`. */
  load(state: Leaves): LoadedState {
    return new LoadedState(state);
  }

  /**
   * Logits of queries against a loaded class state.
   *
   * @param queries `[Q, D]`, unit length.
   * @returns `[Q, C]`.
   */
  score(state: LoadedState, queries: Float32Array): Float32Array {
    const D = this.dimension;
    const C = state.classes;
    const Q = queries.length / D;
    const logits = new Float32Array(Q * C);
    const largest = QUERY_BUCKETS.at(-1)!;
    for (let from = 0; from < Q; from += largest) {
      const rows = Math.min(largest, Q - from);
      const bucket = QUERY_BUCKETS.find((size) => size >= rows)!;
      const data = new Float32Array(bucket * D);
      data.set(queries.subarray(from * D, (from + rows) * D));
      const padded = this.#score(tree.ref(this.#params), state.ref(), np.array(data, { shape: [bucket, D] }));
      const width = padded.shape[1]!;
      const values = padded.dataSync() as Float32Array; // [bucket, padded C]
      for (let q = 0; q < rows; q++) {
        logits.set(values.subarray(q * width, q * width + C), (from + q) * C);
      }
    }
    return logits;
  }
}

/** A class state inside jax-js, its classes padded to a bucket. */
export class LoadedState {
  readonly classes: number;
  /** Memory that it takes inside jax-js. */
  readonly bytes: number;
  #arrays: ClassState;

  constructor(state: Leaves) {
    const leaves = Object.entries(state);
    this.classes = leaves[0]![1].shape[0]!;
    const padded = classBucket(this.classes);
    this.bytes = (bytesOf(state) / this.classes) * padded;
    this.#arrays = Object.fromEntries(
      leaves.map(([name, { shape, data }]) => {
        const perClass = data.length / this.classes;
        const all = new Float32Array(padded * perClass);
        all.set(data);
        return [name, np.array(all, { shape: [padded, ...shape.slice(1)] })];
      }),
    );
  }

  ref(): ClassState {
    return tree.ref(this.#arrays);
  }

  dispose(): void {
    tree.dispose(this.#arrays);
    this.#arrays = {};
  }
}

/** One class of a class state. */
export interface ClassPick {
  readonly state: Leaves;
  readonly at: number;
}

/**
 * A class state put together from classes of others. Where these keep different numbers of support rows, axis 1 of what has
 * one for each row, the shorter are padded: with zeros, their masks' too.
 *
 * @param like a state that has as many rows as the result shall at least have.
 * @returns undefined without a class.
 * @throws RangeError for states of different heads.
 */
export function gatherClasses(picks: readonly ClassPick[], like?: Leaves): Leaves | undefined {
  const first = picks[0];
  if (first === undefined) return undefined;
  const states = [...new Set(picks.map(({ state }) => state)), ...(like === undefined ? [] : [like])];
  const gathered: Record<string, Leaf> = {};
  for (const name of Object.keys(first.state)) {
    const shapes = states.map((state) => state[name]?.shape ?? []);
    const [, , ...inner] = first.state[name]!.shape;
    if (shapes.some(([, , ...other]) => other.join() !== inner.join())) {
      throw new RangeError(`class states whose "${name}" are of different shapes do not fit together`);
    }
    const shape = [
      picks.length,
      ...(shapes[0]!.length > 1 ? [Math.max(...shapes.map(([, K]) => K!))] : []),
      ...inner,
    ];
    const size = product(shape.slice(1));
    const data = new Float32Array(picks.length * size);
    for (const [to, { state, at }] of picks.entries()) {
      const leaf = state[name]!;
      const own = product(leaf.shape.slice(1));
      data.set(leaf.data.subarray(at * own, (at + 1) * own), to * size);
    }
    gathered[name] = { shape, data };
  }
  return gathered;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

function classMultiple(classes: number): number {
  return Math.ceil(classes / CLASS_MULTIPLE) * CLASS_MULTIPLE;
}

/** Up to 128 classes a multiple of 16, beyond it the next power of two. */
function classBucket(classes: number): number {
  const multiple = classMultiple(classes);
  return multiple <= 8 * CLASS_MULTIPLE ? multiple : 2 ** Math.ceil(Math.log2(classes));
}

/** 1, 2, 3, 4, 6, 8, 12, 16, 24, ...: few shapes to compile, and at most a third of a padded class is padding. */
function rowBucket(rows: number): number {
  const power = 2 ** Math.ceil(Math.log2(Math.max(1, rows)));
  return power >= 4 && rows <= 0.75 * power ? 0.75 * power : power;
}

/** A support set in parts of so many classes. */
function splitClasses({ counts, rows, names }: SupportRows, D: number, classes: number): SupportRows[] {
  const parts: SupportRows[] = [];
  let row = 0;
  for (let from = 0; from < counts.length; from += classes) {
    const part = counts.slice(from, from + classes);
    const end = row + part.reduce((sum, count) => sum + count, 0);
    parts.push({
      counts: part,
      rows: rows.subarray(row * D, end * D),
      names: names.subarray(from * D, (from + part.length) * D),
    });
    row = end;
  }
  return parts;
}

/** Ragged rows to `[C, K, D]`; C is the number of classes unless given. */
function padSupport({ counts, rows, names }: SupportRows, D: number, K: number, C = counts.length): Support {
  const padded = new Float32Array(C * K * D);
  const mask = new Float32Array(C * K);
  const paddedNames = new Float32Array(C * D);
  paddedNames.set(names);
  let from = 0;
  counts.forEach((count, c) => {
    padded.set(rows.subarray(from * D, (from + count) * D), c * K * D);
    mask.fill(1, c * K, c * K + count);
    from += count;
  });
  return {
    rows: np.array(padded, { shape: [C, K, D] }),
    mask: np.array(mask, { shape: [C, K] }),
    names: np.array(paddedNames, { shape: [C, D] }),
  };
}

/** `[U, D]` with U up to a bucket; nothing where there are no such texts. */
function padUnlabelled({ unlabelled }: SupportRows, D: number): Pick<Support, 'unlabelled'> {
  if (unlabelled === undefined || unlabelled.length === 0) return {};
  const rows = rowBucket(unlabelled.length / D);
  const padded = new Float32Array(rows * D);
  padded.set(unlabelled);
  return { unlabelled: np.array(padded, { shape: [rows, D] }) };
}

function download(state: ClassState): Leaves {
  return Object.fromEntries(
    Object.entries(state).map(([name, array]) => {
      const shape = array.shape;
      return [name, { shape, data: array.dataSync() as Float32Array }];
    }),
  );
}

function upload(state: Leaves): ClassState {
  return Object.fromEntries(
    Object.entries(state).map(([name, { shape, data }]) => [
      name,
      np.array(data.slice(), { shape: [...shape] }),
    ]),
  );
}
