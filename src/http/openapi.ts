import { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { KeyPlaces } from './auth.js';
import type { Operation } from './operation.js';
import { PROBLEMS, type ProblemCode } from './problem.js';
import { RESPONSES, type RequestSchemas } from './schemas.js';

/** A JSON Schema, or a reference to one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

/** By content type. */
export type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}

export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

/** What of OpenAPI 3.1 is used here. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Readonly<Record<string, unknown>> & {
    readonly description: string;
    readonly version: string;
  };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes?: Readonly<Record<string, JsonSchema>>;
  };
}

export interface DocumentSource {
  readonly operations: readonly Operation[];
  readonly requests: RequestSchemas;
  readonly version: string;
  /** Whether the server has API keys: without any, no operation answers 401 or 403. */
  readonly authRequired: boolean;
}

const TAGS = [
  { name: 'classify', description: 'What a text means' },
  { name: 'bots', description: 'Bots and their settings' },
  { name: 'intents', description: 'What a bot can tell apart' },
  { name: 'examples', description: 'Support sets, and texts that are out of scope' },
  { name: 'unlabelled', description: 'Texts whose intent is not known, and which to label next' },
  { name: 'evaluations', description: 'How good a bot is, measured' },
  { name: 'jobs', description: 'What is done in the background, by whichever process takes it' },
  { name: 'versions', description: 'Bots as they were, under names, and the aliases that point at them' },
  { name: 'files', description: 'Bots from files, and as files' },
  { name: 'heads', description: 'How texts are scored against examples' },
  { name: 'keys', description: 'Who may do what, and how often' },
  { name: 'drop-in', description: 'For clients of other services: requests and answers are theirs' },
  { name: 'server', description: 'Health, metrics and these pages' },
];

const DESCRIPTION = [
  'Few-shot intent classification: a handful of examples makes an intent, live on the next request.',
  'Every error is an application/problem+json (RFC 9457) with a stable `code`. A path that exists answers a method that ' +
    'it does not know with 405 and Allow, an unknown path is 404.',
  'A caller may send x-request-id or traceparent; the id that the log has is returned as x-request-id.',
].join('\n\n');

const REF = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** The OpenAPI 3.1 document of a route table; every schema in it comes from zod. */
export function openApiDocument(source: DocumentSource): OpenApiDocument {
  const names = new Map<z.ZodType, string>();
  const requests = { ...source.requests, ...ownSchemas(source.operations, 'request') };
  const responses = { ...RESPONSES, ...ownSchemas(source.operations, 'response') };
  for (const [name, schema] of Object.entries({ ...requests, ...responses })) names.set(schema, name);

  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const operation of source.operations) {
    (paths[operation.path] ??= {})[operation.method] = describe(operation, names, source.authRequired);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'kshot',
      version: source.version,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: TAGS,
    paths,
    components: {
      schemas: { ...componentsOf(requests, 'input'), ...componentsOf(responses, 'output') },
      ...(source.authRequired && {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          ...Object.fromEntries(
            source.operations.flatMap(({ keyPlaces }) => Object.entries(keySchemes(keyPlaces))),
          ),
        },
      }),
    },
  };
}

