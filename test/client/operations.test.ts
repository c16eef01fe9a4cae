import { describe, expect, test } from '@jest/globals';
import type { Kshot } from '../../src/client/index.js';
import type { Operation } from '../../src/http/operation.js';
import { jobOperations } from '../../src/http/jobRoutes.js';
import { keyOperations } from '../../src/http/keyRoutes.js';
import { apiOperations } from '../../src/http/routes.js';
import { requestSchemas } from '../../src/http/schemas.js';
import { harness, LIMITS } from '../http/harness.js';
import { recording } from './recording.js';

interface Expected {
  readonly call: (kshot: Kshot) => Promise<unknown>;
  /** JSON, or a file as it is. */
  readonly body?: unknown;
  readonly query?: string;
  /** What the server answers, where an empty object would not do. */
  readonly answer?: object;
}

const FILE = 'intent,text\ncard,lost it\n';
const BOT = '/v1/bots/{bot}';

/** One call of each operation, by its row of the route table. */
const CALLS: Readonly<Record<string, Expected>> = {
  [`POST ${BOT}/classify`]: {
    call: (kshot) => kshot.classify('b', 'hello', { top: 2, explain: true, version: 'production' }),
    body: { text: 'hello', top: 2, explain: true, version: 'production' },
  },
  'GET /v1/bots': { call: (kshot) => kshot.bots.list(), answer: { bots: [] } },
  [`GET ${BOT}`]: { call: (kshot) => kshot.bots.get('b') },
  [`PUT ${BOT}`]: { call: (kshot) => kshot.bots.put('b', { threshold: 0.4 }), body: { threshold: 0.4 } },
  [`DELETE ${BOT}`]: { call: (kshot) => kshot.bots.delete('b') },

  [`GET ${BOT}/intents`]: {
    call: (kshot) => kshot.intents.list('b', { examples: true }),
    query: '?examples=true',
    answer: { intents: [] },
  },
  [`PUT ${BOT}/intents`]: {
    call: (kshot) => kshot.intents.putAll('b', [{ name: 'i', examples: ['x'] }]),
    body: { intents: [{ name: 'i', examples: ['x'] }] },
  },
  [`GET ${BOT}/intents/{intent}`]: { call: (kshot) => kshot.intents.get('b', 'i') },
  [`PUT ${BOT}/intents/{intent}`]: {
    call: (kshot) => kshot.intents.put('b', 'i', { examples: ['x'], description: null }),
    body: { examples: ['x'], description: null },
  },
  [`DELETE ${BOT}/intents/{intent}`]: { call: (kshot) => kshot.intents.delete('b', 'i') },
  [`POST ${BOT}/intents/{intent}/rename`]: {
    call: (kshot) => kshot.intents.rename('b', 'i', 'j'),
    body: { name: 'j' },
  },

  [`POST ${BOT}/intents/{intent}/examples`]: {
    call: (kshot) => kshot.examples.add('b', 'i', ['x']),
    body: { examples: ['x'] },
  },
  [`PUT ${BOT}/intents/{intent}/examples/{id}`]: {
    call: (kshot) => kshot.examples.edit('b', 'i', 7, { text: 'y', intent: 'j' }),
    body: { text: 'y', intent: 'j' },
  },
  [`DELETE ${BOT}/intents/{intent}/examples/{id}`]: { call: (kshot) => kshot.examples.delete('b', 'i', 7) },
  [`GET ${BOT}/counterexamples`]: {
    call: (kshot) => kshot.counterexamples.list('b'),
    answer: { examples: [] },
  },
  [`POST ${BOT}/counterexamples`]: {
    call: (kshot) => kshot.counterexamples.add('b', ['x']),
    body: { examples: ['x'] },
  },
  [`PUT ${BOT}/counterexamples`]: {
    call: (kshot) => kshot.counterexamples.putAll('b', ['x']),
    body: { examples: ['x'] },
  },
  [`DELETE ${BOT}/counterexamples/{id}`]: { call: (kshot) => kshot.counterexamples.delete('b', 7) },

  [`POST ${BOT}/unlabelled`]: { call: (kshot) => kshot.unlabelled.add('b', ['x']), body: { texts: ['x'] } },
  [`GET ${BOT}/unlabelled`]: {
    call: (kshot) => kshot.unlabelled.list('b', { limit: 5, after: 7 }),
    query: '?limit=5&after=7',
  },
  [`DELETE ${BOT}/unlabelled`]: { call: (kshot) => kshot.unlabelled.deleteAll('b') },
  [`DELETE ${BOT}/unlabelled/{id}`]: { call: (kshot) => kshot.unlabelled.delete('b', 7) },
  [`POST ${BOT}/unlabelled/{id}/label`]: {
    call: (kshot) => kshot.unlabelled.label('b', 7, 'i'),
    body: { intent: 'i' },
  },
  [`GET ${BOT}/suggestions`]: {
    call: (kshot) => kshot.suggest('b', { strategy: 'margin', limit: 3 }),
    query: '?strategy=margin&limit=3',
  },

  [`GET ${BOT}/checks`]: { call: (kshot) => kshot.check('b') },
  [`GET ${BOT}/map`]: { call: (kshot) => kshot.map('b') },
  [`POST ${BOT}/import`]: {
    call: (kshot) => kshot.import('b', FILE, { dryRun: true, prune: false, format: 'csv', language: 'de' }),
    query: '?format=csv&language=de&prune=false&dry_run=true',
    body: FILE,
  },
  [`GET ${BOT}/export`]: {
    call: (kshot) => kshot.export('b', { format: 'clu', language: 'de', version: 'v1' }),
    query: '?format=clu&language=de&version=v1',
  },
  'GET /v1/heads': { call: (kshot) => kshot.heads.list(), answer: { heads: [] } },
  'POST /v1/heads/reload': { call: (kshot) => kshot.heads.reload() },

  'POST /v1/jobs': {
    call: (kshot) => kshot.jobs.start({ kind: 'evaluation', bot: 'b' }),
    body: { kind: 'evaluation', bot: 'b' },
  },
  'GET /v1/jobs': {
    call: (kshot) => kshot.jobs.list({ kind: 'training', status: 'running' }),
    query: '?kind=training&status=running',
    answer: { jobs: [] },
  },
  'GET /v1/jobs/{id}': { call: (kshot) => kshot.jobs.get(7) },
  'DELETE /v1/jobs/{id}': { call: (kshot) => kshot.jobs.delete(7), answer: { outcome: 'cancelled' } },

  'GET /v1/keys': { call: (kshot) => kshot.keys.list(), answer: { keys: [] } },
  'POST /v1/keys': {
    call: (kshot) => kshot.keys.create({ name: 'chat', access: 'read', bots: ['b'], rate: 20 }),
    body: { name: 'chat', access: 'read', bots: ['b'], rate: 20 },
  },
  'DELETE /v1/keys/{id}': { call: (kshot) => kshot.keys.revoke(7) },

  [`GET ${BOT}/versions`]: { call: (kshot) => kshot.versions.list('b'), answer: { versions: [] } },
  [`PUT ${BOT}/versions/{version}`]: {
    call: (kshot) => kshot.versions.save('b', 'v1', { note: 'before the sale' }),
    body: { note: 'before the sale' },
  },
  [`GET ${BOT}/versions/{version}`]: { call: (kshot) => kshot.versions.get('b', 'v1') },
  [`DELETE ${BOT}/versions/{version}`]: { call: (kshot) => kshot.versions.delete('b', 'v1') },
  [`GET ${BOT}/versions/{version}/changes`]: {
    call: (kshot) => kshot.versions.changes('b', 'v1', { to: 'v2' }),
    query: '?to=v2',
  },
  [`POST ${BOT}/versions/{version}/restore`]: { call: (kshot) => kshot.versions.restore('b', 'v1') },
  [`GET ${BOT}/aliases`]: { call: (kshot) => kshot.aliases.list('b'), answer: { aliases: [] } },
  [`PUT ${BOT}/aliases/{alias}`]: {
    call: (kshot) => kshot.aliases.set('b', 'production', 'v1'),
    body: { version: 'v1' },
  },
  [`POST ${BOT}/aliases/{alias}/rollback`]: { call: (kshot) => kshot.aliases.rollback('b', 'production') },
  [`DELETE ${BOT}/aliases/{alias}`]: { call: (kshot) => kshot.aliases.delete('b', 'production') },

  [`POST ${BOT}/evaluations/cross-validation`]: {
    call: (kshot) =>
      kshot.evaluations.crossValidate('b', { folds: 3, seed: 1, name: 'monday', version: 'v1' }),
    body: { folds: 3, seed: 1, name: 'monday', version: 'v1' },
  },
  [`POST ${BOT}/evaluations/test-set`]: {
    call: (kshot) => kshot.evaluations.testSet('b', FILE, { name: 'monday', format: 'csv' }),
    query: '?name=monday&format=csv',
    body: FILE,
  },
  [`GET ${BOT}/evaluations`]: { call: (kshot) => kshot.evaluations.list('b'), answer: { evaluations: [] } },
  [`GET ${BOT}/evaluations/{id}`]: { call: (kshot) => kshot.evaluations.get('b', 7) },
  [`DELETE ${BOT}/evaluations/{id}`]: { call: (kshot) => kshot.evaluations.delete('b', 7) },
  [`GET ${BOT}/evaluations/{id}/comparison`]: {
    call: (kshot) => kshot.evaluations.compare('b', 7, { with: 6 }),
    query: '?with=6',
  },
};

