import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../src/config.js';
import { FakeServer, problem } from './fakeServer.js';
import { run, type Invocation } from './harness.js';

let server: FakeServer;
let folder: string;

beforeEach(async () => {
  server = await FakeServer.start();
  server.addBot('bank', { card: ['lost my card', 'card gone'], money: ['my money'] });
  folder = mkdtempSync(join(tmpdir(), 'kshot-cli-'));
});

afterEach(async () => {
  if (!server.closed) await server.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command against the fake server. */
function online(args: string[], invocation: Invocation = {}) {
  return run([...args, '--url', server.url], invocation);
}

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('help and usage', () => {
  test.each([
    [['--help'], 'import [options] <file>'],
    [['serve', '--help'], '--max-body-bytes <bytes>'],
    [['classify', '--help'], '$ kshot classify --bot demo "i lost my card"'],
    [['import', '--help'], '$ kshot import data/demo.yml --bot demo'],
    [['export', '--help'], '$ kshot export --bot demo --format rasa'],
    [['bots', '--help'], '$ kshot bots delete demo --yes'],
    [['bots', 'delete', '--help'], 'for good'],
    [['heads', '--help'], '$ kshot heads reload'],
    [['--version'], '1.2.3'],
  ])('%s prints to standard output', async (args, text) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(text);
  });

  test.each([
    ['no command', [], 'Usage: kshot'],
    ['an unknown command', ['frobnicate'], "kshot: unknown command 'frobnicate'"],
    ['an unknown option', ['bots', '--fast'], "kshot: unknown option '--fast'"],
    ['no file', ['import', '--bot', 'x'], "kshot: missing required argument 'file'"],
    [
      'no bot',
      ['classify', 'hello'],
      'kshot: which bot? Say --bot NAME, or set KSHOT_BOT (try "kshot classify --help")',
    ],
    [
      'an unknown format',
      ['export', '--bot', 'x', '--format', 'xml'],
      'Allowed choices are kshot, csv, jsonl, rasa, clu',
    ],
    [
      'a ranking of none',
      ['classify', '--bot', 'x', '--top', '0', 'hello'],
      'It must be a whole number from 1',
    ],
    ['texts and standard input', ['classify', '--bot', 'x', 'hello', '-'], 'not both'],
    ['a deletion that is not meant', ['bots', 'delete', 'x'], 'add --yes'],
    [
      'a setting that is wrong',
      ['serve', '--port', 'eighty'],
      'kshot: --port (KSHOT_PORT) must be a whole number',
    ],
  ])('%s is exit code 2', async (_, args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('classify', () => {
  test('prints a table for people', async () => {
    const { code, stdout, stderr } = await online([
      'classify',
      '--bot',
      'bank',
      'my card\u001b[31m',
      'rain?',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'INTENT                  CONFIDENCE  IN SCOPE  TEXT',
        'card                          0.90      0.98  my card [31m',
        '  money                       0.09',
        '(out of scope)                          0.05  rain?',
        '  card                        0.90',
        '  money                       0.09',
        '',
      ].join('\n'),
    );
  });

  test('prints an object a line for scripts', async () => {
    const { stdout } = await online([
      'classify',
      '--bot',
      'bank',
      '--json',
      '--top',
      '1',
      'my card',
      'rain?',
    ]);
    const results = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(results).toMatchObject([
      { text: 'my card', intent: 'card', ranking: [{ intent: 'card', confidence: 0.9 }] },
      { text: 'rain?', intent: null, out_of_scope: true },
    ]);
    expect(server.requests[0]?.body).toEqual({ texts: ['my card', 'rain?'], top: 1, explain: false });
  });

  test('says why', async () => {
    const explanation = { summary: 'because', threshold: 0.5 };
    const evidence = [{ example: 'lost my card', intent: 'card', similarity: 0.876 }];
    server.replies.push((response) => {
      const ranking = [{ intent: 'card', confidence: 0.9 }];
      const verdict = {
        text: 'x',
        intent: 'card',
        confidence: 0.9,
        out_of_scope: false,
        in_scope: 1,
        ranking,
      };
      response.end(JSON.stringify({ results: [{ ...verdict, evidence, explanation, truncated: true }] }));
    });
    const { stdout } = await online(['classify', '--bot', 'bank', '--explain', 'x']);
    expect(stdout).toContain('  why: because\n  near: "lost my card" (card, cosine 0.88)\n');
    expect(stdout).toContain('its end was ignored');
  });

  test.each([
    ['without texts', []],
    ['for "-"', ['-']],
  ])('reads standard input %s', async (_, args) => {
    const stdin = '\ufeffmy card\r\n\r\n  \nmoney';
    const { code, stdout, stderr } = await online(['classify', '--bot', 'bank', '--json', ...args], {
      stdin,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'note: skipped 2 empty lines\n' });
    expect(stdout.match(/"intent":"\w+","confidence":0.9,"out/g)).toHaveLength(2);
  });

  test('sends a long input in parts, in order', async () => {
    const lines = Array.from({ length: 600 }, (_, i) => `card ${i}`);
    const { stdout } = await online(['classify', '--bot', 'bank', '--json'], { stdin: lines.join('\n') });
    expect(server.requests.map(({ body }) => (body as { texts: string[] }).texts.length)).toEqual([
      256, 256, 87, 1,
    ]);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text),
    ).toEqual(lines);
  });

  test('answers a pipe as it comes', async () => {
    const seen: number[] = [];
    async function* pipe() {
      yield Buffer.from('card 1\ncar');
      await Promise.resolve();
      seen.push(server.requests.length);
      yield Buffer.from('d 2\n');
      seen.push(server.requests.length);
    }
    const { stdout } = await online(['classify', '--bot', 'bank', '--top', '1'], { stdin: pipe() });
    expect(seen).toEqual([1, 2]);
    expect(stdout).toContain('card 2');
  });

  test('names the line that the server refuses', async () => {
    const field = { field: 'texts.1', message: 'must be at most 10 characters long' };
    server.replies.push(problem(400, 'invalid_request', 'texts.1: must be at most 10', [field]));
    const { code, stderr } = await online(['classify', '--bot', 'bank'], { stdin: 'card\n\nvery long\n' });
    expect(code).toBe(1);
    expect(stderr).toBe('kshot: line 3 of standard input must be at most 10 characters long\n');
  });

  test('refuses what is not UTF-8', async () => {
    const { code, stderr } = await online(['classify', '--bot', 'bank'], {
      stdin: Buffer.from([0xe9, 0x0a]),
    });
    expect(code).toBe(1);
    expect(stderr).toContain('standard input is not UTF-8');
  });
});

describe('import', () => {
  const CSV =
    'intent,text,kind\ngreet,hello,\ngreet,hi,\ngreet,hi,\ncard,lost my card,\n,weather,counterexample\n';

  test('writes a file to a bot and says what changed', async () => {
    const path = file('bot.csv', CSV);
    const { code, stdout, stderr } = await online(['import', path, '--bot', 'bank']);
    expect(code).toBe(0);
    expect(stderr).toBe('note: skipped 1 repeated text (line 4)\n');
    expect(stdout).toBe(
      `${path}: CSV, 2 intents, 3 examples, 1 counter-example\n` +
        'bot bank, revision 2: 1 intent added, 1 intent changed, 2 examples added, 1 example removed, ' +
        '1 counter-example added\n',
    );
    const bot = server.bots.get('bank');
    expect(bot?.intents.get('greet')?.examples).toEqual(['hello', 'hi']);
    expect(bot?.intents.has('money')).toBe(true);
    expect(bot?.counterexamples).toEqual(['weather']);
  });

  test('creates the bot, from standard input, and reports as JSON', async () => {
    const { stdout } = await online(['import', '-', '--bot', 'new', '--json'], { stdin: CSV });
    expect(JSON.parse(stdout)).toMatchObject({
      bot: 'new',
      dry_run: false,
      format: 'csv',
      language: null,
      file: { intents: 2, examples: 3, counterexamples: 1 },
      notes: ['skipped 1 repeated text (line 4)'],
      revision: 2,
      totals: { intents: { added: 2 }, examples: { added: 3, removed: 0 } },
      intents: [
        { name: 'greet', change: 'added', added: ['hello', 'hi'] },
        { name: 'card', change: 'added', added: ['lost my card'] },
      ],
    });
    expect(server.bots.get('new')?.intents.size).toBe(2);
  });

  test('--dry-run without a bot reads and asks nobody', async () => {
    const { code, stdout } = await run(['import', file('bot.csv', CSV), '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('2 intents, 3 examples');
    expect(stdout).toContain('dry run: nothing was written');
  });

  test('--dry-run of a bot lists what would change', async () => {
    server.addBot('shop', { card: ['lost my card', 'card gone'], money: ['send money'], bye: ['bye'] });
    const path = file(
      'bot.csv',
      'intent,text\ncard,lost my card\ncard,stolen\ngreet,hello\nmoney,send money\n',
    );
    const { code, stdout } = await online(['import', path, '--bot', 'shop', '--dry-run', '--prune']);
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(1)).toEqual([
      '~ card: 1 added, 1 removed, 1 kept',
      '    + stolen',
      '    - card gone',
      '+ greet: new, 1 added',
      '    + hello',
      '- bye: goes, 1 removed',
      '    - bye',
      '  left as they are: 1 intent',
      'bot shop, revision 2: 1 intent added, 1 intent changed, 1 intent removed, 2 examples added, 2 examples removed',
      'dry run: nothing was written',
      '',
    ]);
    expect([...(server.bots.get('shop')?.intents.keys() ?? [])]).toEqual(['card', 'money', 'bye']);
  });

  test('reads an agent in the language that is asked for', async () => {
    const utterance = (text: string, language: string) => ({ text, language, intent: 'greet' });
    const project = {
      metadata: { language: 'en-us' },
      assets: { intents: [], utterances: [utterance('hello', 'en-us'), utterance('hallo', 'de')] },
    };
    const path = file('clu.json', JSON.stringify(project));
    const { stdout, stderr } = await online(['import', path, '--bot', 'new', '--language', 'de']);
    expect(stdout).toContain('Azure CLU project, 1 intent, 1 example');
    expect(stderr).toContain('note: read the texts in "de"; left out: en-us');
    expect(server.bots.get('new')?.intents.get('greet')?.examples).toEqual(['hallo']);
  });

  test('--prune makes the bot what the file says', async () => {
    server.bots.get('bank')!.counterexamples = ['rain'];
    const path = file('bot.jsonl', '{"intent": "card", "text": "lost my card"}\n');
    const { stdout } = await online(['import', path, '--bot', 'bank', '--prune']);
    expect(stdout).toContain('1 intent removed');
    const bot = server.bots.get('bank');
    expect([...(bot?.intents.keys() ?? [])]).toEqual(['card']);
    expect(bot?.counterexamples).toEqual([]);
  });

  test('sends all in one request', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => `{"intent": "big", "text": "text ${i}"}`);
    await online(['import', file('big.jsonl', rows.join('\n')), '--bot', 'new']);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/bots/new/import?format=jsonl&prune=false&dry_run=false',
    ]);
    expect(server.bots.get('new')?.intents.get('big')?.examples).toHaveLength(2500);
  });

  test('sends a long file in several writes where that is asked for', async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => `{"intent": "big", "text": "text ${i}"}`);
    const path = file('big.jsonl', ['{"intent": "small", "text": "x"}', ...rows].join('\n'));
    const { code } = await online(['import', path, '--bot', 'new', '--in-parts']);
    expect(code).toBe(0);
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /v1/bots/new/intents',
      'PUT /v1/bots/new/intents',
      'POST /v1/bots/new/intents/big/examples',
      'POST /v1/bots/new/intents/big/examples',
    ]);
    expect(server.bots.get('new')?.intents.get('big')?.examples).toHaveLength(2500);
    const bytes = server.requests.map(({ body }) => JSON.stringify(body).length);
    expect(Math.max(...bytes)).toBeLessThan(512 * 1024);
  });

  test('shows a bar on a terminal', async () => {
    const path = file('bot.csv', CSV);
    const { stderr } = await online(['import', path, '--bot', 'bank', '--in-parts'], { terminal: true });
    expect(stderr).toContain('Importing texts');
  });

  test('says which intent and example the server refuses', async () => {
    const field = { field: 'intents.0.examples.1', message: 'must not hold NUL' };
    server.replies.push(problem(400, 'invalid_request', 'intents.0.examples.1: must not hold NUL', [field]));
    const path = file('bot.csv', CSV);
    const { code, stderr } = await online(['import', path, '--bot', 'bank', '--in-parts']);
    expect(code).toBe(1);
    expect(stderr).toContain('kshot: intent "greet", "hi": must not hold NUL\n');
  });

  test('says that it broke off half-way', async () => {
    const rows = Array.from({ length: 1500 }, (_, i) => `{"intent": "i${i % 3}", "text": "text ${i}"}`);
    server.replies.push(
      (response) => response.end('{"bot": "b", "revision": 1, "added": [], "removed": []}'),
      problem(500, 'internal_error', 'The server failed'),
    );
    const path = file('b.jsonl', rows.join('\n'));
    const { code, stderr } = await online(['import', path, '--bot', 'b', '--in-parts']);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'kshot: The server failed (part of the file was written before; repeat the import once that is mended)\n',
    );
  });

  test.each([
    ['is not there', 'none.csv', 'there is no such file or folder'],
    ['is a folder', '.', 'it is a folder'],
  ])('refuses a file that %s', async (_, name, reason) => {
    const { code, stderr } = await online(['import', join(folder, name), '--bot', 'bank']);
    expect(code).toBe(1);
    expect(stderr).toBe(`kshot: ${join(folder, name)} cannot be read: ${reason}\n`);
  });

  test('refuses a broken file before it asks anybody', async () => {
    const path = file('broken.csv', 'intent,text\n,x\n');
    const { code, stderr } = await online(['import', path, '--bot', 'bank']);
    expect(code).toBe(1);
    expect(stderr).toContain(`kshot: ${path}: line 2: a text without an intent`);
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(server.requests).toEqual([]);
  });
});

