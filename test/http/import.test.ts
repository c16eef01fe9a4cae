import { beforeEach, describe, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import request from 'supertest';
import { zipJson } from '../formats/zips.js';
import { harness, LIMITS, type Harness } from './harness.js';

const IMPORT = '/v1/bots/bank/import';
const CSV = { 'content-type': 'text/csv' };

let h: Harness;
beforeEach(() => {
  h = harness();
});

/** Sends bytes, which the harness would take for JSON. */
function sendBytes(path: string, bytes: Buffer, headers: Record<string, string>) {
  return request(h.app)
    .post(path)
    .set(headers)
    .serialize((body) => body as unknown as string)
    .send(bytes);
}

describe('an import', () => {
  test('reads the file as its content says, and answers with what has changed', async () => {
    const body = 'intent,text,kind\na,one,\na,one,\n,x,counterexample\n';
    const answer = await h.send('post', IMPORT, { body, headers: CSV });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        bot: 'bank',
        dry_run: false,
        format: 'csv',
        language: null,
        languages_left_out: [],
        notes: ['skipped 1 repeated text (line 3)'],
        totals: { intents: { added: 1 } },
        intents: [{ name: 'a', change: 'added', added: ['one'] }],
      },
    });
    expect(h.service.imports).toEqual([
      { intents: [{ name: 'a', examples: ['one'] }], counterexamples: ['x'], prune: false, dryRun: false },
    ]);
    expect(h.lines.at(-1)).toMatchObject({ route: '/v1/bots/{bot}/import', format: 'csv', texts: 2 });
    expect(JSON.stringify(h.lines)).not.toContain('one');
  });

  test('takes a ZIP archive, a language, and says what it would do', async () => {
    const agent = zipJson({
      'agent.json': { defaultLanguageCode: 'en' },
      'intents/a/a.json': { displayName: 'a' },
      'intents/a/trainingPhrases/en.json': { trainingPhrases: [{ parts: [{ text: 'one' }] }] },
      'intents/a/trainingPhrases/de.json': { trainingPhrases: [{ parts: [{ text: 'eins' }] }] },
    });
    const query = '?language=de&dry_run=true&prune=true';
    const answer = await sendBytes(IMPORT + query, agent, { 'content-type': 'application/zip' });
    expect(answer).toMatchObject({
      status: 200,
      body: { format: 'dialogflow-cx', language: 'de', languages_left_out: ['en'], dry_run: true },
    });
    const intents = [{ name: 'a', examples: ['eins'] }];
    expect(h.service.imports).toEqual([{ intents, counterexamples: [], prune: true, dryRun: true }]);
    expect((await h.send('get', '/v1/bots/bank')).status).toBe(404);
  });

  test('takes a compressed body', async () => {
    const headers = { ...CSV, 'content-encoding': 'gzip' };
    const answer = await sendBytes(IMPORT, gzipSync('intent,text\na,one\n'), headers);
    expect(answer.status).toBe(200);
  });

  test.each([
    ['a broken file', 'intent,text\na,one\n,two\n', 'invalid_file', 'line 3: a text without an intent'],
    [
      'a name that cannot be',
      'intent,text\n..,one\n',
      'invalid_request',
      'intent "..": must not be "." or ".."',
    ],
    [
      'a text that cannot be',
      'intent,text\na,\u200b\n',
      'invalid_request',
      'intent "a", "\u200b": must not be empty',
    ],
    [
      'two spellings of one name',
      'intent,text\né,one\ne\u0301,two\n',
      'invalid_request',
      'is the same name as "é", written with other characters',
    ],
    [
      'more than one import takes',
      `intent,text\n${Array.from({ length: LIMITS.maxExamplesPerWrite + 1 }, (_, i) => `a,x ${i}\n`).join('')}`,
      'invalid_file',
      'the file holds 81 examples, and one import takes at most 80',
    ],
  ])('of %s is refused whole', async (_, body, code, detail) => {
    const answer = await h.send('post', IMPORT, { body, headers: CSV });
    expect(answer).toMatchObject({ status: 400, body: { code, detail: expect.stringContaining(detail) } });
    expect(h.service.imports).toEqual([]);
  });

  test('that is too long says so in a dry run, which goes on', async () => {
    const rows = Array.from({ length: LIMITS.maxExamplesPerWrite + 1 }, (_, i) => `a,x ${i}\n`);
    const body = `intent,text\n${rows.join('')}`;
    const answer = await h.send('post', `${IMPORT}?dry_run=true`, { body, headers: CSV });
    expect(answer).toMatchObject({ status: 200, body: { notes: [expect.stringContaining('split it')] } });
  });

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    [''],
  ])('of type %p is refused: any page may send such a one', async (type) => {
    const answer = await h.send('post', IMPORT, {
      body: 'intent,text\na,b\n',
      headers: { 'content-type': type },
    });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    expect(answer.headers['accept']).toContain('text/csv');
  });

  test('of a body that is too long, or of none, is refused', async () => {
    const long = Buffer.alloc(LIMITS.maxImportBytes + 1, 'a');
    expect((await sendBytes(IMPORT, long, CSV)).status).toBe(413);
    expect(await h.send('post', IMPORT, { body: '', headers: CSV })).toMatchObject({ status: 400 });
  });

  test.each([['format=xml'], ['language=e'], ['dry_run=1'], ['colour=red']])('refuses ?%s', async (query) => {
    const answer = await h.send('post', `${IMPORT}?${query}`, { body: 'intent,text\na,b\n', headers: CSV });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('is refused while others are under way, and again possible when they are over', async () => {
    const done: (() => void)[] = [];
    const importBot = h.service.importBot.bind(h.service);
    h.service.importBot = async (...args) => {
      await new Promise<void>((resolve) => done.push(resolve));
      return importBot(...args);
    };
    const send = () => h.send('post', IMPORT, { body: 'intent,text\na,b\n', headers: CSV });
    const running = [send(), send()];
    while (done.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(await send()).toMatchObject({
      status: 503,
      body: { code: 'overloaded' },
      headers: { 'retry-after': '2' },
    });
    for (const finish of done.splice(0)) finish();
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
    h.service.importBot = importBot;
    expect((await send()).status).toBe(200);
  });

  test('needs a key that may write', async () => {
    h = harness({ keys: { readWrite: ['k'.repeat(16)], readOnly: ['r'.repeat(16)] } });
    const headers = { ...CSV, 'x-api-key': 'r'.repeat(16) };
    expect((await h.send('post', IMPORT, { body: 'intent,text\na,b\n', headers })).status).toBe(403);
    expect((await h.send('get', '/v1/bots/bank/export', { headers })).status).toBe(404);
  });
});

describe('an export', () => {
  beforeEach(async () => {
    await h.service.putIntents('bank', [{ name: 'a', description: 'About a', examples: ['one'] }]);
    await h.service.putCounterexamples('bank', ['x']);
  });

  test.each([
    ['', 'application/x-ndjson', "attachment; filename*=UTF-8''bank.jsonl"],
    ['?format=csv', 'text/csv; charset=utf-8', "attachment; filename*=UTF-8''bank.csv"],
    ['?format=rasa', 'application/yaml', "attachment; filename*=UTF-8''bank.yml"],
    ['?format=clu&language=de-de', 'application/json', "attachment; filename*=UTF-8''bank.clu.json"],
    ['?format=kshot', 'application/json', "attachment; filename*=UTF-8''bank.json"],
  ])('%s is a file that an import reads', async (query, type, disposition) => {
    const answer = await request(h.app)
      .get(`/v1/bots/bank/export${query}`)
      .buffer(true)
      .parse((response, done) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => done(null, Buffer.concat(parts)));
      });
    expect(answer.headers).toMatchObject({ 'content-type': type, 'content-disposition': disposition });
    const headers = { 'content-type': 'application/octet-stream' };
    expect((await sendBytes('/v1/bots/copy/import', answer.body as Buffer, headers)).status).toBe(200);
    const description = query.includes('clu') ? {} : { description: 'About a' };
    expect(h.service.imports).toMatchObject([
      { intents: [{ name: 'a', ...description, examples: ['one'] }], counterexamples: ['x'] },
    ]);
  });

  test('of what the format cannot hold is refused', async () => {
    await h.service.putIntents('bank', [{ name: 'None', examples: ['one'] }]);
    const answer = await h.send('get', '/v1/bots/bank/export?format=clu');
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('rename it') } });
  });

  test('of no bot is 404', async () => {
    expect((await h.send('get', '/v1/bots/none/export')).status).toBe(404);
  });
});
