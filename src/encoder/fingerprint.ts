import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ModelDirectory } from './modelDirectory.js';

export interface WeightsReport {
  /** SHA-256 over the weights, hexadecimal. */
  readonly digest: string;
  /** The graph quantises activations by what happens to share their batch, so embeddings depend on it. */
  readonly dynamicallyQuantised: boolean;
}

const DYNAMIC_QUANTISATION = Buffer.from('DynamicQuantizeLinear');

/** Reads weights' files once, from the disk's stream, in order. */
export async function inspectWeights(paths: readonly string[]): Promise<WeightsReport> {
  const hash = createHash('sha256');
  let dynamicallyQuantised = false;
  for (const path of paths) {
    let tail: Buffer = Buffer.alloc(0); // the name of an operator may lie across two chunks
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      if (dynamicallyQuantised) continue;
      const seam = Buffer.concat([tail, chunk.subarray(0, DYNAMIC_QUANTISATION.length)]);
      dynamicallyQuantised = chunk.includes(DYNAMIC_QUANTISATION) || seam.includes(DYNAMIC_QUANTISATION);
      tail = chunk.subarray(-DYNAMIC_QUANTISATION.length);
    }
  }
  return { digest: hash.digest('hex'), dynamicallyQuantised };
}

/** 16 hexadecimal digits over everything that decides where a text is embedded. */
export function fingerprint(weightsDigest: string, model: ModelDirectory): string {
  return createHash('sha256')
    .update(JSON.stringify([weightsDigest, model.tokenizerText, model.pooling, model.maxTokens]))
    .digest('hex')
    .slice(0, 16);
}