describe('export', () => {
  test('writes to standard output, and what it writes is imported again', async () => {
    const bank = server.bots.get('bank')!;
    bank.counterexamples = ['rain', '- [x](y)'];
    bank.intents.get('card')!.description = 'About cards';
    bank.intents.set('a/b c?', { description: null, examples: ['slash'] });
    for (const format of ['kshot', 'csv', 'jsonl', 'rasa']) {
      const { code, stdout } = await online(['export', '--bot', 'bank', '--format', format]);
      expect(code).toBe(0);
      await online(['import', '-', '--bot', format], { stdin: stdout });
      expect(server.bots.get(format)).toMatchObject({
        intents: bank.intents,
        counterexamples: bank.counterexamples,
      });
    }
  });

  test('writes a file in the format that its name tells', async () => {
    const path = join(folder, 'out.yml');
    const { stdout, stderr } = await online(['export', '--bot', 'bank', '--output', path]);
    expect(stdout).toBe('');
    expect(stderr).toBe(`${path}: 2 intents, 3 examples, 0 counter-examples\n`);
    expect(readFileSync(path, 'utf8')).toContain('- intent: card');
  });

  test('says where it cannot write', async () => {
    const path = join(folder, 'no', 'out.csv');
    const { code, stderr } = await online(['export', '--bot', 'bank', '--output', path]);
    expect(code).toBe(1);
    expect(stderr).toBe(`kshot: ${path} cannot be written: there is no such file or folder\n`);
  });

  test('of an unknown bot says what to do', async () => {
    const { code, stderr } = await online(['export', '--bot', 'bonk']);
    expect(code).toBe(1);
    expect(stderr).toBe('kshot: There is no bot "bonk"; "kshot bots" lists the bots there are\n');
  });
});

