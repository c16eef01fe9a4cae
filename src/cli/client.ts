import { isNativeError } from 'node:util/types';
import type {
  BotChecks,
  BotSummary,
  ClassifyResult,
  Example,
  HeadReload,
  HeadSummary,
  ImportResult,
  Intent,
  IntentDefinition,
  Suggestions,
  UnlabelledPage,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
} from '../classify/service.js';
import type { AliasSummary, VersionChanges, VersionSummary } from '../classify/versionTypes.js';
import type { FieldProblem } from '../errors.js';
import { EXPORT_TYPES } from '../formats/formats.js';

/** How often a request that met a busy server is sent in all. */
const ATTEMPTS = 6;
/** A server's Retry-After is heeded up to this, in ms. */
const LONGEST_WAIT_MS = 10_000;
const DEFAULT_WAIT_MS = 1000;
/** A server that does not even say whether it is ready within this is not, in ms. */
const PROBE_MS = 5000;

/** A request that got no answer, or one that refuses it. The message says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    /** The problem's code; undefined where the server gave none or was not reached. */
    readonly code?: string,
    /** Offending places of the request. */
    readonly fields: readonly FieldProblem[] = [],
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

export interface ClientOptions {
  /** Where the server is: `http://host:port`, with a path if a proxy puts it under one. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Waits between attempts. */
  readonly sleep: (milliseconds: number) => Promise<void>;
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Segments below `/v1`, not yet encoded. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** In the place of `body`, a file. */
  readonly file?: { readonly type: string; readonly content: string };
}

/**
 * The HTTP API as methods. A server that is busy or starting is asked again, as it says, a bounded number of times;
 * every request here may safely be repeated. Every method throws ApiError.
 */
export class KshotClient {
  readonly #base: URL;
  readonly #apiKey: string | undefined;
  readonly #sleep: (milliseconds: number) => Promise<void>;

  /** @throws ApiError if the address is none. */
  constructor({ url, apiKey, sleep }: ClientOptions) {
    this.#base = baseOf(url);
    this.#apiKey = apiKey;
    this.#sleep = sleep;
  }

  /** Where requests go, without a slash at the end. */
  get url(): string {
    return this.#base.href.replace(/\/$/, '');
  }

  /** Whether the server is there and takes requests. Asks once; throws nothing. */
  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(new URL('readyz', this.#base), { signal: AbortSignal.timeout(PROBE_MS) });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false; // Not listening yet, or not any more: the caller asks who owns the store again.
    }
  }

  /** One result a text, in order. */
  async classify(
    bot: string,
    texts: readonly string[],
    options: { readonly top: number; readonly explain: boolean; readonly version?: string },
  ): Promise<ClassifyResult[]> {
    const body = { texts, ...options };
    const answer = await this.#call({ method: 'POST', path: ['bots', bot, 'classify'], body });
    return listIn<ClassifyResult>(answer, 'results');
  }

