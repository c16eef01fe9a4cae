import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// The package as another project sees it: by the name kshot/client, with its declarations, and without Node's types or any package's.

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** Touches each group of methods; every type comes from kshot/client. */
const CONSUMER = `
import {
  type BotChecks, type BotMap, type ClassifyResult, type Evaluation, type FileImport, Kshot, KshotApiError, type Suggestions,
  type VersionChanges, type WriteResult,
} from 'kshot/client';

export async function use(kshot: Kshot, signal: AbortSignal): Promise<void> {
  const one: ClassifyResult = await kshot.classify('bank', 'hello', { top: 3, signal });
  const several: ClassifyResult[] = await kshot.classify('bank', ['hello', 'bye']);
  const written: WriteResult = await kshot.intents.put('bank', 'greet', { examples: ['hello'] });
  const imported: FileImport = await kshot.import('bank', new Blob(['intent,text']), { dryRun: true, format: 'csv' });
  const checks: BotChecks = await kshot.check('bank');
  const map: BotMap = await kshot.map('bank');
  const found: Suggestions = await kshot.suggest('bank', { strategy: 'margin' });
  const changes: VersionChanges = await kshot.versions.changes('bank', 'v1');
  const { id } = await kshot.evaluations.crossValidate('bank');
  const evaluation: Evaluation = await kshot.evaluations.finished('bank', id);
  const threshold: number | undefined = (await kshot.bots.get('bank')).settings.threshold;
  // @ts-expect-error There is no such strategy.
  await kshot.suggest('bank', { strategy: 'guess' });
  // @ts-expect-error A number is no text.
  await kshot.classify('bank', 1);
  void [one, several, written, imported, checks, map, found, changes, evaluation, threshold];
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof KshotApiError ? error.code : undefined;
}

const kshot = new Kshot({ url: 'http://kshot.test', fetch: async () => Response.json({ status: 'ok', version: '1.2.3' }) });
console.log((await kshot.health()).version);
`;

// Of the package's declarations all are checked; of the DOM's, which take most of the time, none.
const OPTIONS = {
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'DOM'],
  types: [],
  skipDefaultLibCheck: true,
};

let project: string;
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'kshot-consumer-'));
  const kshot = join(project, 'node_modules/kshot');
  mkdirSync(kshot, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(kshot, 'package.json'));
  cpSync(fileURLToPath(new URL('../../src/client', import.meta.url)), join(kshot, 'dist/src/client'), {
    recursive: true,
    filter: (file) => !file.endsWith('.d.ts'),
  });
  await run(process.execPath, [
    TSC,
    '-p',
    join(ROOT, 'tsconfig.client.json'),
    '--outDir',
    join(kshot, 'dist'),
  ]);
  writeFileSync(join(project, 'package.json'), '{"type": "module"}');
  writeFileSync(join(project, 'consumer.ts'), CONSUMER);
}, 120_000);

afterAll(() => {
  rmSync(project, { recursive: true });
});

/** What the type checker complains of. */
async function complaints(options: object): Promise<string> {
  const compilerOptions = { ...OPTIONS, ...options };
  const file = join(project, 'tsconfig.json');
  writeFileSync(file, JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  return run(process.execPath, [TSC, '-p', file]).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
}

describe('kshot/client', () => {
  test('is type-checked for Node.js, and runs', async () => {
    expect(await complaints({ module: 'nodenext', moduleResolution: 'nodenext' })).toBe('');
    const { stdout } = await run(process.execPath, [join(project, 'consumer.js')]);
    expect(stdout).toBe('1.2.3\n');
  }, 120_000);

  test('is type-checked for a bundler', async () => {
    const options = { module: 'esnext', moduleResolution: 'bundler', noEmit: true };
    expect(await complaints({ ...options, exactOptionalPropertyTypes: true })).toBe('');
  }, 120_000);
});
