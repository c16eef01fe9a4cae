import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AliasSummary, VersionChanges, VersionSummary } from '../../src/classify/versionTypes.js';
import { FakeServer, problem } from './fakeServer.js';
import { run } from './harness.js';

// Versions and aliases at the terminal, against a fake server that is told what to answer.

const AT = '2026-01-02T03:04:05.000Z';
const V1: VersionSummary = {
  name: 'v1',
  note: 'the first\u001b[31m one',
  revision: 3,
  created_at: AT,
  head: 'weighing',
  intents: 2,
  examples: 12,
  counterexamples: 1,
  aliases: ['canary', 'production'],
};
const V2: VersionSummary = { ...V1, name: 'v2', note: null, revision: 10, aliases: [] };
const PRODUCTION: AliasSummary = {
  name: 'production',
  version: 'v2',
  moved_at: AT,
  history: [{ version: 'v1', moved_at: AT }],
};
const CHANGES: VersionChanges = {
  bot: 'bank',
  from: 'v1',
  to: null,
  totals: {
    intents: { added: 0, changed: 1, removed: 0, unchanged: 1 },
    examples: { added: 1, removed: 0, kept: 12 },
    counterexamples: { added: 0, removed: 0, kept: 1 },
  },
  intents: [
    { name: 'card', change: 'changed', description: 'unchanged', added: ['card gone'], removed: [], kept: 6 },
    { name: 'money', change: 'unchanged', description: 'unchanged', added: [], removed: [], kept: 6 },
  ],
  counterexamples: { change: 'unchanged', added: [], removed: [], kept: 1 },
};

let server: FakeServer;

beforeEach(async () => {
  server = await FakeServer.start();
  server.addBot('bank', { card: ['lost my card'] });
});
afterEach(() => server.close());

