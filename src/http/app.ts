import express, { type NextFunction, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { KshotError } from '../errors.js';
import type { Caller } from '../keys/caller.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Keyring } from '../keys/keyring.js';
import { Authoriser, keyIn, keyInBody } from './auth.js';
import { readFileBody, readJson } from './body.js';
import type { ImportLimits } from './botFile.js';
import { consoleRouter } from './console.js';
import { docsPage } from './docs.js';
import { Exchange, type Answer } from './exchange.js';
import { jobOperations } from './jobRoutes.js';
import { keyOperations } from './keyRoutes.js';
import type { Lifecycle } from './lifecycle.js';
import type { Metrics } from './metrics.js';
import { openApiDocument } from './openapi.js';
import type { Call, Operation } from './operation.js';
import { TransportError } from './problem.js';
import { RefusalLog } from './refusalLog.js';
import type { RequestTracer } from './requestTracer.js';
import { apiOperations } from './routes.js';
import { requestSchemas, type RequestLimits } from './schemas.js';
import { isOfWorkers, systemOperations } from './systemRoutes.js';
import { validate } from './validate.js';

export interface AppOptions {
  /** Gives the service, once there is one; `Lifecycle.of(service)` for one that is ready. */
  readonly lifecycle: Lifecycle;
  readonly limits: RequestLimits & ImportLimits & { readonly maxBodyBytes: number };
  readonly keys: Keyring;
  readonly jobs: Jobs;
  /** Whether only health and metrics are served. */
  readonly isWorker?: boolean;
  /** Whether classified texts may stand in the log. */
  readonly logTexts: boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The folder of the built console; undefined: none is served, and the root leads to the API's page. */
  readonly console?: string | undefined;
  /** Absent where requests are not traced. */
  readonly tracer?: RequestTracer | undefined;
  /** Of kshot. */
  readonly version: string;
}

type Locals = { exchange: Exchange };
type LocalResponse = Response<unknown, Locals>;

/** The Express application: the route table, and what every request has in common. */
export function createApp(options: AppOptions): express.Express {
  const { lifecycle, metrics, log } = options;
  const authoriser = new Authoriser(options.keys, metrics);
  const requests = requestSchemas(options.limits);
  metrics.watch(() => lifecycle.stats(), options.jobs);
  // The first key closes the server while it runs.
  const needsKey = () => authoriser.enabled;

  const all: Operation[] = [
    ...apiOperations(requests, options.limits, options.logTexts),
    ...jobOperations(options.jobs),
    ...keyOperations(options.keys),
    ...systemOperations(lifecycle, metrics, options.version, {
      openapi: remembered(needsKey, () => JSON.stringify(document())),
      docs: remembered(needsKey, () => docsPage(document())),
    }).filter(({ id }) => id !== 'root' || options.console === undefined),
  ];
  const operations = options.isWorker === true ? all.filter(isOfWorkers) : all;
  const document = remembered(needsKey, (authRequired) =>
    openApiDocument({ operations, requests, version: options.version, authRequired }),
  );

  // What is refused while the encoder has no room is refused first of all, before the key and the body are looked at: what a
  // refusal costs is taken from those that are answered.
  const encoding = operations
    .filter(({ encodes }) => encodes === true)
    .map((operation) => ({
      operation,
      method: operation.method.toUpperCase(),
      path: pathPattern(operation.path),
    }));

  const uploads = new Uploads();
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('strict routing').enable('case sensitive routing');

  const context = {
    log,
    refusals: new RefusalLog(log),
    metrics,
    tracer: options.tracer,
    isStopping: () => lifecycle.isStopping,
  };
  app.use((request: Request, response: LocalResponse, next: NextFunction) => {
    const exchange = new Exchange(request, response, context);
    response.locals.exchange = exchange;
    const refusal = lifecycle.refusal();
    const row =
      refusal && encoding.find((row) => row.method === request.method && row.path.test(request.path));
    if (row === undefined) {
      exchange.run(next);
      return;
    }
    exchange.serves(row.operation);
    exchange.fail(refusal);
  });

  for (const [path, rows] of groupByPath(operations)) {
    const route = app.route(expressPath(path));
    for (const row of rows) {
      route[row.method](async (request: Request, response: LocalResponse) => {
        const { exchange } = response.locals;
        exchange.serves(row);
        try {
          exchange.answer(await serve(row, request, exchange));
        } catch (error) {
          // Not left to Express, which on its way to the error handler looks at every path of the table.
          exchange.fail(error);
        }
      });
    }
    route.all((request: Request, response: LocalResponse) => {
      response.locals.exchange.route = path;
      refuseMethod(request, response.locals.exchange, rows);
    });
  }
  if (options.console !== undefined) app.use(consoleRouter(options.console));
  app.use(() => {
    throw new TransportError('not_found', 'There is nothing at this path; GET /docs lists what there is');
  });
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: LocalResponse, _next: NextFunction) => {
    response.locals.exchange.fail(fromExpress(error));
  });
  return app;

  /** @param read the JSON, where it has been read already. */
  async function bodyOf(
    row: Operation,
    request: Request,
    read: unknown,
  ): Promise<Pick<Call, 'body' | 'bytes'>> {
    const { body, upload } = row;
    if (upload !== undefined) return { body: undefined, bytes: await readFileBody(request, upload) };
    const bytes = new Uint8Array();
    if (body === undefined) return { body, bytes };
    const json = read ?? (await readJson(request, options.limits.maxBodyBytes));
    return { body: validate(body, json, 'body'), bytes };
  }

  /** @throws KshotError where the caller may not come in; the log says who it was. */
  function admit(row: Operation, key: string | undefined, exchange: Exchange): Caller {
    const caller = authoriser.identify(row.access, key);
    if (caller.id !== undefined) exchange.note({ key: caller.id });
    authoriser.admit(row, caller);
    return caller;
  }

  async function serve(row: Operation, request: Request, exchange: Exchange): Promise<Answer> {
    const key = keyIn(request, row.keyPlaces);
    const keyField = authoriser.enabled && key === undefined ? row.keyPlaces?.body : undefined;
    let caller = keyField === undefined ? admit(row, key, exchange) : undefined;
    // Taken here, so that a shutdown which begins while the body arrives does not turn an accepted request away.
    const service = row.needsService ? lifecycle.service : undefined;
    const read = keyField === undefined ? undefined : await readJson(request, options.limits.maxBodyBytes);
    caller ??= admit(row, keyField && keyInBody(read, keyField), exchange);
    const params = row.params && validate(row.params, request.params, 'path');
    authoriser.checkPath(row, params, caller);
    const query = row.query && validate(row.query, request.query, 'query');
    const place = row.upload && uploads.take();
    try {
      const parts = await bodyOf(row, request, read);
      authoriser.checkBody(row, parts.body, caller);
      return await row.run({
        params,
        query,
        ...parts,
        caller,
        get service() {
          return service ?? lifecycle.service;
        },
        get signal() {
          return exchange.signal;
        },
        note: (fields) => {
          exchange.note(fields);
        },
      });
    } finally {
      place?.leave();
    }
  }
}

