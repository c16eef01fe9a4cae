import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import {
  isLoopback,
  printableSettings,
  readSettings,
  requireKeysBeyondLoopback,
  settingOptions,
  settingsTable,
  unknownVariables,
  type SettingGroup,
} from '../src/config.js';
import { KshotError } from '../src/errors.js';

const GROUPS: SettingGroup[] = [
  'server',
  'store',
  'encoder',
  'heads',
  'jobs',
  'security',
  'limits',
  'logging',
];
const KEY = 'k'.repeat(16);

function problemOf(flags: Record<string, unknown>, environment: NodeJS.ProcessEnv = {}): KshotError {
  try {
    readSettings(flags, environment);
  } catch (error) {
    if (error instanceof KshotError) return error;
    throw error;
  }
  throw new Error('The settings were taken');
}

function parse(args: string[]): Record<string, unknown> {
  const command = new Command().exitOverride();
  for (const option of settingOptions(GROUPS)) command.addOption(option);
  return command.parse(args, { from: 'user' }).opts();
}

describe('reading settings', () => {
  test('nothing given gives the defaults', () => {
    const settings = readSettings({}, {});
    expect(settings).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      dataDir: './data/store',
      device: 'auto',
      apiKeys: [],
      maxBodyBytes: 1_048_576,
      logTexts: false,
      demo: true,
    });
    expect(settings.model).toMatch(/models[\\/]encoder$/);
    expect(settings.weights).toBeUndefined();
  });

  test('a flag goes before a variable, a variable before the default', () => {
    const environment = { KSHOT_PORT: '9000', KSHOT_MAX_TEXTS: '10' };
    expect(readSettings(parse(['--port', '9001']), environment)).toMatchObject({ port: 9001, maxTexts: 10 });
    expect(readSettings({}, environment).port).toBe(9000);
  });

  test('a switch is turned either way by flag and variable', () => {
    expect(readSettings(parse(['--no-demo', '--log-texts']), {})).toMatchObject({
      demo: false,
      logTexts: true,
    });
    expect(readSettings({}, { KSHOT_DEMO: 'off', KSHOT_LOG_TEXTS: '1' })).toMatchObject({
      demo: false,
      logTexts: true,
    });
    expect(
      readSettings(parse(['--demo', '--no-log-texts']), { KSHOT_DEMO: '0', KSHOT_LOG_TEXTS: 'yes' }),
    ).toMatchObject({
      demo: true,
      logTexts: false,
    });
  });

  test('an empty variable counts as absent, an empty flag does not', () => {
    expect(readSettings({}, { KSHOT_PORT: '', KSHOT_HOST: ' ' })).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
    });
    expect(problemOf({ host: '' }).message).toContain('--host (KSHOT_HOST) must not be empty');
  });

  test.each([
    ['port', 'http', 'must be a whole number'],
    ['port', '65536', 'must be from 0 to 65535'],
    ['port', '-1', 'must be a whole number'],
    ['maxTexts', '0', 'must be from 1 to'],
    ['maxTexts', '1e3', 'must be a whole number'],
    ['maxBodyBytes', '99999999999999999999', 'must be a whole number'],
    ['device', 'tpu', 'must be one of auto, cpu, cuda, webgpu'],
    ['demo', 'perhaps', 'must be true or false'],
    ['logLevel', 'loud', 'must be one of fatal'],
  ])('%s %s is refused', (name, value, message) => {
    const error = problemOf({ [name]: value });
    expect(error.code).toBe('invalid_configuration');
    expect(error.message).toContain(message);
    expect(error.message).toContain(value);
    expect(error.fields).toHaveLength(1);
  });

  test('every wrong setting is named at once, by flag and variable', () => {
    const error = problemOf({ port: 'x' }, { KSHOT_MAX_BATCH_TEXTS: 'y' });
    expect(error.fields?.map((problem) => problem.field)).toEqual([
      '--port (KSHOT_PORT)',
      '--max-batch-texts (KSHOT_MAX_BATCH_TEXTS)',
    ]);
  });

  test('the variable that Kubernetes sets for a service is explained', () => {
    expect(problemOf({}, { KSHOT_PORT: 'tcp://10.0.0.1:8080' }).message).toContain('enableServiceLinks');
  });

  test('a queue that cannot hold the largest request is refused', () => {
    expect(problemOf({ maxQueuedTexts: '10' }).message).toContain('--max-queued-texts');
  });

  test('the collector of traces is named by the standard variable too, ours first', () => {
    const standard = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318' };
    expect(readSettings({}, {}).otlpEndpoint).toBeUndefined();
    expect(readSettings({}, standard).otlpEndpoint).toBe('http://a:4318');
    expect(readSettings({}, { ...standard, KSHOT_OTLP_ENDPOINT: 'http://b' }).otlpEndpoint).toBe('http://b');
    expect(problemOf({ otlpEndpoint: 'localhost:4318' }).message).toContain('http or https address');
  });

  test('an address with a password is refused, and not shown', () => {
    const { message } = problemOf({ otlpEndpoint: 'http://user:hunter2@collector' });
    expect(message).toContain('without a password');
    expect(message).not.toContain('hunter2');
  });

  test('misspelt variables are found', () => {
    expect(unknownVariables({ KSHOT_API_KEY: 'x', KSHOT_PORT: '1', PATH: '/' })).toEqual(['KSHOT_API_KEY']);
  });
});

