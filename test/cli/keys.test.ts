import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeySummary } from '../../src/keys/keyTypes.js';
import { FakeServer } from './fakeServer.js';
import { run } from './harness.js';

// Keys at the terminal, against a fake server that is told what to answer.

const AT = '2026-01-02T03:04:05.000Z';
const ADMIN: KeySummary = {
  id: 1,
  name: 'admin\u001b[31m',
  hint: 'kshot_abcd',
  access: 'write',
  bots: null,
  rate: null,
  created_at: AT,
  last_used_at: AT,
  revoked_at: null,
};
const CHAT: KeySummary = {
  ...ADMIN,
  id: 12,
  name: 'chat',
  hint: 'kshot_wxyz',
  access: 'read',
  bots: ['bank', 'shop'],
  rate: 2.5,
  last_used_at: null,
  revoked_at: AT,
};

let server: FakeServer;
beforeEach(async () => {
  server = await FakeServer.start();
});
afterEach(() => server.close());

/** Runs a command that is given this answer. */
function given(answer: unknown, ...args: string[]) {
  server.replies.push((response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  return run(['keys', ...args, '--url', server.url]);
}

describe('keys', () => {
  test('are listed', async () => {
    const { stdout } = await given({ keys: [ADMIN, CHAT] });
    expect(stdout.split('\n')).toEqual([
      `ID  NAME        KEY          ACCESS  BOTS         RATE  CREATED                   LAST USED                 REVOKED`,
      ` 1  admin [31m  kshot_abcd…  write   all bots           ${AT}  ${AT}`,
      `12  chat        kshot_wxyz…  read    bank, shop  2.5/s  ${AT}                            ${AT}`,
      '',
    ]);
    expect(JSON.parse((await given({ keys: [CHAT] }, 'list', '--json')).stdout)).toEqual([CHAT]);
    expect((await given({ keys: [] })).stdout).toContain('"kshot keys create" makes one');
  });

  test('are made: the secret alone on standard output', async () => {
    const made = { ...CHAT, secret: 'kshot_wxyz0', notice: null };
    const args = ['create', 'chat', '--bots', 'bank, shop', '--rate', '2.5'];
    expect(await given(made, ...args)).toMatchObject({
      code: 0,
      stdout: 'kshot_wxyz0\n',
      stderr: 'key 12, chat: read, bank, shop; it cannot be shown again\n',
    });
    expect(server.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/keys',
      body: { name: 'chat', access: 'read', bots: ['bank', 'shop'], rate: 2.5 },
    });
    const first = await given(
      { ...made, notice: 'It is closed now.' },
      'create',
      'x',
      '--access',
      'write',
      '--json',
    );
    expect(JSON.parse(first.stdout)).toMatchObject({ secret: 'kshot_wxyz0' });
    expect(first.stderr).toBe('note: It is closed now.\n');
    expect(server.requests.at(-1)?.body).toEqual({ name: 'x', access: 'write' });
  });

  test('are revoked, if that is meant', async () => {
    expect(await given(CHAT, 'revoke', '12')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect(await given(CHAT, 'revoke', '12', '--yes')).toMatchObject({
      code: 0,
      stdout: 'key 12, chat: revoked\n',
    });
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['DELETE /v1/keys/12']);
  });

  test.each([
    [['revoke', 'chat', '--yes']],
    [['create', 'chat', '--access', 'admin']],
    [['create', 'chat', '--rate', '0']],
    [['create', 'chat', '--rate', 'fast']],
    [['create']],
  ])('%j asks nobody', async (args) => {
    expect((await given({}, ...args)).code).toBe(2);
    expect(server.requests).toEqual([]);
  });
});

test('a server that a command starts has a key of its own, which the command sends', async () => {
  const keys: (string | undefined)[] = [];
  await run(['bots', '--api-key', 'another-0123456789'], {
    start: (_, ownKey) => {
      keys.push(ownKey);
      return Promise.resolve(server);
    },
  });
  expect(keys).toEqual([expect.stringMatching(/^kshot_[\w-]{43}$/)]);
  expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${keys[0]}`);
});
