import { type JsTree, type numpy as np, tree } from '@jax-js/jax';

/**
 * What a head scores with: the support set of one task, N-way K-shot, unevenly filled classes padded. A padded row
 * or class is zero and its mask 0.
 */
export type Support = {
  /** `[C, K, D]`, unit length. */
  rows: np.Array;
  /** `[C, K]`: 1 for an example, 0 for padding. */
  mask: np.Array;
  /** `[C, D]`: the embedding of each class's name or description, unit length; zero where there is none. */
  names: np.Array;
  /** `[U, D]`, unit length: texts whose class is not known, given to heads that read them alone; a zero row is padding. */
  unlabelled?: np.Array;
};

/** Meta-parameters: named arrays, nested at will, built by a head's `init` alone. */
export type Params = JsTree<np.Array>;

/** Class state: named arrays whose axis 0 is the class. */
export type ClassState = Record<string, np.Array>;

/**
 * One scoring function, defined once as pure functions over jax-js arrays: the trainer differentiates
 * `score(params, induce(params, support), queries)`, the server keeps what `induce` gives and calls `score`.
 * Scores do not depend on the order of classes or support rows, nor on padding. Every argument is consumed.
 */
export type Head = {
  readonly name: string;
  /** A class's state depends on the other classes' rows too; else a class can be induced by itself. */
  readonly contextual?: true;
  /** `adapt` learns from `Support.unlabelled` too, where there is any. */
  readonly readsUnlabelled?: true;
  /** What the head learns offline; an empty tree where it learns nothing. */
  init(key: np.Array, dimension: number): Params;
  /** Class state from a support set. */
  induce(params: Params, support: Support): ClassState;
  /** `[Q, D]` queries to `[Q, C]` logits; their softmax over the classes is the head's P(c | x, S). */
  score(params: Params, state: ClassState, queries: np.Array): np.Array;
  /**
   * Heads that adapt to the support set by gradient steps: the state that `induce` gives is a start, and this
   * moves it. Too slow for the request path: the server runs it in a worker thread.
   */
  adapt?(params: Params, support: Support, state: ClassState): ClassState;
  /**
   * Of a head whose `adapt` takes too long to be run for one query: the head that does so in its stead, for a few candidates
   * of a bot that is too large to adapt to. It has the same parameters and class state.
   */
  readonly local?: Head;
  /**
   * Of a head that adapts: brings classes that have not adapted yet in line with those that have, so that their scores
   * can be compared until the next adaptation.
   *
   * @param fresh classes as `induce` gave them.
   * @param induced other classes as `induce` gave them, and
   * @param adapted the same classes as they have adapted.
   * @returns the fresh classes.
   */
  align?(fresh: ClassState, induced: ClassState, adapted: ClassState): ClassState;
};

/** The class state of a support set, adapted where the head adapts. Every argument is consumed. */
export function adaptedState(head: Head, params: Params, support: Support): ClassState {
  if (head.adapt === undefined) return head.induce(params, support);
  const start = head.induce(tree.ref(params), tree.ref(support));
  return head.adapt(params, support, start);
}