const PARAMS: Readonly<Record<string, string>> = {
  bot: 'b',
  intent: 'i',
  id: '7',
  version: 'v1',
  alias: 'production',
};

const addressOf = (template: string) => template.replace(/\{(\w+)\}/g, (_, name: string) => PARAMS[name]!);
const keyOf = ({ method, path }: Operation) => `${method.toUpperCase()} ${path}`;
const bodyOf = (body: unknown): unknown =>
  body === FILE || body === undefined ? body : JSON.parse(body as string);

const operations = [
  ...apiOperations(requestSchemas(LIMITS), LIMITS, false),
  ...jobOperations(harness().options.jobs),
  ...keyOperations(harness().options.keys),
];

test('every operation of the API has a method of the client', () => {
  // Drop-in endpoints are for the clients that other services have.
  const own = operations.filter(({ tag }) => tag !== 'drop-in');
  expect(own.map(keyOf).filter((key) => CALLS[key] === undefined)).toEqual([]);
});

describe('the method for', () => {
  test.each(Object.entries(CALLS))(
    '%s sends just that',
    async (key, { call, body, query = '', answer = {} }) => {
      const { kshot, sent } = recording([Response.json(answer)]);
      await call(kshot);
      const [method, template] = key.split(' ') as [string, string];
      expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual([
        `${method} ${addressOf(template)}${query}`,
      ]);
      expect(bodyOf(sent[0]!.body)).toEqual(body);
      const type =
        body === undefined ? null : body === FILE ? 'application/octet-stream' : 'application/json';
      expect(sent[0]!.headers.get('content-type')).toBe(type);
    },
  );
});

test('what is left out is not sent', async () => {
  const { kshot, sent } = recording([
    Response.json({}),
    Response.json({ results: [] }),
    Response.json({ intents: [] }),
  ]);
  await kshot.classify('b', 'hello');
  await kshot.classify('b', ['hello', 'bye'], { version: undefined });
  await kshot.intents.list('b');
  await kshot.unlabelled.label('b', 7, null);
  await kshot.versions.save('b', 'v1');
  await kshot.evaluations.crossValidate('b');
  expect(sent.map(({ path, body }) => [path, bodyOf(body)])).toEqual([
    ['/v1/bots/b/classify', { text: 'hello' }],
    ['/v1/bots/b/classify', { texts: ['hello', 'bye'] }],
    ['/v1/bots/b/intents', undefined],
    ['/v1/bots/b/unlabelled/7/label', { out_of_scope: true }],
    ['/v1/bots/b/versions/v1', {}],
    ['/v1/bots/b/evaluations/cross-validation', {}],
  ]);
});
