import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { KshotError } from '../errors.js';

/** What an operation asks of the caller. `read` covers classifying; `open` needs no key at all. */
export type Access = 'open' | 'read' | 'write';

export interface ApiKeys {
  readonly readWrite: readonly string[];
  readonly readOnly: readonly string[];
}

/**
 * Checks API keys, given as `Authorization: Bearer KEY` or `x-api-key: KEY`. Only digests are kept, and every one is
 * compared in constant time, so that neither memory nor timing gives a key away. Without any key all is allowed.
 */
export class Authoriser {
  private readonly keys: readonly { readonly digest: Buffer; readonly mayWrite: boolean }[];

  constructor(keys: ApiKeys) {
    this.keys = [
      ...keys.readWrite.map((key) => ({ digest: digest(key), mayWrite: true })),
      ...keys.readOnly.map((key) => ({ digest: digest(key), mayWrite: false })),
    ];
  }

  /** Whether any key is asked for. */
  get enabled(): boolean {
    return this.keys.length > 0;
  }

  /** @throws KshotError `unauthorized` or `forbidden` where the headers do not grant the access. */
  check(access: Access, headers: IncomingHttpHeaders): void {
    if (access === 'open' || !this.enabled) return;
    const given = keyIn(headers);
    if (given === undefined) {
      throw new KshotError(
        'unauthorized',
        'Send an API key as "Authorization: Bearer KEY" or "x-api-key: KEY"',
      );
    }
    const hash = digest(given);
    let known = false;
    let mayWrite = false;
    for (const key of this.keys) {
      if (timingSafeEqual(key.digest, hash)) {
        known = true;
        mayWrite ||= key.mayWrite;
      }
    }
    if (!known) throw new KshotError('unauthorized', 'The API key is not known');
    if (access === 'write' && !mayWrite) {
      throw new KshotError('forbidden', 'This API key may read and classify, not write');
    }
  }
}

function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const plain = headers['x-api-key'];
  return bearer ?? (typeof plain === 'string' && plain !== '' ? plain : undefined);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
