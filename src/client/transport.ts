import { type Answer, jsonIn, memberOf, refusalOf } from './answer.js';
import { KshotApiError, KshotClientError, KshotConnectionError, KshotTimeoutError } from './errors.js';
import { mayBeRetried, waitMs } from './retry.js';

const DEFAULT_RETRIES = 3;
const DEFAULT_MAX_WAIT_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 60_000;

export interface KshotOptions {
  /** Where the server is: `http://host:port`, with a path if a proxy puts it under one. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** How often a request is sent again that met a busy server or a broken connection; default 3. */
  readonly retries?: number | undefined;
  /** How long one call may wait between its tries, all in all, in ms; default 30 s. */
  readonly maxWaitMs?: number | undefined;
  /** Whether a request that got no answer is sent again as well, where that is safe; default true. */
  readonly retryConnections?: boolean | undefined;
  /** How long one try may take, its answer read to the end, in ms; default 60 s. */
  readonly timeoutMs?: number | undefined;
  /** Told before each wait. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  /** In the place of the global one: for a proxy, or for tests. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Resolves after so many ms, or, at the latest then, when the signal aborts. For tests. */
  readonly sleep?: ((milliseconds: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
  /** From 0 to 1. For tests. */
  readonly random?: (() => number) | undefined;
}

export interface Retry {
  /** Why the last try failed. */
  readonly error: KshotApiError | KshotConnectionError;
  /** Tries that have been made. */
  readonly tries: number;
  readonly waitMs: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Gives the call up, waiting included; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** In the place of the client's. */
  readonly timeoutMs?: number | undefined;
}

/** A file to send; its content says what it is. */
export type FileContent = string | Uint8Array | Blob;

export interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Segments, not yet encoded. */
  readonly path: readonly string[];
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  /** In the place of `json`. */
  readonly file?: FileContent;
  /** Whether a POST may be sent twice without harm; the other methods always may. */
  readonly isRepeatable?: boolean;
  readonly options: CallOptions | undefined;
}

/**
 * Sends requests and reads answers. Every method throws KshotApiError, KshotConnectionError, KshotClientError for a name that
 * cannot stand in an address, and the signal's reason.
 */
export class Transport {
  readonly #base: URL;
  readonly #options: KshotOptions;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws KshotClientError if the address is none, or the key cannot be sent. */
  constructor(options: KshotOptions) {
    this.#base = baseOf(options.url);
    this.#options = options;
    this.#headers = { accept: 'application/json', ...authorisation(options.apiKey) };
  }

  /** Where requests go, without a slash at the end. */
  get url(): string {
    return this.#base.href.replace(/\/$/, '');
  }

