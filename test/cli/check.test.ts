import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Checks } from '../../src/classify/checks/finding.js';
import type { BotChecks } from '../../src/classify/service.js';
import { FakeServer } from './fakeServer.js';
import { run } from './harness.js';

// `kshot check` at the terminal: files through the encoder that ships, bots of a fake server.

const DEMO = fileURLToPath(new URL('../../../data/demo.yml', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kshot-check-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The demo bot with more examples. */
function faulty(name: string, ...lines: string[]): string {
  const more = lines.map((text) => `      - ${text}\n`).join('');
  const demo = readFileSync(DEMO, 'utf8').replace(
    '      - i lost my card\n',
    `      - i lost my card\n${more}`,
  );
  const path = join(folder, name);
  writeFileSync(path, demo);
  return path;
}

describe('a file', () => {
  test('in which all is well is exit code 0, without a server', async () => {
    const outcome = await run(['check', DEMO]);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout).toContain('SEVERITY  CODE');
    expect(outcome.stdout).toContain('unused_counterexamples');
    expect(outcome.stdout).toMatch(
      /demo\.yml: 20 intents, 160 examples, 12 counter-examples: 0 errors, 0 warnings, \d+ info\n$/,
    );
  });

  test('with an error is exit code 1, and says what to do', async () => {
    const { code, stdout, stderr } = await run(['check', faulty('error.yml', 'Please unblock my card.')]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^note: .*|^$/) });
    expect(stdout).toContain(
      'error     same_text               "Please unblock my card." stands in card_lost and card_blocked\n',
    );
    expect(stdout).toContain('What to do:\n');
    expect(stdout).toContain('Keep it where it belongs and delete it elsewhere');
    expect(stdout).toContain(': 1 error, 0 warnings, ');
  });

  test.each([
    ['error', 0],
    ['warning', 1],
    ['info', 1],
  ])('with a warning, and --fail-on %s, is exit code %i', async (severity, code) => {
    const path = faulty('warning.yml', 'please unblock my cards');
    const outcome = await run(['check', path, '--fail-on', severity, '--json']);
    expect(outcome).toMatchObject({ code, stderr: '' });
    const checks = JSON.parse(outcome.stdout) as Checks;
    expect(checks).toMatchObject({ counts: { error: 0, warning: 1 }, texts: 173, compared: 173 });
    expect(checks.checks[0]).toMatchObject({
      code: 'near_duplicate',
      examples: [{ text: 'please unblock my cards', intent: 'card_lost' }, { intent: 'card_blocked' }],
    });
    expect(checks.checks[0]!.examples[0]).not.toHaveProperty('id');
  });

  test('may come from standard input, in a format that is named', async () => {
    const stdin = 'intent,text\na,one\nb,One!\n';
    const outcome = await run(['check', '-', '--format', 'csv', '--json'], { stdin });
    expect(outcome.code).toBe(1);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ checks: [{ code: 'same_text' }, {}, {}] });
  });

  test('that is not there, and an encoder that is not, are told', async () => {
    const missing = await run(['check', join(folder, 'none.yml')]);
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('none.yml cannot be read') });
    const encoder = await run(['check', DEMO, '--model', join(folder, 'no-model')]);
    expect(encoder).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^kshot: .+\n$/) });
  });
});

describe('a bot of a server', () => {
  const answer: BotChecks = {
    bot: 'bank',
    revision: 7,
    counts: { error: 0, warning: 1, info: 0 },
    texts: 20_000,
    compared: 10_000,
    left_out: 3,
    checks: [
      {
        code: 'overlapping_intents',
        severity: 'warning',
        message: 'card and money overlap',
        advice: 'Merge them.',
        intents: ['card', 'money'],
        examples: [
          { id: 1, text: 'my card\u001b[31m', intent: 'card' },
          { id: 2, text: 'my money', intent: 'money' },
        ],
        pairs: [{ first: 0, second: 1, similarity: 0.91 }],
      },
    ],
  };

  test('is asked for, shown with its pairs, and decides the exit code', async () => {
    const server = await FakeServer.start();
    try {
      const reply = () =>
        server.replies.push((response) => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
        });
      reply();
      const args = ['check', '--bot', 'bank', '--url', server.url];
      expect(await run(args)).toMatchObject({
        code: 0,
        stderr: '',
        stdout: [
          'SEVERITY  CODE                 FINDING',
          'warning   overlapping_intents  card and money overlap',
          '                                 0.91  "my card [31m" (card) and "my money" (money)',
          '',
          'What to do:',
          '  overlapping_intents  Merge them.',
          '',
          '… and 3 more',
          'compared: the newest of each intent, 10000 of 20000 texts',
          'bot bank: 20000 texts: 0 errors, 1 warning, 0 info',
          '',
        ].join('\n'),
      });
      expect(server.requests.at(-1)).toMatchObject({ method: 'GET', path: '/v1/bots/bank/checks' });
      reply();
      const outcome = await run([...args, '--json', '--fail-on', 'warning']);
      expect(outcome).toMatchObject({ code: 1, stderr: '' });
      expect(JSON.parse(outcome.stdout)).toEqual(answer);
    } finally {
      await server.close();
    }
  });
});

test.each([
  ['nothing to check', ['check'], 'Name a file, or say --bot NAME'],
  ['both a file and a bot', ['check', DEMO, '--bot', 'x'], 'either a file, or --bot'],
  ['both a file and a server', ['check', DEMO, '--url', 'http://x'], 'either a file, or --bot'],
  ['a format for a bot', ['check', '--bot', 'x', '--format', 'csv'], 'are for a file'],
  ['an unknown severity', ['check', DEMO, '--fail-on', 'fatal'], 'Allowed choices are error, warning, info'],
])('%s is exit code 2', async (_, args, message) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
