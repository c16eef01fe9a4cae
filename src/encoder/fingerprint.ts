import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Device } from './device.js';
import { findWeights, isFile, type ModelDirectory, readModelDirectory } from './modelDirectory.js';

export interface WeightsReport {
  /** SHA-256 over the weights, hexadecimal. */
  readonly digest: string;
  /** The graph quantises activations by what happens to share their batch, so embeddings depend on it. */
  readonly dynamicallyQuantised: boolean;
}

const DYNAMIC_QUANTISATION = Buffer.from('DynamicQuantizeLinear');

/** Which encoder it is: its name, and the fingerprint of its embedding space. */
export interface EncoderIdentity {
  readonly name: string;
  readonly fingerprint: string;
}

/**
 * Which encoder a folder holds, as it would be loaded for a device; without loading it.
 *
 * @param stem the weights' file without `.onnx`; absent, it is chosen by device.
 * @throws KshotError `encoder_unavailable` for files that are missing or damaged, as far as they are read.
 */
export async function identifyEncoder(
  directory: string,
  device: Device,
  stem?: string,
): Promise<EncoderIdentity> {
  const model = await readModelDirectory(directory);
  const { digest } = await inspectWeights(await findWeights(directory, device, stem));
  return { name: model.name, fingerprint: fingerprint(digest, model) };
}

/**
 * Reads the weights' file once, from the disk's stream, then the one beside it that holds what is external to it.
 *
 * @throws the file system's error where they cannot be read.
 */
export async function inspectWeights(weights: string): Promise<WeightsReport> {
  const external = `${weights}_data`;
  const paths = (await isFile(external)) ? [weights, external] : [weights];
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
