import { toParams, type StoredCheckpoint } from './checkpoint.js';
import { createHead, type HeadName } from './registry.js';
import { HeadRuntime } from './runtime.js';
import { createTrainedHead } from './trained.js';

/** All that it takes to run a head, in this thread or another. */
export type HeadSource = {
  /** What bots choose it by: a built-in head's own name, or the folder of a checkpoint. */
  readonly name: string;
  /** D of the embeddings. */
  readonly dimension: number;
} & (
  | { readonly kind: 'built-in'; readonly head: HeadName }
  | {
      readonly kind: 'trained';
      /** Name among the trained heads, and the options that it was built with. */
      readonly head: string;
      readonly options: StoredCheckpoint['metadata']['options'];
      readonly tensors: StoredCheckpoint['tensors'];
      /** Of the weights. */
      readonly sha256: string;
    }
);

export function createRuntime(source: HeadSource): HeadRuntime {
  if (source.kind === 'built-in') return new HeadRuntime(createHead(source.head), source.dimension);
  const head = createTrainedHead(source.head, source.options);
  return new HeadRuntime(head, source.dimension, toParams(head, source.dimension, source.tensors));
}

/**
 * A head as it is served, from one loading of its weights to the next. What jax-js holds of it is made when it is first
 * used: of a folder full of checkpoints most servers use one.
 */
export class HeadVersion {
  #runtime: HeadRuntime | undefined;

  constructor(readonly source: HeadSource) {}

  get name(): string {
    return this.source.name;
  }

  /** Tells versions of one name apart. */
  get id(): string {
    return this.source.kind === 'trained' ? this.source.sha256 : '';
  }

  get runtime(): HeadRuntime {
    return (this.#runtime ??= createRuntime(this.source));
  }

  /** Gives back what jax-js holds of it. */
  dispose(): void {
    this.#runtime?.dispose();
    this.#runtime = undefined;
  }
}
