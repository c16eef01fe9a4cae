import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { KshotError } from '../errors.js';

/** What an operation asks of the caller. `read` covers classifying; `open` needs no key at all. */
export type Access = 'open' | 'read' | 'write';

/** Where an operation takes a key besides the headers that all take it in; each a name there. */
export interface KeyPlaces {
  readonly header?: string;
  readonly query?: string;
  /** A field of the JSON body. */
  readonly body?: string;
}

export interface ApiKeys {
  readonly readWrite: readonly string[];
  readonly readOnly: readonly string[];
}

/**
 * Checks API keys. Only digests are kept, and every one is compared in constant time, so that neither memory nor timing
 * gives a key away. Without any key all is allowed.
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

  /**
   * @param given the key that was sent; undefined where there was none.
   * @throws KshotError `unauthorized` or `forbidden` where it does not grant the access.
   */
  check(access: Access, given: string | undefined): void {
    if (access === 'open' || !this.enabled) return;
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

/**
 * The key that came with a request, as `Authorization: Bearer KEY`, as `x-api-key: KEY`, or in another place that its
 * operation takes it in; undefined for none. The body is looked at by `keyInBody`.
 */
export function keyIn(
  {
    headers,
    query,
  }: { readonly headers: IncomingHttpHeaders; readonly query: Readonly<Record<string, unknown>> },
  places: KeyPlaces = {},
): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const others = [
    headers['x-api-key'],
    places.header && headers[places.header.toLowerCase()],
    places.query && query[places.query],
  ];
  return bearer ?? others.find(isKey);
}

/** The key in a field of a body that has not been validated; undefined for none. */
export function keyInBody(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  const given = (body as Readonly<Record<string, unknown>>)[field];
  return isKey(given) ? given : undefined;
}

function isKey(given: unknown): given is string {
  return typeof given === 'string' && given !== '';
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