  async listBots(): Promise<BotSummary[]> {
    return listIn<BotSummary>(await this.#call({ method: 'GET', path: ['bots'] }), 'bots');
  }

  async deleteBot(bot: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: ['bots', bot] });
  }

  /** With their examples. */
  async listIntents(bot: string): Promise<Intent[]> {
    const query = { examples: 'true' };
    const answer = await this.#call({ method: 'GET', path: ['bots', bot, 'intents'], query });
    return listIn<Intent>(answer, 'intents');
  }

  async putIntents(bot: string, intents: readonly IntentDefinition[]): Promise<WriteResult> {
    const call: Call = { method: 'PUT', path: ['bots', bot, 'intents'], body: { intents } };
    return (await this.#call(call)) as WriteResult;
  }

  /** All or nothing. @param document as `writeBot` writes it in `EXPORT_TYPES.jsonl`. */
  async importBot(
    bot: string,
    document: string,
    { prune, dryRun }: { readonly prune: boolean; readonly dryRun: boolean },
  ): Promise<ImportResult> {
    const query = { format: 'jsonl', prune: String(prune), dry_run: String(dryRun) };
    const file = { type: EXPORT_TYPES.jsonl.type, content: document };
    const call: Call = { method: 'POST', path: ['bots', bot, 'import'], query, file };
    return (await this.#call(call)) as ImportResult;
  }

  async addExamples(bot: string, intent: string, examples: readonly string[]): Promise<WriteResult> {
    const path = ['bots', bot, 'intents', intent, 'examples'];
    return (await this.#call({ method: 'POST', path, body: { examples } })) as WriteResult;
  }

  async deleteIntent(bot: string, intent: string): Promise<WriteResult> {
    const call: Call = { method: 'DELETE', path: ['bots', bot, 'intents', intent] };
    return (await this.#call(call)) as WriteResult;
  }

  async listCounterexamples(bot: string): Promise<Example[]> {
    const answer = await this.#call({ method: 'GET', path: ['bots', bot, 'counterexamples'] });
    return listIn<Example>(answer, 'examples');
  }

  async putCounterexamples(bot: string, examples: readonly string[]): Promise<WriteResult> {
    const call: Call = { method: 'PUT', path: ['bots', bot, 'counterexamples'], body: { examples } };
    return (await this.#call(call)) as WriteResult;
  }

  async addUnlabelled(bot: string, texts: readonly string[]): Promise<UnlabelledWrite> {
    const call: Call = { method: 'POST', path: ['bots', bot, 'unlabelled'], body: { texts } };
    return (await this.#call(call)) as UnlabelledWrite;
  }

  /** @param after the last id of the page before. */
  async listUnlabelled(bot: string, page: { limit: number; after?: number }): Promise<UnlabelledPage> {
    const query = inQuery(page);
    return (await this.#call({ method: 'GET', path: ['bots', bot, 'unlabelled'], query })) as UnlabelledPage;
  }

  async clearUnlabelled(bot: string): Promise<UnlabelledRemoval> {
    const call: Call = { method: 'DELETE', path: ['bots', bot, 'unlabelled'] };
    return (await this.#call(call)) as UnlabelledRemoval;
  }

  /** @param intent null: out of scope. */
  async labelUnlabelled(bot: string, id: number, intent: string | null): Promise<WriteResult> {
    const path = ['bots', bot, 'unlabelled', String(id), 'label'];
    const body = intent === null ? { out_of_scope: true } : { intent };
    return (await this.#call({ method: 'POST', path, body })) as WriteResult;
  }

  /** @param asked the server has defaults for what is left out. */
  async suggest(bot: string, asked: { strategy?: string; limit?: number }): Promise<Suggestions> {
    const query = inQuery(asked);
    return (await this.#call({ method: 'GET', path: ['bots', bot, 'suggestions'], query })) as Suggestions;
  }

  async check(bot: string): Promise<BotChecks> {
    return (await this.#call({ method: 'GET', path: ['bots', bot, 'checks'] })) as BotChecks;
  }

  async listHeads(): Promise<HeadSummary[]> {
    return listIn<HeadSummary>(await this.#call({ method: 'GET', path: ['heads'] }), 'heads');
  }

  async reloadHeads(): Promise<HeadReload> {
    return (await this.#call({ method: 'POST', path: ['heads', 'reload'] })) as HeadReload;
  }

  async #call(call: Call): Promise<unknown> {
    const text = await this.#text(call);
    if (text === '') return undefined;
    const body = parseJson(text);
    if (body === undefined) throw this.#noKshot();
    return body;
  }

  /** The body of an answer, as it is. */
  async #text(call: Call): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#send(call);
      if (response.status === 503 && attempt < ATTEMPTS) {
        await response.body?.cancel();
        await this.#sleep(waitOf(response));
        continue;
      }
      const text = await this.#received(response.text());
      if (!response.ok) throw refusal(response.status, text, this.url);
      return text;
    }
  }

  #send({ method, path, query, body, file }: Call): Promise<Response> {
    const url = new URL(`v1/${path.map(segment).join('/')}`, this.#base);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    return this.#received(
      fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(this.#apiKey === undefined ? {} : { authorization: `Bearer ${this.#apiKey}` }),
          ...(file === undefined ? {} : { 'content-type': file.type }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(file === undefined ? {} : { body: file.content }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
  }

  /** What the network does, in words. */
  async #received<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (error) {
      const reason = networkReason(error);
      const message = `no answer from ${this.url} (${reason}); is "kshot serve" running there?`;
      throw new ApiError(message, undefined, [], error);
    }
  }

  #noKshot(): ApiError {
    return new ApiError(`${this.url} does not answer like kshot; check the address`);
  }

  async listVersions(bot: string): Promise<VersionSummary[]> {
    const answer = await this.#call({ method: 'GET', path: ['bots', bot, 'versions'] });
    return listIn<VersionSummary>(answer, 'versions');
  }

  async saveVersion(bot: string, version: string, note: string | undefined): Promise<VersionSummary> {
    const body = note === undefined ? {} : { note };
    const call: Call = { method: 'PUT', path: ['bots', bot, 'versions', version], body };
    return (await this.#call(call)) as VersionSummary;
  }

  async getVersion(bot: string, version: string): Promise<VersionSummary> {
    return (await this.#call({ method: 'GET', path: ['bots', bot, 'versions', version] })) as VersionSummary;
  }

  /** @param to undefined: the bot as it is now. */
  async versionChanges(bot: string, from: string, to: string | undefined): Promise<VersionChanges> {
    const path = ['bots', bot, 'versions', from, 'changes'];
    const query = to === undefined ? {} : { to };
    return (await this.#call({ method: 'GET', path, query })) as VersionChanges;
  }

  async restoreVersion(bot: string, version: string): Promise<WriteResult> {
    const path = ['bots', bot, 'versions', version, 'restore'];
    return (await this.#call({ method: 'POST', path })) as WriteResult;
  }

  async deleteVersion(bot: string, version: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: ['bots', bot, 'versions', version] });
  }

  /** A version as a file, in JSON lines. */
  exportVersion(bot: string, version: string): Promise<string> {
    const query = { format: 'jsonl', version };
    return this.#text({ method: 'GET', path: ['bots', bot, 'export'], query });
  }

  async listAliases(bot: string): Promise<AliasSummary[]> {
    const answer = await this.#call({ method: 'GET', path: ['bots', bot, 'aliases'] });
    return listIn<AliasSummary>(answer, 'aliases');
  }

  /** @param version or an alias of it. */
  async putAlias(bot: string, alias: string, version: string): Promise<AliasSummary> {
    const call: Call = { method: 'PUT', path: ['bots', bot, 'aliases', alias], body: { version } };
    return (await this.#call(call)) as AliasSummary;
  }

  async rollBackAlias(bot: string, alias: string): Promise<AliasSummary> {
    const path = ['bots', bot, 'aliases', alias, 'rollback'];
    return (await this.#call({ method: 'POST', path })) as AliasSummary;
  }

  async deleteAlias(bot: string, alias: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: ['bots', bot, 'aliases', alias] });
  }
}

function baseOf(url: string): URL {
  let base: URL;
  try {
    base = new URL(url.endsWith('/') ? url : `${url}/`);
  } catch (cause) {
    throw new ApiError(`"${url}" is no address; write it like http://127.0.0.1:8080`, undefined, [], cause);
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw new ApiError(`"${url}" must begin with http:// or https://`);
  }
  if (base.username !== '' || base.password !== '') {
    throw new ApiError('the address must not hold a user or password; give the key with --api-key');
  }
  return base;
}

/** What may follow the question mark, as text. */
function inQuery(values: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** A path's segment. Dots alone would be taken for a folder above, however encoded. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') throw new ApiError(`"${name}" cannot be a name`);
  return encodeURIComponent(name);
}

/** How long the server wants to be left alone, in ms. */
function waitOf(response: Response): number {
  const header = response.headers.get('retry-after');
  if (header === null) return DEFAULT_WAIT_MS;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? DEFAULT_WAIT_MS : Math.min(Math.max(wait, 0), LONGEST_WAIT_MS);
}

/** The most places that an error names. */
const FIELDS_NAMED = 3;

/** A problem+json answer (RFC 9457) in one line. */
function refusal(status: number, text: string, url: string): ApiError {
  const body = parseJson(text);
  const detail = stringIn(body, 'detail') ?? stringIn(body, 'title');
  if (detail === undefined) return new ApiError(`${url} answered ${status}; is that address kshot's?`);

  const fields = fieldProblemsIn(body);
  // The detail tells the first place, mostly; say it again only where it does not.
  const further = fields.filter(
    ({ field, message }) => !(detail.includes(field) && detail.includes(message)),
  );
  const named = further.slice(0, FIELDS_NAMED).map(({ field, message }) => `${field} ${message}`);
  if (further.length > FIELDS_NAMED) named.push(`${further.length - FIELDS_NAMED} more`);
  const message = named.length === 0 ? detail : `${detail} (${named.join('; ')})`;

  const code = stringIn(body, 'code');
  const advice = code === undefined ? undefined : ADVICE[code];
  return new ApiError(advice === undefined ? message : `${message}; ${advice}`, code, fields);
}

/** What somebody at a terminal can do about it. */
const ADVICE: Readonly<Record<string, string>> = {
  unauthorized: 'give it with --api-key or KSHOT_API_KEY',
  unknown_bot: '"kshot bots" lists the bots there are',
  body_too_large:
    'start the server with a larger --max-body-bytes (of an import --max-import-bytes, or import with --in-parts)',
};

function fieldProblemsIn(body: unknown): FieldProblem[] {
  const errors = valueIn(body, 'errors');
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    const field = stringIn(entry, 'field');
    const message = stringIn(entry, 'message');
    return field === undefined || message === undefined ? [] : [{ field, message }];
  });
}

/** A list that an answer must hold; its entries are taken as the API documents them. */
function listIn<T>(body: unknown, key: string): T[] {
  const list = valueIn(body, key);
  if (!Array.isArray(list)) throw new ApiError(`the answer lacks "${key}"; is the server another version?`);
  return list as T[];
}

function valueIn(body: unknown, key: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[key] : undefined;
}

function stringIn(body: unknown, key: string): string | undefined {
  const value = valueIn(body, key);
  return typeof value === 'string' ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function networkReason(error: unknown): string {
  // fetch wraps what the socket says.
  const cause = isNativeError(error) && isNativeError(error.cause) ? error.cause : error;
  if (!isNativeError(cause)) return String(cause);
  if ('code' in cause && cause.code === 'ECONNREFUSED') return 'connection refused';
  return cause.message === '' ? cause.name : cause.message;
}
