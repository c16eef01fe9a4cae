import { createHash, randomBytes } from 'node:crypto';

/** So that a key is known for one wherever it turns up: in a log, in a repository. */
const PREFIX = 'kshot_';
const SECRET_BYTES = 32;
/** Four characters of the secret are 24 of its 256 bits. */
const HINT_LENGTH = PREFIX.length + 4;

/** A new key, which nobody can guess. */
export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** What may be shown of a key. */
export function hintOf(secret: string): string {
  return secret.slice(0, HINT_LENGTH);
}

/**
 * What is kept of a key. Plain SHA-256 is enough: the slow hashes that passwords need make up for how easily these are guessed,
 * and there is no guessing 256 random bits.
 */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