  /** The answer's text, as it is. */
  async text(call: Call): Promise<string> {
    return (await this.#answer(call)).text;
  }

  /** The answer's JSON, taken to be what the API documents. */
  async json<T>(call: Call): Promise<T> {
    return jsonIn(await this.#answer(call), this.url) as T;
  }

  /** One member of the answer's JSON: a list, mostly. */
  async member<T>(name: string, call: Call): Promise<T> {
    return memberOf(await this.#answer(call), this.url, name) as T;
  }

  /** Waits as between two tries. @throws the signal's reason. */
  async sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    await (this.#options.sleep ?? sleep)(milliseconds, signal);
    signal?.throwIfAborted();
  }

  async #answer(call: Call): Promise<Answer> {
    const {
      retries = DEFAULT_RETRIES,
      maxWaitMs = DEFAULT_MAX_WAIT_MS,
      random = Math.random,
    } = this.#options;
    const signal = call.options?.signal;
    let waited = 0;
    for (let tries = 1; ; tries++) {
      try {
        return await this.once(call);
      } catch (error) {
        if (tries > retries || !this.#mayBeRetried(error, call)) throw error;
        const wait = waitMs(error, tries, random);
        waited += wait;
        if (waited > maxWaitMs) throw error;
        this.#options.onRetry?.({ error, tries, waitMs: wait });
        await this.sleep(wait, signal);
      }
    }
  }

  #mayBeRetried(error: unknown, call: Call): error is KshotApiError | KshotConnectionError {
    const { retryConnections = true } = this.#options;
    const isRepeatable = call.method !== 'POST' || call.isRepeatable === true;
    return (retryConnections || error instanceof KshotApiError) && mayBeRetried(error, isRepeatable);
  }

  /** One try. */
  async once({ method, path, query = {}, json, file, options }: Call): Promise<Answer> {
    const url = new URL(path.map(segment).join('/'), this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { fetch = globalThis.fetch, timeoutMs: usual = DEFAULT_TIMEOUT_MS } = this.#options;
    const { signal, timeoutMs = usual } = options ?? {};
    signal?.throwIfAborted();
    const deadline = new Deadline(timeoutMs, signal);
    try {
      const response = await fetch(url, {
        method,
        headers: { ...this.#headers, ...contentType(json, file) },
        body: bodyOf(json, file),
        signal: deadline.signal,
      });
      const { ok, status, headers } = response;
      const answer = { status, headers, text: await response.text() };
      if (!ok) throw refusalOf(answer, this.url);
      return answer;
    } catch (error) {
      if (error instanceof KshotClientError) throw error;
      signal?.throwIfAborted();
      const cause = { cause: error };
      if (deadline.hasPassed) {
        throw new KshotTimeoutError(`${this.url} has not answered within ${timeoutMs / 1000} s`, cause);
      }
      throw new KshotConnectionError(`no answer from ${this.url} (${networkReason(error)})`, cause);
    } finally {
      deadline.end();
    }
  }
}

/** Aborts after a time, or with another signal, and leaves nothing behind on that one, which may live for long. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #with: AbortSignal | undefined;
  readonly #abort = () => {
    this.#controller.abort();
  };
  hasPassed = false;

  constructor(milliseconds: number, signal: AbortSignal | undefined) {
    this.#with = signal;
    signal?.addEventListener('abort', this.#abort);
    this.#timer = setTimeout(() => {
      this.hasPassed = true;
      this.#abort();
    }, milliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#with?.removeEventListener('abort', this.#abort);
  }
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal?.addEventListener('abort', wake);
  });
}

function baseOf(url: string): URL {
  let base: URL;
  try {
    base = new URL(url.endsWith('/') ? url : `${url}/`);
  } catch (cause) {
    throw new KshotClientError(`"${url}" is no address; write it like http://127.0.0.1:8080`, { cause });
  }
  if (base.username !== '' || base.password !== '') {
    throw new KshotClientError('the address must not hold a user or password; give an API key');
  }
  if (base.protocol !== 'http:' && base.protocol !== 'https:') {
    throw new KshotClientError(`"${url}" must begin with http:// or https://`);
  }
  base.search = '';
  base.hash = '';
  return base;
}

/** Checked here: what fetch says of a header that it cannot send has the header in it. */
function authorisation(apiKey: string | undefined): Record<string, string> {
  if (apiKey === undefined || apiKey === '') return {};
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new KshotClientError(
      'the API key has characters that none has: blanks, line breaks, or beyond ASCII',
    );
  }
  return { authorization: `Bearer ${apiKey}` };
}

/** A path's segment. Dots alone would be taken for a folder above, however encoded. */
function segment(name: string): string {
  if (name === '' || name === '.' || name === '..') {
    throw new KshotClientError(`"${name}" cannot be a name`);
  }
  return encodeURIComponent(name);
}

function contentType(json: unknown, file: FileContent | undefined): Record<string, string> {
  if (file !== undefined) return { 'content-type': 'application/octet-stream' };
  return json === undefined ? {} : { 'content-type': 'application/json' };
}

function bodyOf(json: unknown, file: FileContent | undefined) {
  if (file === undefined) return json === undefined ? null : JSON.stringify(json);
  // fetch's own type leaves out views of shared memory, which it takes all the same.
  return file as Exclude<FileContent, Uint8Array> | Uint8Array<ArrayBuffer>;
}

/** What the network did, in words. */
function networkReason(error: unknown): string {
  // fetch of Node.js wraps what the socket says.
  const cause = isObject(error) && isObject(error['cause']) ? error['cause'] : error;
  if (!isObject(cause)) return String(cause);
  if (cause['code'] === 'ECONNREFUSED') return 'connection refused';
  return [cause['message'], cause['code'], cause['name']].find(isTold) ?? 'no reason given';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isTold(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
