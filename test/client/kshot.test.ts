import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { z } from 'zod';
import {
  type BotSettings,
  type FileImport,
  type Health,
  type IntentSummary,
  Kshot,
  KshotApiError,
  KshotClientError,
  KshotConnectionError,
  type KshotOptions,
  KshotTimeoutError,
} from '../../src/client/index.js';
import { KshotError } from '../../src/errors.js';
import type { RESPONSES } from '../../src/http/schemas.js';
import { type RunningServer, startServer } from '../../src/http/server.js';
import { harness, type Harness } from '../http/harness.js';

const WRITER = 'a-key-that-may-write';
const READER = 'a-key-that-may-only-read';

/** Types that only HTTP has are those of the schemas: this would not be compiled if one of them lacked a field. */
type Answers<Name extends keyof typeof RESPONSES> = z.output<(typeof RESPONSES)[Name]>;
const agree: {
  import: (answer: Answers<'FileImport'>) => FileImport;
  importBack: (answer: FileImport) => Answers<'FileImport'>['format'];
  intent: (answer: Answers<'IntentSummary'>) => IntentSummary;
  health: (answer: Answers<'Health'>) => Health;
  settings: (name: keyof Answers<'BotSettings'>) => keyof BotSettings;
} = {
  import: (answer) => answer,
  importBack: ({ format }) => format,
  intent: (answer) => answer,
  health: (answer) => answer,
  settings: (name) => name,
};

let h: Harness;
let server: RunningServer;
let kshot: Kshot;

beforeEach(async () => {
  h = harness({ keys: { readWrite: [WRITER], readOnly: [READER] } });
  server = await startServer(h.app, {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 10_000,
    keepAliveTimeoutMs: 1000,
    lifecycle: h.lifecycle,
  });
  kshot = client();
});

afterEach(async () => {
  await server.close(1000);
});