/** Files that are being received, read or written at one time: each is held in memory, and has a thread that reads it. */
const MAX_UPLOADS = 2;

class Uploads {
  #count = 0;

  /** @throws KshotError `overloaded` while there are enough. */
  take(): { leave(): void } {
    if (this.#count >= MAX_UPLOADS) {
      throw new KshotError('overloaded', 'Other files are being imported; send this one again in a while', {
        retryAfterMs: 2000,
      });
    }
    this.#count++;
    return {
      leave: () => {
        this.#count--;
      },
    };
  }
}

function refuseMethod(request: Request, exchange: Exchange, rows: readonly Operation[]): void {
  const methods = new Set(rows.map((row) => row.method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  const allow = [...methods, 'OPTIONS'].join(', ');
  if (request.method === 'OPTIONS') {
    exchange.answer({ status: 200, text: { type: 'text/plain', content: '' }, headers: { allow } });
    return;
  }
  throw new TransportError('method_not_allowed', `This path answers ${allow}`, { allow });
}

/** What Express itself throws: an address that cannot be decoded. */
function fromExpress(error: unknown): unknown {
  if (error instanceof URIError)
    return new KshotError('invalid_request', 'The path holds broken percent-encoding');
  return error;
}

/** A path of the table as Express writes it, to which a colon is the beginning of a parameter. */
function expressPath(path: string): string {
  return path.replaceAll(':', '\\:').replace(/\{(\w+)\}/g, ':$1');
}

/** Matches what `expressPath` does. */
function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`);
}

function groupByPath(operations: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const row of operations) groups.set(row.path, [...(groups.get(row.path) ?? []), row]);
  return groups;
}

/** What was made last, until what it was made of is another. */
function remembered<K, T>(key: () => K, make: (key: K) => T): () => T {
  let made: { readonly key: K; readonly value: T } | undefined;
  return () => {
    const present = key();
    if (made === undefined || made.key !== present) made = { key: present, value: make(present) };
    return made.value;
  };
}
