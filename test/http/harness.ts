import type { Express } from 'express';
import { pino, type Logger } from 'pino';
import request from 'supertest';
import { createApp, type AppOptions } from '../../src/http/app.js';
import { JOB_RESPONSES } from '../../src/http/jobSchemas.js';
import { KEY_RESPONSES } from '../../src/http/keySchemas.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { Metrics } from '../../src/http/metrics.js';
import type { OpenApiDocument } from '../../src/http/openapi.js';
import { RESPONSES } from '../../src/http/schemas.js';
import { VERSION_RESPONSES } from '../../src/http/versionSchemas.js';
import { openJobs } from '../../src/jobs/openJobs.js';
import { Keyring, type SettingsKeys } from '../../src/keys/keyring.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { MemoryKeyStore } from '../keys/memoryKeyStore.js';
import { FakeService } from './fakeService.js';

const warn = (message: string, error: unknown): never => {
  throw new Error(`${message}: ${String(error)}`);
};
/** Of a store that has none. */
const NO_JOBS = await openJobs(await openSqliteStore(':memory:'), undefined, { warn });

export const LIMITS = {
  maxTexts: 100,
  maxTextChars: 1000,
  maxExamplesPerIntent: 50,
  maxExamplesPerWrite: 80,
  maxBodyBytes: 262_144,
  maxImportBytes: 524_288,
};

export interface Harness {
  readonly app: Express;
  readonly service: FakeService;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** The lines that were logged. */
  readonly lines: Record<string, unknown>[];
  readonly options: AppOptions;
  /** Sends a request and checks that its answer is one that the OpenAPI document announces. */
  send(method: Method, path: string, options?: SendOptions): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly text: string;
}

export type Method = 'get' | 'post' | 'put' | 'delete' | 'patch' | 'head' | 'options';

export interface SendOptions {
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

type Changes = Partial<Omit<AppOptions, 'keys'>> & {
  /** Of the settings. */
  readonly keys?: SettingsKeys;
  /** Of the keyring: Unix time in ms. */
  readonly now?: () => number;
};

export function harness({ keys, now, ...changes }: Changes = {}): Harness {
  const service = new FakeService();
  const lifecycle = changes.lifecycle ?? Lifecycle.of(service);
  const metrics = new Metrics();
  const lines: Record<string, unknown>[] = [];
  const options: AppOptions = {
    lifecycle,
    jobs: NO_JOBS,
    limits: LIMITS,
    keys: new Keyring({
      settings: keys ?? { readWrite: [], readOnly: [] },
      store: new MemoryKeyStore(),
      warn: (message) => lines.push({ message }),
      ...(now && { now }),
    }),
    logTexts: false,
    log: recordingLogger(lines),
    metrics,
    version: '1.2.3',
    ...changes,
  };
  const app = createApp(options);
  return {
    app,
    service,
    lifecycle,
    metrics,
    lines,
    options,
    async send(method, path, { body, headers = {} } = {}) {
      const document = await documentOf(app, options);
      const sent = request(app)[method](path).redirects(0).set(headers);
      if (body !== undefined && headers['content-type'] === undefined)
        void sent.set('content-type', 'application/json');
      const response: Answer = await (body === undefined
        ? sent
        : sent.send(typeof body === 'string' ? body : JSON.stringify(body)));
      checkAnswer(document, method, path, response);
      return response;
    },
  };
}

/** What servers of the same options announce, once for each: to make it takes longer than most tests. */
const DOCUMENTS = new Map<string, Promise<OpenApiDocument>>();

function documentOf(
  app: Express,
  { keys, limits, isWorker, console, version }: AppOptions,
): Promise<OpenApiDocument> {
  const key = JSON.stringify([keys.enabled, limits, isWorker, console, version]);
  const known = DOCUMENTS.get(key);
  if (known !== undefined) return known;
  const document = request(app)
    .get('/openapi.json')
    .then(({ body }) => body as OpenApiDocument);
  DOCUMENTS.set(key, document);
  return document;
}

function recordingLogger(lines: Record<string, unknown>[]): Logger {
  return pino(
    { level: 'debug' },
    { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
}

/** Throws where an answer is none that the document announces for the operation, or its body is not of the schema. */
function checkAnswer(document: OpenApiDocument, method: Method, path: string, response: Answer): void {
  if (response.headers['x-request-id'] === undefined) throw new Error('The answer has no x-request-id');
  if (method === 'head' || method === 'options') return;
  const operation = operationAt(document, method, path);
  if (response.status === 404 || response.status === 405) {
    RESPONSES.Problem.parse(response.body);
    if (operation === undefined) return;
  }
  const announced = operation?.responses[response.status];
  if (announced === undefined) {
    throw new Error(`${method} ${path} answers ${response.status}, which is not announced: ${response.text}`);
  }
  const { content = {} } = announced;
  const type = String(response.headers['content-type']).split(';')[0] ?? '';
  const schema = content[type]?.schema;
  if (schema === undefined) throw new Error(`${method} ${path} answers ${type}, which is not announced`);
  const references = [schema, ...((schema['anyOf'] ?? []) as (typeof schema)[])].map((one) => one['$ref']);
  const names = references
    .filter((reference) => typeof reference === 'string')
    .map((ref) => ref.split('/').at(-1));
  if (names.length === 0) return;
  const { code } = response.body as { code?: string };
  if (code !== undefined && !announced.description.includes(`\`${code}\``)) {
    throw new Error(`${method} ${path} answers the code ${code}, which is not announced`);
  }
  const schemas = { ...RESPONSES, ...VERSION_RESPONSES, ...KEY_RESPONSES, ...JOB_RESPONSES };
  const fits = names.some((name) => schemas[name as keyof typeof schemas].safeParse(response.body).success);
  if (!fits) throw new Error(`${method} ${path} answers what is no ${names.join(' or ')}: ${response.text}`);
}

function operationAt(document: OpenApiDocument, method: Method, path: string) {
  const [pathname = ''] = path.split('?');
  const templates = Object.keys(document.paths).filter((template) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  return document.paths[templates[0] ?? '']?.[method];
}