describe('the store', () => {
  const URL = 'postgres://kshot:dont-tell@db:5432/kshot?password=nor-this';

  test('is a PostgreSQL database where its URL is given, and the password is never printed', () => {
    const settings = readSettings({}, { KSHOT_STORE: URL });
    expect(settings.store).toBe(URL);
    expect(printableSettings(settings)).toMatchObject({ store: 'postgres://kshot@db:5432/kshot' });
    expect(printableSettings(readSettings({}, {}))['store']).toBeUndefined();
  });

  test.each([
    'mysql://kshot:dont-tell@db/kshot',
    'postgres://kshot:dont-tell@db',
    'dont-tell',
    'postgres://a:dont-tell@:x/y',
  ])('is refused where %s is none, without telling what was given', (store) => {
    const { message } = problemOf({ store });
    expect(message).toMatch(/^--store \(KSHOT_STORE\) must be the URL of a database/);
    expect(message).not.toContain('dont-tell');
  });
});

describe('API keys', () => {
  test('are split at commas', () => {
    const other = 'o'.repeat(20);
    expect(readSettings({}, { KSHOT_API_KEYS: ` ${KEY} ,${other},` }).apiKeys).toEqual([KEY, other]);
  });

  test('are required beyond loopback', () => {
    const start = (flags: Record<string, unknown>, hasStoredKeys = false) => {
      requireKeysBeyondLoopback(readSettings(flags, {}), hasStoredKeys);
    };
    const host = '0.0.0.0';
    expect(() => start({ host })).toThrow('--api-keys (KSHOT_API_KEYS) must be set to listen on 0.0.0.0');
    start({ host, apiKeys: KEY });
    start({ host, readOnlyApiKeys: KEY });
    start({ host, insecureNoAuth: true });
    start({ host }, true);
    start({});
    expect(problemOf({ insecureNoAuth: true, apiKeys: KEY }).message).toContain('--insecure-no-auth');
  });

  test('that are short, doubled or unprintable are refused, and none is in the message', () => {
    const short = 'tooshort';
    for (const flags of [
      { apiKeys: short },
      { apiKeys: `${KEY},${KEY}` },
      { apiKeys: KEY, readOnlyApiKeys: KEY },
    ]) {
      const error = problemOf(flags);
      expect(error.message).not.toContain(short);
      expect(error.message).not.toContain(KEY);
    }
    expect(problemOf({ apiKeys: 'a key that has spaces' }).message).not.toContain('a key that');
    expect(problemOf({ apiKeys: short }).message).toContain('at least 16 characters');
  });

  test('are not printed', () => {
    const printed = JSON.stringify(printableSettings(readSettings({ apiKeys: KEY }, {})));
    expect(printed).toContain('"apiKeys":"[1 redacted]"');
    expect(printed).not.toContain(KEY);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.1', true],
    ['localhost', true],
    ['::1', true],
    ['[::1]', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.0.0.1.example.org', false],
    ['example.org', false],
  ])('%s is loopback: %s', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });
});

describe('help and table', () => {
  test('every setting is in both, with flag, variable and default', () => {
    const command = new Command();
    for (const option of settingOptions(GROUPS)) command.addOption(option);
    const help = command.createHelp().formatHelp(command, command.createHelp()).replace(/\s+/g, ' ');
    const table = settingsTable();
    for (const [name, value] of Object.entries(readSettings({}, {}))) {
      const variable = `KSHOT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
      expect(help).toContain(variable);
      expect(table).toContain(`\`${variable}\``);
      if (typeof value === 'number') expect(table).toContain(`\`${value}\``);
    }
    expect(help).toContain('--no-demo');
    expect(help).not.toContain('--no-log-texts');
    expect(table).toContain('the bundled models/encoder');
    expect(table).not.toContain(process.cwd());
    expect(help).not.toContain(process.cwd());
  });

  test('a command takes the groups that it needs', () => {
    const names = settingOptions(['encoder', 'store']).map((option) => option.attributeName());
    expect(names).toContain('model');
    expect(names).not.toContain('port');
    const settings = readSettings({}, { KSHOT_HOST: '0.0.0.0', KSHOT_THREADS: '2' }, ['encoder', 'store']);
    expect(settings).toMatchObject({ host: '127.0.0.1', threads: 2 });
  });
});