/** One that waits for nothing. */
function client(options: Partial<KshotOptions> = {}): Kshot {
  return new Kshot({ url: server.url, apiKey: WRITER, sleep: () => Promise.resolve(), ...options });
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`it came to ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

describe('against a server', () => {
  test('a bot is taught and classifies', async () => {
    const written = await kshot.intents.put('bank', 'card/lost?', { examples: ['i lost my card'] });
    expect(written).toMatchObject({ bot: 'bank', revision: 1, added: [{ text: 'i lost my card' }] });
    await kshot.examples.add('bank', 'card/lost?', ['my card is gone']);
    const { revision } = await kshot.intents.putAll('bank', [
      { name: 'money', examples: ['how much have i'] },
    ]);

    const result = await kshot.classify('bank', 'my card is gone', { top: 1, explain: true });
    expect(result).toMatchObject({ text: 'my card is gone', intent: 'card/lost?', out_of_scope: false });
    const results = await kshot.classify('bank', ['how much have i', 'rain?'], { minRevision: revision });
    expect(results.map(({ intent }) => intent)).toEqual(['money', null]);

    expect(await kshot.intents.list('bank')).toEqual([
      { name: 'card/lost?', description: null, examples: 2 },
      { name: 'money', description: null, examples: 1 },
    ]);
    const { examples } = await kshot.intents.get('bank', 'card/lost?');
    await kshot.examples.delete('bank', 'card/lost?', examples[0]!.id);
    await kshot.intents.delete('bank', 'money');
    const left = await kshot.intents.list('bank', { examples: true });
    expect(left).toMatchObject([{ name: 'card/lost?', examples: [{ text: 'my card is gone' }] }]);
  });

  test('bots, counter-examples and heads are managed', async () => {
    await kshot.bots.put('shop', { threshold: 0.3 });
    expect(await kshot.bots.get('shop')).toMatchObject({ name: 'shop', settings: { threshold: 0.3 } });
    await kshot.counterexamples.putAll('shop', ['rain?']);
    expect(await kshot.counterexamples.list('shop')).toMatchObject([{ text: 'rain?' }]);
    expect(await kshot.check('shop')).toMatchObject({ bot: 'shop', checks: [] });
    expect((await kshot.bots.list()).map(({ name }) => name)).toEqual(['shop']);
    expect(await kshot.bots.delete('shop')).toBeUndefined();
    expect(await kshot.bots.list()).toEqual([]);
    expect(await kshot.heads.list()).toMatchObject([{ name: 'adapted' }]);
    expect(await kshot.heads.reload()).toMatchObject({ changes: [] });
  });

  test('unlabelled texts are added, suggested and labelled', async () => {
    await kshot.intents.put('bank', 'card', { examples: ['i lost my card'] });
    expect(await kshot.unlabelled.add('bank', ['one', 'two', 'three'])).toMatchObject({ added: 3 });
    const page = await kshot.unlabelled.list('bank', { limit: 2 });
    expect(page.texts.map(({ text }) => text)).toEqual(['one', 'two']);
    const rest = await kshot.unlabelled.list('bank', { after: page.next! });
    expect(rest.texts.map(({ text }) => text)).toEqual(['three']);
    expect(await kshot.suggest('bank', { limit: 1 })).toMatchObject({ suggestions: [{ text: 'one' }] });
    await kshot.unlabelled.label('bank', page.texts[0]!.id, 'card');
    await kshot.unlabelled.label('bank', page.texts[1]!.id, null);
    expect(await kshot.counterexamples.list('bank')).toMatchObject([{ text: 'two' }]);
    await kshot.unlabelled.delete('bank', rest.texts[0]!.id);
    expect(await kshot.unlabelled.deleteAll('bank')).toEqual({ bot: 'bank', removed: 0 });
  });

  const CSV = 'intent,text\ngrüßen,hallo\n';
  test.each([
    ['a string', CSV],
    ['bytes', new TextEncoder().encode(CSV)],
    ['a blob', new Blob([CSV], { type: 'application/x-strange' })],
  ])('%s is imported, and exported again', async (_, file) => {
    const planned = await kshot.import('bank', file, { dryRun: true });
    expect(planned).toMatchObject({ format: 'csv', dry_run: true, intents: [{ name: 'grüßen' }] });
    expect(await kshot.bots.list()).toEqual([]);
    await kshot.import('bank', file, { prune: true, format: 'csv' });
    expect(h.service.imports.map(({ dryRun, prune }) => [dryRun, prune])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(await kshot.export('bank', { format: 'csv' })).toContain('grüßen,hallo');
  });

  test('health and readiness are asked for', async () => {
    expect(await kshot.health()).toEqual({ status: 'ok', version: '1.2.3' });
    expect(await kshot.isReady()).toBe(true);
    h.lifecycle.stop();
    expect(await kshot.isReady()).toBe(false);
    expect(agree).toBeDefined();
  });

  test('works below a path, with a slash or without', async () => {
    const seen: string[] = [];
    const proxy = async (input: string | URL | Request, init?: RequestInit) => {
      const url = new URL(input);
      seen.push(url.pathname);
      return fetch(new URL(url.pathname.replace('/behind/proxy', ''), server.url), init);
    };
    for (const url of ['https://host/behind/proxy', 'https://host/behind/proxy/?x=1#y']) {
      const behind = client({ url, fetch: proxy });
      expect(behind.url).toBe('https://host/behind/proxy');
      expect(await behind.bots.list()).toEqual([]);
    }
    expect(seen).toEqual(['/behind/proxy/v1/bots', '/behind/proxy/v1/bots']);
  });
});

describe('a refusal', () => {
  test('has status, code, places, and the id of the log line', async () => {
    const error = await errorOf(kshot.classify('bank', ['fine', ' ', '\0']));
    expect(error).toBeInstanceOf(KshotApiError);
    expect(error).toBeInstanceOf(KshotClientError);
    expect(error).toMatchObject({
      name: 'KshotApiError',
      status: 400,
      code: 'invalid_request',
      fields: [{ field: 'texts.1' }, { field: 'texts.2' }],
    });
    const { message, detail, fields, requestId } = error as KshotApiError;
    expect(message).toContain(detail);
    expect(message).toContain(fields[1]!.message);
    expect(h.lines.at(-1)).toMatchObject({ request_id: requestId, status: 400 });
  });

  test.each([
    ['an unknown bot', () => kshot.bots.get('none'), 404, 'unknown_bot'],
    ['a bad name', () => kshot.bots.put('no blanks'), 400, 'invalid_request'],
    ['a file that is none', () => kshot.import('bank', '<html>'), 400, 'invalid_file'],
    ['a key that may not write', () => client({ apiKey: READER }).bots.put('bank'), 403, 'forbidden'],
    ['a key that is none', () => client({ apiKey: 'wrong' }).bots.list(), 401, 'unauthorized'],
    ['no key', () => client({ apiKey: '' }).bots.list(), 401, 'unauthorized'],
  ])('of %s says so', async (_, call, status, code) => {
    expect(await errorOf(call())).toMatchObject({ status, code });
  });

  test('of a write that is overloaded is retried, since nothing was done', async () => {
    const putIntents = jest.spyOn(h.service, 'addExamples');
    await kshot.intents.put('bank', 'card', { examples: ['a'] });
    putIntents.mockRejectedValueOnce(new KshotError('overloaded', 'Busy', { retryAfterMs: 2000 }));
    const waits: number[] = [];
    const patient = client({ sleep: (ms) => Promise.resolve(void waits.push(ms)) });
    expect(await patient.examples.add('bank', 'card', ['b'])).toMatchObject({ added: [{ text: 'b' }] });
    expect(waits).toEqual([2000]);
  });
});

describe('where there is no answer', () => {
  test('the error names the address and the reason', async () => {
    const url = server.url;
    await server.close(0);
    const tries: number[] = [];
    const error = await errorOf(client({ onRetry: ({ tries: made }) => tries.push(made) }).bots.list());
    expect(error).toBeInstanceOf(KshotConnectionError);
    expect((error as Error).message).toBe(`no answer from ${url} (connection refused)`);
    expect(tries).toEqual([1, 2, 3]);
    expect(await kshot.isReady()).toBe(false);
  });

  test('a slow one is given up in time, and is not asked again', async () => {
    h.service.beforeClassify = (signal) =>
      new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(new KshotError('cancelled', 'Left'))),
      );
    await kshot.bots.put('bank');
    const error = await errorOf(kshot.classify('bank', 'hello', { timeoutMs: 20 }));
    expect(error).toBeInstanceOf(KshotTimeoutError);
    expect((error as Error).message).toBe(`${server.url} has not answered within 0.02 s`);
  });

  test('one whose body stops half-way is given up in time, or when it breaks', async () => {
    const half: Server = createServer((request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{', () => {
        if (request.url === '/v1/heads') response.destroy();
      });
    });
    await new Promise<void>((resolve) => half.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(half.address() as AddressInfo).port}`;
    try {
      expect(await errorOf(client({ url, timeoutMs: 50 }).bots.list())).toBeInstanceOf(KshotTimeoutError);
      const broken = await errorOf(client({ url }).heads.list());
      expect(broken).toBeInstanceOf(KshotConnectionError);
      expect(broken).not.toBeInstanceOf(KshotTimeoutError);
    } finally {
      half.closeAllConnections();
      await new Promise((resolve) => half.close(resolve));
    }
  });

  test('the caller may give up, and the server hears of it', async () => {
    const left = new Promise<void>((resolve) => {
      h.service.beforeClassify = (signal) =>
        new Promise((_, reject) => {
          controller.abort(new Error('the user has left'));
          signal?.addEventListener('abort', () => {
            resolve();
            reject(new KshotError('cancelled', 'Left'));
          });
        });
    });
    const controller = new AbortController();
    await kshot.bots.put('bank');
    const call = kshot.classify('bank', 'hello', { signal: controller.signal });
    expect(await errorOf(call)).toEqual(new Error('the user has left'));
    await left;
    await expect(kshot.bots.list({ signal: controller.signal })).rejects.toThrow('the user has left');
  });
});

