import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KEYS, listening, READER, type Listening, type Recorded } from './recorded.js';

const EXAMPLES = [
  { text: 'track my package', label: 'shipping' },
  { text: 'when does it arrive', label: 'shipping' },
  { text: 'i want my money back', label: 'refund' },
  { text: 'how do i return this', label: 'refund' },
];

/** As version 7.3.1 of Cohere's Python client sends it. */
function recorded(body: object, key = READER): Recorded {
  return {
    path: '/v1/classify',
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip, deflate',
      'user-agent': 'cohere/7.3.1',
      'x-fern-language': 'Python',
      'x-fern-sdk-name': 'cohere',
      'x-fern-sdk-version': '7.3.1',
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
    },
    body: { examples: EXAMPLES, ...body },
  };
}

let server: Listening;
beforeEach(async () => {
  server = await listening({ keys: KEYS });
});
afterEach(() => server.close());

test('texts are answered as Cohere does', async () => {
  const inputs = ['track my package', 'how do i return this'];
  const { status, body } = await server.post(
    recorded({ inputs, model: 'embed-english-v3.0', truncate: 'END' }),
  );
  expect({ status, body }).toEqual({
    status: 200,
    body: {
      id: expect.any(String),
      classifications: [
        {
          id: expect.any(String),
          input: 'track my package',
          prediction: 'shipping',
          predictions: ['shipping'],
          confidence: 0.9,
          confidences: [0.9],
          labels: { shipping: { confidence: 0.9 }, refund: { confidence: 0.1 } },
          classification_type: 'single-label',
        },
        expect.objectContaining({ input: 'how do i return this', prediction: 'refund' }),
      ],
      meta: { api_version: { version: '1' } },
    },
  });
});

test('a text gets a label even where a bot would call it out of scope', async () => {
  const { body } = await server.post(recorded({ inputs: ['is it raining'] }));
  expect(body).toMatchObject({ classifications: [{ prediction: expect.any(String) }] });
});

test('nothing is stored', async () => {
  const before = await server.service.listBots();
  await server.post(recorded({ inputs: ['track my package'] }));
  expect(await server.service.listBots()).toEqual(before);
});

test('a label may be called as anything in JavaScript is', async () => {
  const examples = ['__proto__', 'constructor'].flatMap((label) => [
    { text: `${label} a`, label },
    { text: `${label} b`, label },
  ]);
  const { body } = await server.post(recorded({ inputs: ['__proto__ a'], examples }));
  const [{ prediction, labels }] = (body as { classifications: [{ prediction: string; labels: object }] })
    .classifications;
  expect(prediction).toBe('__proto__');
  expect(Object.keys(labels).sort()).toEqual(['__proto__', 'constructor']);
});

describe('errors are in the shape of Cohere', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `text ${i}`);

  test.each([
    ['a wrong key', recorded({ inputs: ['x'] }, 'wrong-key-0123456789'), 401, /key is not known/],
    ['one example of a label', recorded({ inputs: ['x'], examples: EXAMPLES.slice(0, 3) }), 400, /at least 2 examples of each label; there is one of "refund"/],
    ['no examples', recorded({ inputs: ['x'], examples: undefined, preset: 'p' }), 400, /examples/],
    ['no inputs', recorded({ inputs: [] }), 400, /inputs: must hold at least 1/],
    ['too many inputs', recorded({ inputs: many(97) }), 400, /inputs: must hold at most 96/],
    ['too many examples', recorded({ inputs: ['x'], examples: many(81).map((text) => ({ text, label: 'a' })) }), 400, /examples: must hold at most 80/],
    ['another truncation', recorded({ inputs: ['x'], truncate: 'MIDDLE' }), 400, /truncate/],
  ])('%s', async (_, request, status, message) => {
    const answer = await server.post(request);
    expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json' } });
    expect(answer.body).toEqual({ message: expect.stringMatching(message) });
  }); // prettier-ignore

  test('an input that would be cut, unless that is asked for', async () => {
    const { service } = server;
    const classify = service.classifyAgainst.bind(service);
    service.classifyAgainst = async (...args) =>
      (await classify(...args)).map((result) => ({ ...result, truncated: true as const }));
    const inputs = ['a long text'];
    expect((await server.post(recorded({ inputs }))).status).toBe(200);
    for (const truncate of ['NONE', 'START']) {
      expect(await server.post(recorded({ inputs, truncate }))).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining('inputs.0: is too long') },
      });
    }
  });
});