function describe(
  operation: Operation,
  names: ReadonlyMap<z.ZodType, string>,
  authRequired: boolean,
): OpenApiOperation {
  const ref = (schema: z.ZodType) => {
    const name = names.get(schema);
    if (name === undefined) throw new TypeError(`${operation.id} uses a schema that has no name`);
    return REF(name);
  };
  const responses: Record<string, OpenApiResponse> = {};
  for (const [status, { description, schemas, type, types }] of Object.entries(operation.success)) {
    const refs = (schemas ?? []).map(ref);
    const [first] = refs;
    const schema = first === undefined ? (type === 'application/json' ? {} : { type: 'string' }) : first;
    responses[status] = {
      description,
      headers: { 'x-request-id': { schema: { type: 'string' } } },
      content: Object.fromEntries(
        (types ?? [type ?? 'application/json']).map((one) => [
          one,
          { schema: types !== undefined ? {} : refs.length > 1 ? { anyOf: refs } : schema },
        ]),
      ),
    };
  }
  const codes = problemsOf(operation, authRequired);
  for (const status of new Set(codes.map((code) => PROBLEMS[code].status))) {
    responses[status] = problemOf(
      status,
      codes.filter((code) => PROBLEMS[code].status === status),
      operation.errors && ref(operation.errors.schema),
    );
  }
  const parameters = [...parametersOf(operation.params, 'path'), ...parametersOf(operation.query, 'query')];
  return {
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    ...(authRequired &&
      operation.access !== 'open' && {
        security: ['bearer', 'apiKey', ...Object.keys(keySchemes(operation.keyPlaces))].map((name) => ({
          [name]: [],
        })),
      }),
    ...(parameters.length > 0 && { parameters }),
    ...(operation.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: ref(operation.body) } } },
    }),
    ...(operation.upload !== undefined && {
      requestBody: {
        required: true,
        content: Object.fromEntries(operation.upload.types.map((type) => [type, { schema: {} }])),
      },
    }),
    responses,
  };
}

/** All that can go wrong in an operation: what it says itself, and what follows from its place in the table. */
function problemsOf(operation: Operation, authRequired: boolean): ProblemCode[] {
  const codes: ProblemCode[] = ['header_too_large', 'internal_error', ...operation.problems];
  if (
    [operation.params, operation.query, operation.body, operation.upload].some((part) => part !== undefined)
  ) {
    codes.push('invalid_request');
  }
  if (authRequired && operation.access !== 'open') codes.push('unauthorized', 'forbidden', 'rate_limited');
  if (operation.body !== undefined || operation.upload !== undefined) {
    codes.push('request_timeout', 'body_too_large', 'unsupported_media_type');
  }
  if (operation.needsService) codes.push(...UNAVAILABLE);
  return [...new Set(codes)].sort((a, b) => PROBLEMS[a].status - PROBLEMS[b].status);
}

const UNAVAILABLE: readonly ErrorCode[] = [
  'overloaded',
  'not_ready',
  'store_unavailable',
  'encoder_unavailable',
];

/** @param schema of an error that is said in another way. */
function problemOf(
  status: number,
  codes: readonly ProblemCode[],
  schema: JsonSchema | undefined,
): OpenApiResponse {
  const string = { schema: { type: 'string' } };
  return {
    description: codes.map((code) => `${PROBLEMS[code].title} (\`${code}\`)`).join('; '),
    headers: {
      'x-request-id': string,
      ...(status === 401 && { 'www-authenticate': string }),
      ...((status === 503 || status === 429) && {
        'retry-after': { description: 'Seconds', schema: { type: 'integer', minimum: 1 } },
      }),
    },
    content:
      schema === undefined
        ? { 'application/problem+json': { schema: REF('Problem') } }
        : { 'application/json': { schema } },
  };
}

/** The places of a key that OpenAPI knows, by name; of one in the body the operation's description tells. */
function keySchemes({ header, query }: KeyPlaces = {}): Record<string, JsonSchema> {
  const scheme = (place: 'header' | 'query', name: string) => ({
    [`${place}-${name}`]: { type: 'apiKey', in: place, name },
  });
  return {
    ...(header !== undefined && scheme('header', header)),
    ...(query !== undefined && scheme('query', query)),
  };
}

function ownSchemas(
  operations: readonly Operation[],
  kind: 'request' | 'response',
): Record<string, z.ZodType> {
  return Object.fromEntries(operations.flatMap(({ ownSchemas }) => Object.entries(ownSchemas?.[kind] ?? {})));
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Parameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as Record<string, unknown>;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(typeof description === 'string' && { description }),
      schema: rest,
    };
  });
}

function componentsOf(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const converted = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(converted.schemas).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [
      name,
      // `id` names a schema in zod; in JSON Schema it has no meaning.
      Object.fromEntries(Object.entries(schema).filter(([key]) => key !== 'id')),
    ]),
  );
}
