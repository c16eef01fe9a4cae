import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeServer, problem } from './fakeServer.js';
import { run, type Invocation } from './harness.js';

// Unlabelled texts, suggestions and labels at the terminal, against a fake server.

let server: FakeServer;
let folder: string;

beforeEach(async () => {
  server = await FakeServer.start();
  server.addBot('bank', { card: ['lost my card'], money: ['my money'] });
  folder = mkdtempSync(join(tmpdir(), 'kshot-cli-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function online(args: string[], invocation: Invocation = {}) {
  return run([...args, '--bot', 'bank', '--url', server.url], invocation);
}

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const added = () => server.bots.get('bank')!.unlabelled.map(({ text }) => text);
const done = (stdout: string, stderr = '') => ({ code: 0, stdout, stderr, waits: [] });

describe('unlabelled add', () => {
  test.each([
    [
      'a text a line',
      'q.txt',
      'one, two\r\n\n  three\nintent,text\none, two\n',
      ['one, two', '  three', 'intent,text'],
    ],
    ['no ending', 'questions', '{"not": "json"}\n', ['{"not": "json"}']],
    ['CSV', 'q.csv', 'when;text\n1;"one; two"\n;\n2;three\n', ['one; two', 'three']],
    ['CSV of one column', 'q.csv', '\ntext\none\n"two, ""three"""\n', ['one', 'two, "three"']],
    ['labelled CSV', 'q.csv', 'intent,text\ncard,one\n', ['one']],
    ['JSON lines', 'q.jsonl', '{"text": "one", "at": 3}\n\n{"utterance": "two"}\n{"at": 4}', ['one', 'two']],
    ['UTF-16', 'q.txt', Buffer.from('\ufeffgrüß dich\n', 'utf16le'), ['grüß dich']],
  ])('reads %s', async (_, name, content, texts) => {
    expect(await online(['unlabelled', 'add', file(name, content)])).toEqual(
      done(
        `bot bank: ${texts.length} text${texts.length === 1 ? '' : 's'} added, 0 known; ${texts.length} unlabelled\n`,
      ),
    );
    expect(added()).toEqual(texts);
  });

  test('reads standard input, in a format that is named', async () => {
    const outcome = await online(['unlabelled', 'add', '-', '--format', 'jsonl', '--json'], {
      stdin: '{"text": "one"}\n',
    });
    expect(JSON.parse(outcome.stdout)).toEqual({ bot: 'bank', added: 1, known: 0, dropped: 0, total: 1 });
  });

  test('writes a long file in parts, and may be repeated', async () => {
    const path = file('q.txt', Array.from({ length: 2500 }, (_, i) => `text ${i}`).join('\n'));
    expect((await online(['unlabelled', 'add', path])).stdout).toBe(
      'bot bank: 2500 texts added, 0 known; 2500 unlabelled\n',
    );
    expect(server.requests.map(({ body }) => (body as { texts: string[] }).texts.length)).toEqual([
      1000, 1000, 500,
    ]);
    expect((await online(['unlabelled', 'add', path])).stdout).toContain('0 texts added, 2500 known');
  });

  test.each([
    ['an empty file', 'q.txt', ' \n', 'there is no text in it'],
    ['CSV without a column of texts', 'q.csv', 'a,b\n1,2\n', 'line 1: no CSV header'],
    [
      'CSV with a separator in a text',
      'q.csv',
      'text\none, two\n',
      'line 2: 2 fields where the header has 1',
    ],
    ['JSON lines that are none', 'q.jsonl', '{"text": "one"}\ntwo\n', 'line 2: not JSON'],
    ['a text that is a number', 'q.jsonl', '{"text": 7}', 'line 1: "text"'],
    ['what is not UTF-8', 'q.txt', Buffer.from([0x61, 0xff]), 'line 1: this is not UTF-8'],
  ])('refuses %s', async (_, name, content, message) => {
    const path = file(name, content);
    const { code, stderr } = await online(['unlabelled', 'add', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(`kshot: ${path}: `);
    expect(stderr).toContain(message);
    expect(server.requests).toEqual([]);
  });

  test('names a file that is not there', async () => {
    const { code, stderr } = await online(['unlabelled', 'add', join(folder, 'none.txt')]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('none.txt cannot be read: there is no such file or folder'),
    });
  });
});

describe('unlabelled list and clear', () => {
  test('show a table, page by page', async () => {
    await online(['unlabelled', 'add', file('q.txt', 'one\ntwo\u001b[31m\nthree')]);
    expect(await online(['unlabelled', 'list', '--limit', '2'])).toEqual(
      done(
        ['ID  SOURCE  TEXT', ' 1  given   one', ' 2  given   two [31m', ''].join('\n'),
        'note: of 3; go on with --after 2\n',
      ),
    );
    const { stdout, stderr } = await online(['unlabelled', 'list', '--after', '2', '--json']);
    expect(JSON.parse(stdout)).toEqual([{ id: 3, text: 'three', source: 'given' }]);
    expect(stderr).toBe('');
  });

  test('say where there are none', async () => {
    expect((await online(['unlabelled', 'list'])).stdout).toBe(
      'Bot bank has none; "kshot unlabelled add FILE --bot bank" adds some.\n',
    );
    expect((await online(['suggest'])).stdout).toContain('has no unlabelled texts');
  });

  test('delete only what is meant', async () => {
    await online(['unlabelled', 'add', file('q.txt', 'one\ntwo')]);
    const refused = await online(['unlabelled', 'clear']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('add --yes');
    expect(await online(['unlabelled', 'clear', '--yes'])).toEqual(done('bot bank: 2 texts deleted\n'));
  });
});

describe('suggest and label', () => {
  beforeEach(() => online(['unlabelled', 'add', file('q.txt', 'my card is blue\nrain?')]));

  test('show what to label, with the best guess', async () => {
    expect(await online(['suggest'])).toEqual(
      done(
        [
          'ID  SCORE  IN SCOPE  BEST GUESS  TEXT',
          ' 1  0.250      0.98  card 0.90   my card is blue',
          ' 2  0.250      0.05  card 0.90   rain?',
          '',
        ].join('\n'),
      ),
    );
    expect(server.requests.at(-1)?.path).toBe('/v1/bots/bank/suggestions?strategy=mix&limit=10');
  });

  test('ask by the strategy that is named', async () => {
    const { stdout } = await online(['suggest', '--strategy', 'committee', '--limit', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      strategy: 'committee',
      considered: 2,
      suggestions: [{ id: 1 }],
    });
  });

  test('label a text', async () => {
    expect((await online(['label', '1', 'card'])).stdout).toBe(
      'bot bank, revision 3: "my card is blue" is an example of card\n',
    );
    expect(server.requests.at(-1)).toMatchObject({
      path: '/v1/bots/bank/unlabelled/1/label',
      body: { intent: 'card' },
    });
    expect((await online(['label', '1', '--out-of-scope'])).stdout).toContain('"rain?" is a counter-example');
    expect(server.requests.at(-1)).toMatchObject({ body: { out_of_scope: true } });
  });

  test('tell what the server refuses', async () => {
    server.replies.push(problem(404, 'unknown_text', 'bot bank has no unlabelled text 7'));
    expect(await online(['label', '7', 'card'])).toMatchObject({
      code: 1,
      stderr: 'kshot: bot bank has no unlabelled text 7\n',
    });
  });

  test.each([
    ['neither intent nor out of scope', ['label', '1'], 'either an intent or --out-of-scope'],
    ['both', ['label', '1', 'card', '--out-of-scope'], 'either an intent or --out-of-scope'],
    ['an id that is none', ['label', 'first', 'card'], 'It must be a whole number from 1'],
    ['an unknown strategy', ['suggest', '--strategy', 'random'], 'Allowed choices are'],
    ['too many', ['suggest', '--limit', '101'], 'It must be at most 100'],
    [
      'an unknown format',
      ['unlabelled', 'add', 'x', '--format', 'rasa'],
      'Allowed choices are txt, csv, jsonl',
    ],
  ])('%s is exit code 2', async (_, args, message) => {
    const { code, stderr } = await online(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
