import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { GraphLedger } from './hnsw.js';

/** What stands at the head of a manifest, as JSON. */
const headerSchema = z.strictObject({
  version: z.literal(1),
  /** What the embeddings are: the encoder's fingerprint. */
  key: z.string(),
  dimension: z.int().positive(),
  parameters: z.strictObject({ links: z.int().positive(), constructionBreadth: z.int().positive() }),
  /** A file beside the manifest. */
  graphFile: z.string().regex(/^graph-[0-9a-f-]+\.hnsw$/),
  graphBytes: z.int().nonnegative(),
  graphSha256: z.string(),
  ids: z.int().nonnegative(),
  nodes: z.int().nonnegative(),
});

export type ManifestHeader = z.infer<typeof headerSchema>;

export interface Manifest {
  readonly header: ManifestHeader;
  readonly ledger: GraphLedger;
}

const MAGIC = Buffer.from('KSHOTIX1', 'latin1');
const CHECKSUM_BYTES = 32;

/**
 * Magic, length of the header, header, ids and their nodes (uint32), digests of the nodes (float64), SHA-256 of all
 * that; little-endian.
 */
export function encodeManifest({ header, ledger }: Manifest): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const content = Buffer.concat([
    ...[MAGIC, length, json],
    ...[bytesOf(ledger.ids), bytesOf(ledger.labels), bytesOf(ledger.digests)],
  ]);
  return Buffer.concat([content, sha256(content)]);
}

/** @throws Error that says what is wrong with the bytes. */
export function decodeManifest(bytes: Buffer): Manifest {
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  if (content.length < MAGIC.length + 4 || !content.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error('it is not a manifest');
  }
  if (!sha256(content).equals(bytes.subarray(-CHECKSUM_BYTES))) throw new Error('its checksum is wrong');
  const start = MAGIC.length + 4;
  const end = start + content.readUInt32LE(MAGIC.length);
  const header = headerSchema.parse(JSON.parse(content.toString('utf8', start, end)));
  const { ids, nodes } = header;
  if (content.length !== end + 8 * ids + 8 * nodes) throw new Error('its length is wrong');
  // Copied, because a typed array must start at a multiple of its item's size.
  const body = Uint8Array.from(content.subarray(end)).buffer;
  const ledger = {
    ids: new Uint32Array(body, 0, ids),
    labels: new Uint32Array(body, 4 * ids, ids),
    digests: new Float64Array(body, 8 * ids, nodes),
  };
  if (ledger.labels.some((label) => label >= nodes)) throw new Error('it names a node that is not there');
  return { header, ledger };
}

function bytesOf(array: Uint32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