/** Runs a command that is given this answer. */
function given(answer: unknown, ...args: string[]) {
  server.replies.push((response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  return run([...args, '--bot', 'bank', '--url', server.url]);
}

const done = (...lines: string[]) => ({
  code: 0,
  stdout: lines.map((line) => `${line}\n`).join(''),
  stderr: '',
  waits: [],
});
const sent = () => {
  const { method, path, body } = server.requests.at(-1)!;
  return body === undefined ? `${method} ${path}` : `${method} ${path} ${JSON.stringify(body)}`;
};

describe('versions', () => {
  test('are listed', async () => {
    expect(await given({ versions: [V2, V1] }, 'versions')).toEqual(
      done(
        'VERSION  REVISION  INTENTS  EXAMPLES  SAVED                     ALIASES             NOTE',
        `v2             10        2        12  ${AT}`,
        `v1              3        2        12  ${AT}  canary, production  the first [31m one`,
      ),
    );
    expect(sent()).toBe('GET /v1/bots/bank/versions');
    const { stdout } = await given({ versions: [V1] }, 'versions', 'list', '--json');
    expect(JSON.parse(stdout)).toEqual([V1]);
    expect(await given({ versions: [] }, 'versions')).toEqual(
      done('Bot bank has none; "kshot versions save NAME --bot bank" saves it as it is now.'),
    );
  });

  test('are saved', async () => {
    expect(await given(V1, 'versions', 'save', 'v1', '--note', 'the first one')).toEqual(
      done('bot bank: revision 3 is saved as v1'),
    );
    expect(sent()).toBe('PUT /v1/bots/bank/versions/v1 {"note":"the first one"}');
    expect(JSON.parse((await given(V2, 'versions', 'save', 'v2', '--json')).stdout)).toEqual(V2);
    expect(sent()).toBe('PUT /v1/bots/bank/versions/v2 {}');
  });

  test('are shown', async () => {
    expect(await given({ ...V1, note: 'first' }, 'versions', 'show', 'production')).toEqual(
      done(
        `bot bank, version v1: revision 3, saved ${AT}`,
        '  2 intents, 12 examples, 1 counter-example',
        '  head weighing',
        '  aliases canary, production',
        '  first',
      ),
    );
    expect(sent()).toBe('GET /v1/bots/bank/versions/production');
  });

  test('are compared', async () => {
    expect(await given(CHANGES, 'versions', 'changes', 'v1')).toEqual(
      done(
        '~ card: 1 added, 6 kept',
        '    + card gone',
        '  left as they are: 1 intent, 1 counter-example',
        'bot bank, v1 to now: 1 intent changed, 1 example added',
      ),
    );
    expect(sent()).toBe('GET /v1/bots/bank/versions/v1/changes');
    const { stdout } = await given(
      { ...CHANGES, to: 'v2' },
      'versions',
      'changes',
      'v1',
      '--to',
      'v2',
      '--json',
    );
    expect(JSON.parse(stdout)).toMatchObject({ from: 'v1', to: 'v2' });
    expect(sent()).toBe('GET /v1/bots/bank/versions/v1/changes?to=v2');
  });

  test('are restored and deleted only where that is meant', async () => {
    const written = { bot: 'bank', revision: 11, added: [{ id: 7, text: 'a' }], removed: [] };
    expect(await given(written, 'versions', 'restore', 'v1', '--yes')).toEqual(
      done('bot bank, revision 11: as in v1, 1 text added, 0 removed'),
    );
    expect(sent()).toBe('POST /v1/bots/bank/versions/v1/restore');
    const deleted = { bot: 'bank', version: 'v1', deleted: true };
    expect(await given(deleted, 'versions', 'delete', 'v1', '--yes')).toEqual(
      done('bot bank: version v1 is deleted'),
    );
    server.requests.length = 0;
    for (const command of ['restore', 'delete']) {
      const { code, stderr } = await run(['versions', command, 'v1', '--bot', 'bank', '--url', server.url]);
      expect(code).toBe(2);
      expect(stderr).toContain('add --yes');
    }
    expect(server.requests).toEqual([]);
  });

  test('that are refused are told', async () => {
    server.replies.push(problem(409, 'version_exists', 'Bot "bank" has a version "v1"'));
    expect(await run(['versions', 'save', 'v1', '--bot', 'bank', '--url', server.url])).toMatchObject({
      code: 1,
      stderr: 'kshot: Bot "bank" has a version "v1"\n',
    });
  });

  test('are asked by name', async () => {
    await run(['classify', '--bot', 'bank', '--url', server.url, '--version', 'production', 'lost my card']);
    expect(server.requests.at(-1)!.body).toEqual({
      texts: ['lost my card'],
      top: 3,
      explain: false,
      version: 'production',
    });
    await run(['classify', '--bot', 'bank', '--url', server.url, 'lost my card']);
    expect(server.requests.at(-1)!.body).not.toHaveProperty('version');
  });

  test('are exported', async () => {
    const lines = ['{"intent":"card","text":"lost my card"}', '{"intent":"card","text":"card gone"}'];
    server.replies.push((response) => response.end(lines.join('\n')));
    const args = ['export', '--bot', 'bank', '--url', server.url, '--version', 'v1', '--format', 'csv'];
    expect(await run(args)).toMatchObject({
      code: 0,
      stdout: 'intent,text\ncard,lost my card\ncard,card gone\n',
    });
    expect(sent()).toBe('GET /v1/bots/bank/export?format=jsonl&version=v1');
  });
});

describe('aliases', () => {
  test('are listed', async () => {
    expect(await given({ aliases: [PRODUCTION] }, 'aliases')).toEqual(
      done('ALIAS       VERSION  MOVED                     BEFORE', `production  v2       ${AT}  v1`),
    );
    expect(await given({ aliases: [] }, 'aliases', 'list')).toEqual(
      done('Bot bank has none; "kshot aliases set NAME VERSION --bot bank" makes one.'),
    );
    expect(JSON.parse((await given({ aliases: [PRODUCTION] }, 'aliases', '--json')).stdout)).toEqual([
      PRODUCTION,
    ]);
  });

  test('are moved, rolled back and deleted', async () => {
    expect(await given(PRODUCTION, 'aliases', 'set', 'production', 'v2')).toEqual(
      done('bot bank: production points at v2'),
    );
    expect(sent()).toBe('PUT /v1/bots/bank/aliases/production {"version":"v2"}');
    const back = { ...PRODUCTION, version: 'v1', history: [] };
    expect(JSON.parse((await given(back, 'aliases', 'rollback', 'production', '--json')).stdout)).toEqual(
      back,
    );
    expect(sent()).toBe('POST /v1/bots/bank/aliases/production/rollback');
    const deleted = { bot: 'bank', alias: 'production', deleted: true };
    expect(await given(deleted, 'aliases', 'delete', 'production')).toEqual(
      done('bot bank: alias production is deleted'),
    );
    expect(sent()).toBe('DELETE /v1/bots/bank/aliases/production');
  });
});

test('--version without a command still tells the version of the program', async () => {
  expect(await run(['--version'])).toMatchObject({ code: 0, stdout: '1.2.3\n' });
});
