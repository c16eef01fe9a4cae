import { expect, test } from '@jest/globals';
import type { OpenApiDocument } from '../../../src/http/openapi.js';
import { harness } from '../harness.js';
import { KEYS } from './recorded.js';

test('the OpenAPI document has the operations as a group, with their schemas, keys and errors', async () => {
  const { paths, components, tags } = (await harness({ keys: KEYS }).send('get', '/openapi.json'))
    .body as OpenApiDocument;
  expect(tags.map(({ name }) => name)).toContain('drop-in');
  const rasa = paths['/rasa/{bot}/model/parse']?.['post'];
  const clu = paths['/language/:analyze-conversations']?.['post'];
  const cohere = paths['/v1/classify']?.['post'];
  expect([rasa?.tags, clu?.tags, cohere?.tags]).toEqual([['drop-in'], ['drop-in'], ['drop-in']]);
  expect(clu?.parameters).toMatchObject([{ name: 'api-version', in: 'query', required: true }]);
  expect(clu?.responses['404']?.content).toEqual({
    'application/json': { schema: { $ref: '#/components/schemas/AzureError' } },
  });
  expect(cohere?.responses['400']?.content).toEqual({
    'application/json': { schema: { $ref: '#/components/schemas/CohereError' } },
  });
  expect(rasa?.security).toEqual([{ bearer: [] }, { apiKey: [] }, { 'query-token': [] }]);
  expect(components.securitySchemes).toMatchObject({
    'query-token': { type: 'apiKey', in: 'query', name: 'token' },
    'header-Ocp-Apim-Subscription-Key': { in: 'header', name: 'Ocp-Apim-Subscription-Key' },
  });
  expect(components.schemas['RasaParseRequest']).toMatchObject({ required: ['text'] });
  expect(components.schemas['CohereClassifyRequest']).toMatchObject({
    required: ['inputs', 'examples'],
    properties: { inputs: { type: 'array', maxItems: 96 }, examples: { minItems: 2, maxItems: 80 } },
  });
});

test('the page has commands for them that work', async () => {
  const { text } = await harness().send('get', '/docs');
  expect(text).toContain('http://127.0.0.1:8080/rasa/bank/model/parse');
  expect(text).toContain('/language/:analyze-conversations?api-version=2023-04-01&#39;');
  expect(text).toContain('http://127.0.0.1:8080/v1/classify');
});
