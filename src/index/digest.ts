/**
 * A 53-bit digest of a vector's bits: tells whether a snapshot still holds what the store holds, and finds vectors
 * that are held already. Not cryptographic; a million vectors collide with a probability of about 1 in 20,000.
 */
export function vectorDigest(vector: Float32Array): number {
  const words = new Uint32Array(vector.buffer, vector.byteOffset, vector.length);
  // Two chains with different multipliers and rotations, each finished as MurmurHash3 finishes.
  let a = 0x9e3779b9 ^ vector.length;
  let b = 0x85ebca6b ^ vector.length;
  for (const word of words) {
    a = Math.imul(a ^ word, 0xcc9e2d51);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ word, 0x1b873593);
    b = (b << 13) | (b >>> 19);
  }
  return (finish(b) & 0x1fffff) * 2 ** 32 + (finish(a) >>> 0);
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
