import { describe, expect, test } from '@jest/globals';
import type { Evaluation, Kshot, KshotApiError, Retry } from '../../src/client/index.js';
import { retryAfterMs } from '../../src/client/retry.js';
import { recording, refusal, type Reply } from './recording.js';

const busy = (after?: string) =>
  refusal(503, 'overloaded', {}, after === undefined ? {} : { 'retry-after': after });
const broken = () =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) });

describe('a busy server', () => {
  test('is asked again when it says, and else ever later', async () => {
    const { kshot, waits } = recording([busy('2'), busy(), busy(), Response.json({ bots: [] })]);
    expect(await kshot.bots.list()).toEqual([]);
    expect(waits).toEqual([2000, 500, 1000]);
  });

  test('is asked earlier by chance, so that clients do not come all at once', async () => {
    const { kshot, waits } = recording([busy(), busy()], { random: () => 1 });
    await kshot.bots.get('b');
    expect(waits).toEqual([125, 250]);
  });

  test('is given up after as many tries as were allowed', async () => {
    const retries: Retry[] = [];
    const replies = Array.from({ length: 9 }, () => busy('1'));
    const { kshot, sent, waits } = recording(replies, { onRetry: (retry) => retries.push(retry) });
    await expect(kshot.bots.list()).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 1000 });
    expect(sent).toHaveLength(4);
    expect(waits).toEqual([1000, 1000, 1000]);
    expect(retries.map(({ tries, waitMs, error }) => [tries, waitMs, (error as KshotApiError).code])).toEqual(
      [
        [1, 1000, 'overloaded'],
        [2, 1000, 'overloaded'],
        [3, 1000, 'overloaded'],
      ],
    );
  });

  test('is not waited for longer than was allowed, all in all', async () => {
    const { kshot, waits } = recording([busy('20'), busy('11')]);
    await expect(kshot.bots.list()).rejects.toMatchObject({ retryAfterMs: 11_000 });
    expect(waits).toEqual([20_000]);
  });

  test('is not asked again where none is wanted', async () => {
    const { kshot, sent } = recording([busy('1')], { retries: 0 });
    await expect(kshot.bots.list()).rejects.toMatchObject({ status: 503 });
    expect(sent).toHaveLength(1);
  });

  test('is waited for until the caller gives up', async () => {
    const controller = new AbortController();
    const { kshot, sent } = recording([busy('2')], {
      sleep: () => Promise.resolve(controller.abort(new Error('enough'))),
    });
    await expect(kshot.bots.list({ signal: controller.signal })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
  });

  test('is waited for in truth, and no longer than the caller does', async () => {
    const controller = new AbortController();
    const { kshot, sent } = recording([busy('25')], {
      sleep: undefined,
      onRetry: () => setImmediate(() => controller.abort(new Error('enough'))),
    });
    await expect(kshot.bots.list({ signal: controller.signal })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
  });
});