describe('bots', () => {
  test('lists', async () => {
    const { stdout } = await online(['bots']);
    expect(stdout).toBe(
      'BOT   INTENTS  EXAMPLES  COUNTER-EXAMPLES  REVISION  UPDATED\n' +
        'bank        2         3                 0         1  2025-01-02T03:04:05.000Z\n',
    );
  });

  test('lists as JSON', async () => {
    const { stdout } = await online(['bots', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'bank', intents: 2 }]);
  });

  test('says so where there is none', async () => {
    server.bots.clear();
    expect((await online(['bots'])).stdout).toContain('There are no bots yet');
  });

  test('deletes', async () => {
    const { code, stdout } = await online(['bots', 'delete', 'bank', '--yes']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'bot bank is deleted\n' });
    expect(server.bots.size).toBe(0);
  });

  test.each(['..', '.', ''])('does not take "%s" for a bot', async (name) => {
    const { code, stderr } = await run(['bots', 'delete', '--yes', '--url', server.url, name]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: `kshot: "${name}" cannot be a name\n` });
    expect(server.requests).toEqual([]);
  });
});

describe('finding a server', () => {
  test('by the environment, with its key', async () => {
    server.apiKey = 'secret-secret-secret';
    const env = { KSHOT_URL: `${server.url}/`, KSHOT_API_KEY: server.apiKey, KSHOT_BOT: 'bank' };
    expect((await run(['classify', 'card'], { env })).stdout).toContain('card');

    const { code, stderr } = await run(['classify', 'card'], { env: { ...env, KSHOT_API_KEY: 'wrong' } });
    expect(code).toBe(1);
    expect(stderr).toBe('kshot: Send an API key; give it with --api-key or KSHOT_API_KEY\n');
    expect((await run(['classify', 'card', '--api-key', server.apiKey], { env })).code).toBe(0);
  });

  test('by who has the data folder open, waiting while it starts', async () => {
    const owners = [{ pid: 7 }, { pid: 7 }, { pid: 7, url: server.url }];
    const { code, waits } = await run(['bots'], { owners });
    expect({ code, waits }).toEqual({ code: 0, waits: [200, 200] });
  });

  test('but not for ever', async () => {
    const { code, stderr } = await run(['bots'], { owners: [{ pid: 7 }] });
    expect(code).toBe(1);
    expect(stderr).toContain('process 7 has the data folder open and does not serve');
  });

  test('by starting one, on loopback, without keys, and closing it', async () => {
    const start = jest.fn((_: Settings) => Promise.resolve(server));
    const env = { KSHOT_API_KEYS: 'k'.repeat(16), KSHOT_HOST: '0.0.0.0', KSHOT_DATA_DIR: '/some/folder' };
    const { code, stdout, stderr } = await run(['bots', '--device', 'cpu'], { start, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('bank');
    expect(start).toHaveBeenCalledTimes(1);
    expect(start.mock.calls[0]?.[0]).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      apiKeys: [],
      dataDir: '/some/folder',
      device: 'cpu',
      logLevel: 'silent',
    });
    expect(server.closed).toBe(true);
  });

  test('by starting one once a command like this has finished', async () => {
    const gone = await FakeServer.start();
    await gone.close();
    const owners = [{ pid: 7, url: server.url }, { pid: 7, url: 'http://127.0.0.1:1' }, undefined];
    server.ready = false;
    const start = () => Promise.resolve(server);
    const { code, waits } = await run(['bots'], { owners, start });
    expect({ code, waits }).toEqual({ code: 0, waits: [200, 200] });
  });

  test('closes the one it started where the work fails', async () => {
    const { code } = await run(['export', '--bot', 'bonk'], { start: () => Promise.resolve(server) });
    expect({ code, closed: server.closed }).toEqual({ code: 1, closed: true });
  });

  test.each([
    ['not-an-address', 'is no address'],
    ['ftp://host', 'must begin with http://'],
    ['http://user:word@host', 'must not hold a user or password'],
  ])('refuses %s', async (url, message) => {
    const { code, stderr } = await run(['bots', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('word@');
  });

  test('says that nobody answers', async () => {
    const { url } = server;
    await server.close();
    const { code, stderr } = await run(['bots', '--url', url]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `kshot: no answer from ${url} (connection refused); is "kshot serve" running there?\n`,
    );
  });
});

describe('a server that', () => {
  const busy = (after: string) => problem(503, 'overloaded', 'Too busy', undefined, { 'retry-after': after });

  test('is busy is asked again when it says', async () => {
    server.replies.push(busy('2'), busy('7'), problem(503, 'not_ready', 'Starting'));
    const { code, waits } = await online(['bots']);
    expect(code).toBe(0);
    expect(waits).toEqual([2000, 7000, expect.any(Number)]);
  });

  test('will be busy for long is not waited for', async () => {
    server.replies.push(busy('3600'));
    const { code, stderr, waits } = await online(['bots']);
    expect({ code, stderr, waits }).toEqual({ code: 1, stderr: 'kshot: Too busy\n', waits: [] });
  });

  test('stays busy is given up', async () => {
    server.replies.push(...Array.from({ length: 6 }, () => busy('1')));
    const { code, stderr, waits } = await online(['bots']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'kshot: Too busy\n' });
    expect(waits).toHaveLength(5);
  });

  test('finds several faults has them told in one line', async () => {
    const errors = [1, 2, 3, 4, 5].map((n) => ({ field: `f.${n}`, message: `is bad ${n}` }));
    server.replies.push(problem(400, 'invalid_request', 'f.1: is bad 1', errors));
    const { stderr } = await online(['bots']);
    expect(stderr).toBe('kshot: f.1: is bad 1 (f.2 is bad 2; f.3 is bad 3; f.4 is bad 4; 1 more)\n');
  });

  test('is none of ours is told from one that is', async () => {
    server.replies.push(
      (response) => response.end('<html>'),
      (response) => response.end('{"users": []}'),
      (response) => response.writeHead(404).end('not here'),
    );
    expect((await online(['bots'])).stderr).toContain('does not answer like kshot');
    expect((await online(['bots'])).stderr).toContain('the answer lacks "bots"');
    expect((await online(['bots'])).stderr).toContain("answered 404; is that address kshot's?");
  });
});

describe('heads', () => {
  const training = {
    method: 'induction',
    encoder: 'e1',
    weights: '0123456789abcdef',
    data: [],
    episodes: 7,
    results: {},
  };
  beforeEach(() => {
    const common = { default: false, available: true, reason: null, bots: 0 };
    server.heads.push(
      { ...common, name: 'adapted', kind: 'built-in', default: true, bots: 3, training: null },
      { ...common, name: 'mine', kind: 'trained', training },
      { ...common, name: 'old', kind: 'trained', reason: 'it is damaged', training },
      { ...common, name: 'far', kind: 'trained', available: false, reason: 'other encoder', training: null },
    );
  });

  test('are listed', async () => {
    const { stdout } = await online(['heads']);
    expect(stdout.split('\n')).toEqual([
      'HEAD               KIND      BOTS  WEIGHTS       STATE',
      'adapted (default)  built-in     3                available',
      'mine               trained      0  0123456789ab  available',
      'old                trained      0  0123456789ab  former weights: it is damaged',
      'far                trained      0                not available: other encoder',
      '',
    ]);
  });

  test('are listed as JSON', async () => {
    const { stdout } = await online(['heads', '--json']);
    expect(JSON.parse(stdout)).toEqual(server.heads);
  });

  test('are reloaded, and what comes of it is told', async () => {
    expect((await online(['heads', 'reload'])).stdout).toBe('nothing has changed\n2 bots renewed\n');
    server.headChanges.push(
      { head: 'mine', change: 'changed', reason: null },
      { head: 'old', change: 'kept', reason: 'it is damaged' },
    );
    expect((await online(['heads', 'reload'])).stdout).toBe(
      'mine: changed\nold: kept: it is damaged\n2 bots renewed\n',
    );
    expect(JSON.parse((await online(['heads', 'reload', '--json'])).stdout)).toMatchObject({
      bots_renewed: 2,
    });
  });
});

describe('serve', () => {
  test('runs until it is stopped, with what flags and environment say', async () => {
    const start = jest.fn((_: Settings) => Promise.resolve(server));
    const untilStopped = jest.fn(() => {
      expect(server.closed).toBe(false);
      return Promise.resolve();
    });
    const env = {
      KSHOT_PORT: '9000',
      KSHOT_LOG_LEVEL: 'warn',
      KSHOT_URL: 'http://elsewhere',
      KSHOT_PROT: '1',
    };
    const { code, stdout, stderr } = await run(['serve', '--port', '9001', '--no-demo'], {
      start,
      untilStopped,
      env,
    });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      'note: KSHOT_PROT is no setting of kshot and has no effect; "kshot serve --help" lists them\n',
    );
    expect(start.mock.calls[0]?.[0]).toMatchObject({ port: 9001, logLevel: 'warn', demo: false });
    expect(server.closed).toBe(true);
  });

  test('reloads its heads whenever it is asked to, from the start on', async () => {
    const reloads: (() => void)[] = [];
    const onReload = (reload: () => void) => reloads.push(reload);
    const start = () => {
      queueMicrotask(() => reloads[0]!()); // it is starting still
      return Promise.resolve(server);
    };
    const untilStopped = async () => {
      await new Promise(setImmediate);
      reloads[0]!();
      await new Promise(setImmediate);
    };
    expect((await run(['serve'], { start, onReload, untilStopped })).code).toBe(0);
    expect(server.reloads).toBe(2);
  });

  test('says at a terminal what to try', async () => {
    const { url } = server;
    const { stdout } = await run(['serve'], {
      terminal: true,
      start: () => Promise.resolve(server),
      untilStopped: () => Promise.resolve(),
    });
    expect(stdout).toContain(`kshot serves 1 bot at ${url} (docs: ${url}/docs)`);
    expect(stdout).toContain(`curl ${url}/v1/bots/bank/classify -H 'content-type: application/json' -d`);
  });

  test('says to send a key where the store has keys that the settings do not', async () => {
    const { url } = server;
    server.apiKey = 'a-key-of-the-store';
    const { stdout } = await run(['serve'], {
      terminal: true,
      start: () => Promise.resolve(server),
      untilStopped: () => Promise.resolve(),
    });
    expect(stdout).toContain(`kshot serves at ${url}`);
    expect(stdout).toContain('-H "authorization: Bearer $KSHOT_API_KEY"');
  });
});
