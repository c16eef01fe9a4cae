import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KshotError } from '../../../src/errors.js';
import { KEYS, listening, READER, type Listening, type Recorded } from './recorded.js';

/** As version 1.1.0 of Azure's Python client sends it. */
function recorded(text: string, changes: { project?: string; key?: string; path?: string } = {}): Recorded {
  const { project = 'bank', key = READER } = changes;
  return {
    path: changes.path ?? '/language/:analyze-conversations?api-version=2023-04-01',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'x-ms-client-request-id': '7c1b9d0e-c73f-11f0-9d5c-0242ac110002',
      'user-agent':
        'azsdk-python-ai-language-conversations/1.1.0 Python/3.11.2 (Linux-6.1.0-x86_64-with-glibc2.36)',
      'ocp-apim-subscription-key': key,
    },
    body: {
      kind: 'Conversation',
      analysisInput: {
        conversationItem: { participantId: '1', id: '1', modality: 'text', language: 'en', text },
        isLoggingEnabled: false,
      },
      parameters: { projectName: project, deploymentName: 'production', verbose: true },
    },
  };
}

let server: Listening;
beforeEach(async () => {
  server = await listening({ keys: KEYS });
});
afterEach(() => server.close());

test('a text is answered as Azure does', async () => {
  expect(await server.post(recorded('i lost my card'))).toMatchObject({
    status: 200,
    body: {
      kind: 'ConversationResult',
      result: {
        query: 'i lost my card',
        prediction: {
          topIntent: 'card_lost',
          projectKind: 'Conversation',
          intents: [
            { category: 'card_lost', confidenceScore: 0.9 },
            { category: 'balance', confidenceScore: 0.1 },
          ],
          entities: [],
        },
      },
    },
  });
});

test('None is put before the others when the text is out of scope', async () => {
  const { body } = await server.post(recorded('is it raining'));
  expect(body).toMatchObject({
    result: {
      prediction: {
        topIntent: 'None',
        intents: [
          { category: 'None', confidenceScore: 0.9 },
          { category: 'card_lost', confidenceScore: 0.01 },
          { category: 'balance', confidenceScore: 0.01 },
        ],
      },
    },
  });
});

test('an intent None of the bot is not listed twice', async () => {
  await server.service.putIntents('bank', [{ name: 'None', examples: ['what is love'] }]);
  const { body } = await server.post(recorded('is it raining'));
  const { intents } = (body as { result: { prediction: { intents: { category: string }[] } } }).result
    .prediction;
  expect(intents.map(({ category }) => category)).toEqual(['None', 'card_lost', 'balance']);
});

test('a version or alias answers that has the name of the deployment', async () => {
  const { service } = server;
  const topIntent = async () => {
    const { body } = await server.post(recorded('i lost my card'));
    return (body as { result: { prediction: { topIntent: string } } }).result.prediction.topIntent;
  };
  await service.saveVersion('bank', 'v1', null);
  await service.deleteIntent('bank', 'card_lost');
  expect(await topIntent()).toBe('None');
  await service.putAlias('bank', 'production', 'v1');
  expect(await topIntent()).toBe('card_lost');
});

describe('errors are in the shape of Azure', () => {
  const { body } = recorded('x') as { body: Record<string, unknown> };

  test.each([
    ['a wrong key', recorded('x', { key: 'wrong-key-0123456789' }), 401, 'Unauthorized'],
    ['a project that is not there', recorded('x', { project: 'shop' }), 404, 'ProjectNotFound'],
    ['no text', recorded(''), 400, 'InvalidArgument'],
    ['no version', recorded('x', { path: '/language/:analyze-conversations' }), 400, 'InvalidArgument'],
    ['another kind', { ...recorded('x'), body: { ...body, kind: 'Conversational' } }, 400, 'InvalidArgument'],
    ['no JSON', { ...recorded('x'), body: '{' }, 400, 'InvalidArgument'],
    [
      'another type',
      { ...recorded('x'), headers: { 'api-key': '', 'x-api-key': READER } },
      415,
      'InvalidRequest',
    ],
  ])('%s', async (_, request, status, code) => {
    const answer = await server.post(request);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-ms-error-code': code });
    expect(answer.body).toMatchObject({ error: { code, message: expect.any(String) } });
    expect(Object.keys(answer.body as object)).toEqual(['error']);
  });

  test('the offending places are named', async () => {
    expect((await server.post(recorded(''))).body).toMatchObject({
      error: { details: [{ target: 'analysisInput.conversationItem.text' }] },
    });
  });

  test('being busy says when to come back', async () => {
    server.service.beforeClassify = () =>
      Promise.reject(new KshotError('overloaded', 'Too many texts wait', { retryAfterMs: 3000 }));
    const answer = await server.post(recorded('x'));
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '3' },
      body: { error: { code: 'ServiceUnavailable' } },
    });
  });
});

test('the key is taken by no other operation, and not logged', async () => {
  const { headers } = recorded('x');
  const elsewhere = { path: '/v1/bots/bank/classify', headers, body: { text: 'x' } };
  expect((await server.post(elsewhere)).status).toBe(401);
  await server.post(recorded('x'));
  while (server.lines.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(JSON.stringify(server.lines)).not.toContain(READER);
});