describe('a client', () => {
  test.each([
    ['not-an-address', 'is no address'],
    ['ftp://host', 'must begin with http://'],
    ['http://user:word@host', 'must not hold a user or password'],
    ['ftp://user:word@host', 'must not hold a user or password'],
  ])('is not made for %s', (url, message) => {
    expect(() => client({ url })).toThrow(KshotClientError);
    expect(() => client({ url })).toThrow(message);
    expect(() => client({ url })).not.toThrow('word@');
  });

  test.each(['..', '.', ''])('does not ask for "%s"', async (name) => {
    const error = await errorOf(kshot.bots.delete(name));
    expect(error).toBeInstanceOf(KshotClientError);
    expect((error as Error).message).toBe(`"${name}" cannot be a name`);
    expect(h.lines).toEqual([]);
  });

  test('never tells its key', async () => {
    expect(inspect(kshot, { depth: 9, showHidden: true })).not.toContain(WRITER);
    expect(JSON.stringify(kshot)).not.toContain(WRITER);
    const key = 'secret\nsecret';
    expect(() => client({ apiKey: key })).toThrow('the API key has characters');
    expect(() => client({ apiKey: key })).not.toThrow('secret');
    const refused = await errorOf(client({ apiKey: 'wrong-key' }).bots.list());
    expect(inspect(refused, { depth: 9 })).not.toContain('wrong-key');
    expect(JSON.stringify(h.lines)).not.toContain('wrong-key');
  });
});
