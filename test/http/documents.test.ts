import { beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { OpenApiDocument } from '../../src/http/openapi.js';
import { harness, type Answer } from './harness.js';

const KEYS = { readWrite: ['writer-key-0123456789'], readOnly: [] };

describe('the OpenAPI document', () => {
  let document: OpenApiDocument;
  beforeAll(async () => {
    document = (await harness({ keys: KEYS }).send('get', '/openapi.json')).body as OpenApiDocument;
  });

  test('names every operation', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(operations).toEqual([
      'POST /v1/bots/{bot}/classify',
      'GET /v1/bots',
      'GET /v1/bots/{bot}',
      'PUT /v1/bots/{bot}',
      'DELETE /v1/bots/{bot}',
      'GET /v1/bots/{bot}/intents',
      'PUT /v1/bots/{bot}/intents',
      'GET /v1/bots/{bot}/intents/{intent}',
      'PUT /v1/bots/{bot}/intents/{intent}',
      'DELETE /v1/bots/{bot}/intents/{intent}',
      'POST /v1/bots/{bot}/intents/{intent}/examples',
      'DELETE /v1/bots/{bot}/intents/{intent}/examples/{id}',
      'PUT /v1/bots/{bot}/intents/{intent}/examples/{id}',
      'GET /v1/bots/{bot}/counterexamples',
      'PUT /v1/bots/{bot}/counterexamples',
      'POST /v1/bots/{bot}/counterexamples',
      'POST /v1/bots/{bot}/intents/{intent}/rename',
      'DELETE /v1/bots/{bot}/counterexamples/{id}',
      'POST /v1/bots/{bot}/unlabelled',
      'GET /v1/bots/{bot}/unlabelled',
      'DELETE /v1/bots/{bot}/unlabelled',
      'DELETE /v1/bots/{bot}/unlabelled/{id}',
      'POST /v1/bots/{bot}/unlabelled/{id}/label',
      'GET /v1/bots/{bot}/suggestions',
      'GET /v1/bots/{bot}/checks',
      'GET /v1/bots/{bot}/map',
      'POST /v1/bots/{bot}/evaluations/cross-validation',
      'POST /v1/bots/{bot}/evaluations/test-set',
      'GET /v1/bots/{bot}/evaluations',
      'GET /v1/bots/{bot}/evaluations/{id}',
      'DELETE /v1/bots/{bot}/evaluations/{id}',
      'GET /v1/bots/{bot}/evaluations/{id}/comparison',
      'GET /v1/bots/{bot}/versions',
      'PUT /v1/bots/{bot}/versions/{version}',
      'GET /v1/bots/{bot}/versions/{version}',
      'DELETE /v1/bots/{bot}/versions/{version}',
      'GET /v1/bots/{bot}/versions/{version}/changes',
      'POST /v1/bots/{bot}/versions/{version}/restore',
      'GET /v1/bots/{bot}/aliases',
      'PUT /v1/bots/{bot}/aliases/{alias}',
      'DELETE /v1/bots/{bot}/aliases/{alias}',
      'POST /v1/bots/{bot}/aliases/{alias}/rollback',
      'POST /v1/bots/{bot}/import',
      'GET /v1/bots/{bot}/export',
      'GET /v1/heads',
      'POST /v1/heads/reload',
      'POST /rasa/{bot}/model/parse',
      'POST /language/:analyze-conversations',
      'POST /v1/classify',
      'POST /v1/jobs',
      'GET /v1/jobs',
      'GET /v1/jobs/{id}',
      'DELETE /v1/jobs/{id}',
      'GET /v1/keys',
      'POST /v1/keys',
      'DELETE /v1/keys/{id}',
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
      'GET /openapi.json',
      'GET /docs',
      'GET /',
    ]);
  });

  test('has statuses that follow from what an operation needs', () => {
    const statuses = (path: string, method: string) =>
      Object.keys(document.paths[path]?.[method]?.responses ?? {});
    expect(statuses('/v1/bots/{bot}/classify', 'post')).toEqual([
      '200', '400', '401', '403', '404', '408', '413', '415', '429', '431', '500', '503',
    ]); // prettier-ignore
    expect(statuses('/v1/bots/{bot}', 'put')).toEqual([
      '200', '201', '400', '401', '403', '408', '409', '413', '415', '429', '431', '500', '503',
    ]); // prettier-ignore
    expect(statuses('/v1/bots', 'get')).toEqual([
      '200', '400', '401', '403', '429', '431', '500', '503',
    ]); // prettier-ignore
    expect(statuses('/healthz', 'get')).toEqual(['200', '431', '500']);
  });

  test('has the schemas and limits that requests are held to', () => {
    const { schemas } = document.components;
    expect(schemas['ClassifyRequest']).toMatchObject({
      type: 'object',
      additionalProperties: false,
      oneOf: [{ required: ['text'] }, { required: ['texts'] }],
      properties: {
        text: { type: 'string', minLength: 1, maxLength: 1000 },
        texts: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', maxLength: 1000 } },
        top: { type: 'integer', minimum: 1, maximum: 1000 },
      },
    });
    expect(schemas['PutIntentRequest']).toMatchObject({
      required: ['examples'],
      additionalProperties: false,
    });
    expect(schemas['Bot']).toMatchObject({
      properties: { settings: { $ref: '#/components/schemas/BotSettings' } },
    });
    expect(document.paths['/v1/bots/{bot}/intents/{intent}/examples/{id}']?.['delete']?.parameters).toEqual([
      expect.objectContaining({ name: 'bot', in: 'path', required: true }),
      expect.objectContaining({ name: 'intent', in: 'path', required: true }),
      {
        name: 'id',
        in: 'path',
        required: true,
        schema: { type: 'integer', minimum: 0, maximum: 2 ** 53 - 1 },
      },
    ]);
    expect(document.paths['/v1/bots/{bot}/intents']?.['get']?.parameters).toContainEqual(
      expect.objectContaining({ name: 'examples', in: 'query', required: false }),
    );
  });

  test('holds no reference that leads nowhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) {
      const target = reference
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
      expect(target).toBeDefined();
    }
  });

  test('holds patterns that compile', () => {
    for (const match of JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)) {
      expect(() => new RegExp(JSON.parse(match[1] ?? '') as string, 'u')).not.toThrow();
    }
  });
});

