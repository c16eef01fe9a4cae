import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClassifyResult } from '../../src/classify/service.js';
import { json, problemOf, send, type Answer } from './api.js';
import { DEMO } from './demoBot.js';
import type { Server } from './kshot.js';
import { workplace } from './workplace.js';

const CLASSIFY = `/v1/bots/${DEMO}/classify`;

const place = workplace();
let server: Server;
let url: string;

beforeAll(async () => {
  server = await place.serve(await place.demoStore());
  ({ url } = server);
});

afterAll(() => {
  // Whatever was sent, nothing went wrong within.
  expect(server.process.log.filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

function ask(body: unknown, path = CLASSIFY): Promise<Answer> {
  return send(url, 'POST', path, { body });
}

/** Checks that the request is refused with a problem that names the field. */
function expectRefused(answer: Answer, status: number, field?: string): void {
  const problem = problemOf(answer);
  expect(problem).toMatchObject({ status, request_id: answer.headers['x-request-id'] });
  if (field !== undefined) expect(problem.errors?.map((error) => error.field)).toContain(field);
}

describe('texts', () => {
  test.each<[string, unknown]>([
    ['empty', ''],
    ['blank', ' \t\n\u00a0\u3000'],
    ['with NUL', 'my\0card'],
    ['with half of a surrogate pair', 'my \ud83d card'],
    ['with the other half', 'my \ude2d card'],
    ['a number', 7],
    ['null', null],
    ['true', true],
    ['a list', ['my card']],
    ['an object', { text: 'my card' }],
    ['10,001 characters', 'x'.repeat(10_001)],
    ['1 MB without a blank', 'x'.repeat(1_000_000)],
    ['1 MB of words', 'card '.repeat(200_000)],
  ])('%s are refused', async (_, text) => {
    expectRefused(await ask({ text }), 400, 'text');
    const among = await ask({ texts: ['i lost my card', text] });
    expectRefused(among, 400, 'texts.1');
  });

  test.each([
    ['with control characters', 'i lost\u0007 my\u001b[31m card\r\n'],
    ['that are emoji', '💳😭'],
    ['with joined emoji', '👩‍👩‍👧 our card is lost 🏳️‍🌈'],
    ['from right to left', 'فقدت بطاقتي'],
    ['with turned direction', '\u202ei lost my card\u202c'],
    ['in Chinese', '我的卡丢了'],
    ['decomposed', 'mi tarjeta se perdio\u0301'],
    ['under heaps of marks', `Z${'\u0351\u036b\u0343'.repeat(500)} card`],
    ['of one character', '?'],
    ['of markup', '<script>alert(1)</script>'],
    ['of SQL', "'; DROP TABLE texts; --"],
    ['as long as they may be', 'card '.repeat(2000)],
    ['of one very long word', 'x'.repeat(10_000)],
    ['named like a property', '__proto__'],
  ])('%s are answered', async (_, text) => {
    const result = json<ClassifyResult>(await ask({ text }));
    expect(result.text).toBe(text);
    expect(result.ranking).toHaveLength(5);
    for (const number of [result.confidence, result.in_scope]) {
      expect(number).toBeGreaterThanOrEqual(0);
      expect(number).toBeLessThanOrEqual(1);
    }
  });

  test('that are longer than the encoder reads are answered, and the answer says so', async () => {
    expect(json(await ask({ text: 'card '.repeat(2000) }))).toMatchObject({ truncated: true });
    expect(json(await ask({ text: 'i lost my card' }))).not.toHaveProperty('truncated');
  });

  test('10,000 at once are refused, 1000 are answered', async () => {
    expectRefused(await ask({ texts: Array.from({ length: 10_000 }, () => 'card') }), 400, 'texts');
    expectRefused(await ask({ texts: [] }), 400, 'texts');
    const texts = Array.from({ length: 1000 }, (_, n) => `card ${n % 50}`);
    const { results } = json<{ results: ClassifyResult[] }>(await ask({ texts }));
    expect(results.map(({ text }) => text)).toEqual(texts);
  });
});

describe('bodies', () => {
  test.each<[string, unknown, number]>([
    ['none', '', 400],
    ['more than 1 MiB', { text: 'x'.repeat(1_100_000) }, 413],
    ['broken JSON', '{"text": "my card', 400],
    ['a list', [], 400],
    ['null', 'null', 400],
    ['a string', '"my card"', 400],
    ['neither text nor texts', {}, 400],
    ['both', { text: 'a', texts: ['a'] }, 400],
    ['an unknown field', { text: 'a', txet: 'b' }, 400],
    ['nothing to rank', { text: 'a', top: 0 }, 400],
    ['a word for a number', { text: 'a', top: '5' }, 400],
    ['half a million brackets', '['.repeat(500_000), 400],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400],
    ['UTF-16', Buffer.from('{"text":"a"}', 'utf16le'), 400],
  ])('with %s are refused', async (_, body, status) => {
    expectRefused(await ask(body), status);
  });

  test('of another type are refused', async () => {
    const headers = { 'content-type': 'text/plain' };
    expectRefused(await send(url, 'POST', CLASSIFY, { body: '{"text":"a"}', headers }), 415);
  });

  test('that are no HTTP are refused', async () => {
    const { hostname, port } = new URL(url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('\x16\x03\x01 hello\r\n\r\n'));
      let text = '';
      socket.on('data', (part) => (text += part.toString()));
      socket.on('error', reject).on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe('names', () => {
  test.each([
    ['unknown', 'nobody', 404],
    ['of another case', 'DEMO', 404],
    ['of an object', 'constructor', 404],
    ['with a slash', 'a%2Fb', 400],
    ['of a folder above', '..', 400],
    ['of a folder above, encoded', '%2e%2e', 400],
    ['with a blank', 'my%20bot', 400],
    ['with a line break', 'demo%0a', 400],
    ['with NUL', 'demo%00', 400],
    ['of an emoji', '%F0%9F%98%80', 400],
    ['too long', 'x'.repeat(65), 400],
    ['with half a percent code', 'demo%', 400],
    ['with a wrong percent code', '%zz', 400],
    ['with bytes that are no UTF-8', '%ff', 400],
    ['with an overlong code', '%C0%80', 400],
    ['with an encoded surrogate', '%ED%A0%80', 400],
    ['longer than an address may be', 'x'.repeat(20_000), 431],
  ])('of bots, %s: refused', async (_, bot, status) => {
    const answer = await ask({ text: 'i lost my card' }, `/v1/bots/${bot}/classify`);
    expectRefused(answer, status);
    if (status === 404) return;
    expectRefused(await send(url, 'PUT', `/v1/bots/${bot}`, { body: {} }), status);
  });

  test.each([
    ['a slash', 'card%2Flost', 'card/lost'],
    ['a percent code in it', 'card%252Flost', 'card%2Flost'],
    ['a question mark', 'card%3Flost', 'card?lost'],
    ['a blank', 'card%20lost', 'card lost'],
    ['an emoji', '%F0%9F%92%B3', '💳'],
    ['letters from right to left', encodeURIComponent('بطاقة'), 'بطاقة'],
    ['the name of a prototype', '__proto__', '__proto__'],
    ['the name of a method', 'hasOwnProperty', 'hasOwnProperty'],
    ['a decomposed letter', 'cafe%CC%81', 'café'],
    ['nothing but signs', '%2B%2B', '++'],
  ])('of intents, %s: written, read, answered and deleted', async (_, segment, name) => {
    const path = `/v1/bots/names/intents/${segment}`;
    const examples = [`a text about ${segment}`];
    json(await send(url, 'PUT', path, { body: { examples } }), 201);
    expect(json(await send(url, 'GET', path))).toMatchObject({ name, examples: [{ text: examples[0] }] });
    const result = json<ClassifyResult>(await ask({ text: examples[0] }, '/v1/bots/names/classify'));
    expect(result).toMatchObject({ intent: name, evidence: [{ intent: name, example: examples[0] }] });
    json(await send(url, 'DELETE', path));
    expectRefused(await send(url, 'GET', path), 404);
  });

  test.each([
    ['a slash as it is', 'card/lost', 404],
    ['none', '', 404],
    ['a folder above', '%2e%2e', 400],
    ['a blank', '%20', 400],
    ['a blank at the end', 'card%20', 400],
    ['a control character', 'card%07', 400],
    ['NUL', 'card%00', 400],
    ['a wrong percent code', '%u0041', 400],
    ['an encoded surrogate', '%ED%A0%80', 400],
    ['too many characters', 'x'.repeat(129), 400],
  ])('of intents, %s: refused', async (_, segment, status) => {
    const path = `/v1/bots/${DEMO}/intents/${segment}`;
    expectRefused(await send(url, 'PUT', path, { body: { examples: ['a text'] } }), status);
  });

  test('given twice, or alike, are refused, and nothing of it is written', async () => {
    for (const [name, alike] of [
      ['twice', 'twice'],
      ['caf\u00e9', 'cafe\u0301'],
    ]) {
      const intents = [name, alike].map((name) => ({ name, examples: ['a text'] }));
      const answer = await send(url, 'PUT', `/v1/bots/${DEMO}/intents`, { body: { intents } });
      expectRefused(answer, 400, 'intents.1.name');
      const path = `/v1/bots/${DEMO}/intents/${encodeURIComponent(String(name))}`;
      expectRefused(await send(url, 'GET', path), 404);
    }
  });

  test('of examples that are no number, too large, or not there are refused', async () => {
    for (const [id, status] of [
      ['first', 400],
      ['-1', 400],
      ['9'.repeat(20), 400],
      ['9007199254740992', 400],
      ['0', 404],
    ] as const) {
      const path = `/v1/bots/${DEMO}/intents/card_lost/examples/${id}`;
      expectRefused(await send(url, 'DELETE', path), status);
    }
  });
});

describe('writes', () => {
  test.each<[string, unknown]>([
    ['no examples', {}],
    ['a string for examples', { examples: 'a text' }],
    ['an empty example', { examples: ['a text', ' '] }],
    ['an example with NUL', { examples: ['a\0b'] }],
    ['more examples than may be', { examples: Array.from({ length: 1001 }, (_, n) => `text ${n}`) }],
    ['a number for a description', { examples: [], description: 7 }],
    ['an empty description', { examples: [], description: '' }],
    ['an unknown field', { examples: [], descripton: 'a typo' }],
  ])('of an intent with %s are refused', async (_, body) => {
    expectRefused(await send(url, 'PUT', `/v1/bots/${DEMO}/intents/never`, { body }), 400);
    expectRefused(await send(url, 'GET', `/v1/bots/${DEMO}/intents/never`), 404);
  });

  test.each<[string, unknown, string]>([
    ['an unknown head', { head: 'oracle' }, 'head'],
    ['a threshold above 1', { threshold: 1.5 }, 'threshold'],
    ['a word for a threshold', { threshold: 'high' }, 'threshold'],
  ])('of settings with %s are refused', async (_, body, field) => {
    expectRefused(await send(url, 'PUT', `/v1/bots/${DEMO}`, { body }), 400, field);
  });

  test('by a method that a path does not know are refused', async () => {
    const answer = await send(url, 'PATCH', `/v1/bots/${DEMO}`);
    expectRefused(answer, 405);
    expect(answer.headers.allow).toContain('PUT');
  });
});
