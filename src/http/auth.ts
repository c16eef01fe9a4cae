import type { IncomingHttpHeaders } from 'node:http';
import { KshotError } from '../errors.js';
import { type Caller, EVERYONE } from '../keys/caller.js';
import type { Keyring } from '../keys/keyring.js';

/** What an operation asks of the caller. `read` covers classifying; `open` needs no key at all. */
export type Access = 'open' | 'read' | 'write';

/** Where an operation takes a key besides the headers that all take it in; each a name there. */
export interface KeyPlaces {
  readonly header?: string;
  readonly query?: string;
  /** A field of the JSON body. */
  readonly body?: string;
}

/**
 * Which bots an operation is about where no `{bot}` in its path says so: the one that its body names, all where it names none; or
 * `none` in particular. Left out, it is about all of them.
 */
export type BotScope<B = unknown> = 'none' | ((body: B) => string | null);

/** What is looked at of an operation. */
interface Guarded {
  readonly access: Access;
  readonly bots?: BotScope;
}

export interface RateObserver {
  /** A key's rate was used up. */
  rateLimited(key: string): void;
}

/** Says who calls, and refuses what the caller may not do. Without any key all is allowed. */
export class Authoriser {
  constructor(
    private readonly keyring: Keyring,
    private readonly observer: RateObserver,
  ) {}

  /** Whether any key is asked for. */
  get enabled(): boolean {
    return this.keyring.enabled;
  }

  /**
   * Who calls.
   *
   * @param given the key that was sent; undefined where there was none.
   * @throws KshotError `unauthorized` where the operation needs a key, and that is none.
   */
  identify(access: Access, given: string | undefined): Caller {
    if (access === 'open' || !this.enabled) return EVERYONE;
    if (given === undefined) {
      throw new KshotError(
        'unauthorized',
        'Send an API key as "Authorization: Bearer KEY" or "x-api-key: KEY"',
      );
    }
    const caller = this.keyring.find(given);
    if (caller === undefined) throw new KshotError('unauthorized', 'The API key is not known');
    return caller;
  }

  /** @throws KshotError `rate_limited`, `forbidden` where the operation writes and the caller may not. */
  admit({ access }: Guarded, caller: Caller): void {
    const waitMs = this.keyring.take(caller);
    if (waitMs > 0) {
      this.observer.rateLimited(caller.id ?? '');
      throw new KshotError('rate_limited', 'This API key has used up its rate; wait as Retry-After says', {
        retryAfterMs: waitMs,
      });
    }
    if (access === 'write' && !caller.mayWrite) {
      throw new KshotError('forbidden', 'This API key may read and classify, not write');
    }
  }

  /**
   * Whether the bots that the operation is about are the caller's, by what stands in the path. An operation whose body names the
   * bot passes: `checkBody` looks at that.
   *
   * @throws KshotError `forbidden`.
   */
  checkPath({ access, bots }: Guarded, params: unknown, caller: Caller): void {
    const bot = botIn(params);
    if (bot !== undefined) checkBot(bot, caller);
    else if (access !== 'open' && bots === undefined) checkBot(null, caller);
  }

  /** @throws KshotError `forbidden` where the body names a bot that is not the caller's. */
  checkBody({ bots }: Guarded, body: unknown, caller: Caller): void {
    if (typeof bots === 'function') checkBot(bots(body), caller);
  }
}

/** @param bot null: all of them. @throws KshotError `forbidden` where it is not the caller's. */
export function checkBot(bot: string | null, caller: Caller): void {
  if (seesBot(bot, caller)) return;
  if (bot === null) {
    throw new KshotError('forbidden', 'This API key is for some of the bots; this needs one for all bots');
  }
  throw new KshotError(
    'forbidden',
    `This API key is not for the bot "${bot}"; GET /v1/bots lists those that it is for`,
  );
}

/** @param bot null: all of them. */
export function seesBot(bot: string | null, caller: Caller): boolean {
  return bot === null ? caller.seesAll : caller.sees(bot);
}

/** The bot that validated parameters name, which may be with a version. */
function botIn(params: unknown): string | undefined {
  if (typeof params !== 'object' || params === null || !('bot' in params)) return undefined;
  const { bot } = params as { readonly bot: string | { readonly bot: string } };
  return typeof bot === 'string' ? bot : bot.bot;
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
