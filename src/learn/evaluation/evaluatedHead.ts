import { numpy as np, tree } from '@jax-js/jax';
import { type CheckpointMetadata, readCheckpoint, toParams } from '../../heads/checkpoint.js';
import type { Head, Params } from '../../heads/head.js';
import { createHead, isHeadName } from '../../heads/registry.js';
import { HeadRuntime } from '../../heads/runtime.js';

/** A head with its parameters, ready to be evaluated. To be given back by `dispose()`. */
export class EvaluatedHead {
  /** As the server runs it. */
  readonly runtime: HeadRuntime;

  /** @param params owned from here on. */
  constructor(
    readonly head: Head,
    readonly dimension: number,
    readonly params: Params,
  ) {
    this.runtime = new HeadRuntime(head, dimension, tree.ref(params));
  }

  dispose(): void {
    this.runtime.dispose();
    tree.dispose(this.params);
  }
}

/** A head that was found, outside of jax-js. */
export interface FoundHead {
  /** Tells heads apart whose scores differ: the SHA-256 of the weights, or the name of a head that has none. */
  readonly identity: string;
  /** Absent where the head learns nothing offline. */
  readonly metadata?: CheckpointMetadata;
  /** @param dimension D of the embeddings. */
  open(dimension: number): EvaluatedHead;
}

/**
 * @param source the name of a head that learns nothing offline, or the folder of a checkpoint.
 * @param encoder fingerprint of what makes the embeddings.
 * @throws what `readCheckpoint` throws: the checkpoint may be absent, damaged, or another encoder's.
 */
export async function findHead(source: string, encoder: string): Promise<FoundHead> {
  if (isHeadName(source)) {
    return {
      identity: source,
      open: (dimension) => {
        const head = createHead(source);
        return new EvaluatedHead(head, dimension, head.init(np.zeros([2]), dimension));
      },
    };
  }
  const { head, tensors, metadata, sha256 } = await readCheckpoint(source, { encoder });
  return {
    identity: sha256,
    metadata,
    open: (dimension) => new EvaluatedHead(head, dimension, toParams(head, dimension, tensors)),
  };
}