describe('the page', () => {
  let page: Answer;
  beforeAll(async () => {
    page = await harness({ keys: KEYS }).send('get', '/docs');
  });

  test('shows every operation, with a command to try it', () => {
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    for (const id of ['classify', 'putIntent', 'removeExample', 'readiness'])
      expect(page.text).toContain(`id="${id}"`);
    expect(page.text).toContain('http://127.0.0.1:8080/v1/bots/bank/classify');
    expect(page.text).toContain('someone stole my credit card');
    expect(page.text).toContain('http://127.0.0.1:8080/v1/bots/bank/intents/card_lost/examples/1');
  });

  test('loads nothing and runs nothing', () => {
    expect(page.text).not.toMatch(/<script|<link|<img|<iframe|@import|url\(/i);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//i);
  });

  test('has its one style sheet allowed by hash', () => {
    const style = /<style>([^]*)<\/style>/.exec(page.text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(page.headers['content-security-policy']).toContain(`'sha256-${hash}'`);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('has a place for what every problem type points to', async () => {
    const { body } = await harness().send('get', '/v1/bots/none');
    const [path, anchor] = (body as { type: string }).type.split('#');
    expect(path).toBe('/docs');
    expect(page.text).toContain(`id="${anchor}"`);
  });

  test('is where the root leads', async () => {
    expect(await harness().send('get', '/')).toMatchObject({ status: 302, headers: { location: '/docs' } });
  });
});