describe('what may be sent again', () => {
  const unavailable = () => refusal(503, 'store_unavailable');
  const calls = {
    'a POST that writes': (kshot: Kshot) => kshot.examples.add('b', 'i', ['x']),
    'an import': (kshot: Kshot) => kshot.import('b', 'x'),
    'a dry run': (kshot: Kshot) => kshot.import('b', 'x', { dryRun: true }),
    'a classification': (kshot: Kshot) => kshot.classify('b', 'x'),
    'a PUT': (kshot: Kshot) => kshot.bots.put('b'),
    'a DELETE': (kshot: Kshot) => kshot.intents.delete('b', 'i'),
    'a rollback': (kshot: Kshot) => kshot.aliases.rollback('b', 'a'),
  };

  test.each<[keyof typeof calls, string, () => Reply, boolean]>([
    ['a POST that writes', 'a server that was too busy to begin', busy, true],
    ['a POST that writes', 'a server that is starting', () => refusal(503, 'not_ready'), true],
    ['a POST that writes', 'a rate that is used up', () => refusal(429, 'rate_limited'), true],
    ['a classification', 'a proxy that limits rates', () => new Response('', { status: 429 }), true],
    ['a POST that writes', 'a proxy that limits rates', () => new Response('', { status: 429 }), false],
    ['a POST that writes', 'a store that failed', unavailable, false],
    ['a POST that writes', 'a proxy that is no kshot', () => new Response('<html>', { status: 503 }), false],
    ['a POST that writes', 'a broken connection', broken, false],
    ['an import', 'a broken connection', broken, false],
    ['an import', 'a server that was too busy to begin', busy, true],
    ['a dry run', 'a broken connection', broken, true],
    ['a rollback', 'a broken connection', broken, false],
    ['a classification', 'a broken connection', broken, true],
    ['a PUT', 'a broken connection', broken, true],
    ['a PUT', 'a store that failed', unavailable, true],
    ['a DELETE', 'a broken connection', broken, true],
    ['a PUT', 'a refusal', () => refusal(409, 'head_unavailable'), false],
    ['a PUT', 'a fault', () => refusal(500, 'internal_error'), false],
  ])('%s that met %s', async (name, _, reply, isSentAgain) => {
    const { kshot, sent } = recording([reply()]);
    const outcome = await calls[name](kshot).then(
      () => 'done',
      () => 'failed',
    );
    expect([outcome, sent.length]).toEqual(isSentAgain ? ['done', 2] : ['failed', 1]);
  });

  test('nothing that met a broken connection, where that is not wanted', async () => {
    const { kshot, sent } = recording([broken()], { retryConnections: false });
    await expect(kshot.bots.list()).rejects.toMatchObject({
      name: 'KshotConnectionError',
      message: 'no answer from http://kshot.test (ECONNRESET)',
    });
    expect(sent).toHaveLength(1);
  });
});

test.each([
  [null, undefined],
  ['0', 0],
  ['3', 3000],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:27:00 GMT', 0],
  ['soon', undefined],
])('Retry-After "%s" is %s ms', (header, milliseconds) => {
  expect(retryAfterMs(header, Date.parse('2015-10-21T07:27:50Z'))).toBe(milliseconds);
});

describe('an answer that is none of ours', () => {
  test.each([
    ['<html>', 200, 'http://kshot.test does not answer like kshot; check the address'],
    ['', 200, 'http://kshot.test does not answer like kshot; check the address'],
    ['{"users": []}', 200, 'the answer lacks "bots"; is the server another version?'],
    ['not here', 404, "http://kshot.test answered 404; is that address kshot's?"],
  ])('%j is told', async (text, status, message) => {
    const { kshot } = recording([new Response(text, { status, headers: { 'x-request-id': 'r1' } })]);
    await expect(kshot.bots.list()).rejects.toMatchObject({
      name: 'KshotApiError',
      message,
      status,
      code: undefined,
      requestId: 'r1',
    });
  });

  test('names the first places of many', async () => {
    const errors = [1, 2, 3, 4, 5].map((n) => ({ field: `f.${n}`, message: `is bad ${n}` }));
    const { kshot } = recording([refusal(400, 'invalid_request', { detail: 'f.1: is bad 1', errors })]);
    await expect(kshot.bots.list()).rejects.toThrow(
      'f.1: is bad 1 (f.2 is bad 2; f.3 is bad 3; f.4 is bad 4; 1 more)',
    );
  });
});

describe('an evaluation', () => {
  const evaluation = (status: Evaluation['status'], done: number) =>
    Response.json({ id: 7, status, progress: { done, total: 9 } });

  test('is looked at until it has ended', async () => {
    const { kshot, sent, waits } = recording([
      evaluation('queued', 0),
      busy('3'),
      evaluation('running', 5),
      evaluation('failed', 5),
    ]);
    const seen: number[] = [];
    const ended = await kshot.evaluations.finished('b', 7, {
      onProgress: ({ progress }) => seen.push(progress.done),
      intervalMs: 400,
    });
    expect(ended.status).toBe('failed');
    expect(seen).toEqual([0, 5]);
    expect(waits).toEqual([400, 3000, 400]);
    expect(new Set(sent.map(({ path }) => path))).toEqual(new Set(['/v1/bots/b/evaluations/7']));
  });

  test('is looked at until the caller gives up', async () => {
    const controller = new AbortController();
    const { kshot, sent } = recording([evaluation('running', 0), evaluation('running', 1)]);
    const { signal } = controller;
    const onProgress = () => controller.abort(new Error('enough'));
    await expect(kshot.evaluations.finished('b', 7, { signal, onProgress })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
  });
});
