import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { identifyEncoder } from '../../src/encoder/fingerprint.js';
import { loadEncoder } from '../../src/encoder/load.js';
import { copyEncoder, finishReplacement, settleReplacement } from '../../src/encoder/replacement.js';
import { writeTinyModel } from './tinyModel.js';

const made: string[] = [];
const keep = (folder: string): string => {
  made.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

const one = keep(writeTinyModel({ config: { _name_or_path: 'one' } }));
const two = keep(
  writeTinyModel({
    config: { _name_or_path: 'two' },
    vectors: Array.from({ length: 8 }, (_, i) => [i + 1, 1] as const),
  }),
);
const nameless = keep(writeTinyModel({ config: {} }));

let place: string;
let folder: string;
beforeEach(() => {
  place = keep(mkdtempSync(join(tmpdir(), 'kshot-replacement-')));
  folder = join(place, 'encoder');
});

async function nameOf(directory: string): Promise<string> {
  return (await identifyEncoder(directory, 'cpu')).name;
}

async function put(source: string): Promise<void> {
  await (await copyEncoder(source, folder)).install();
}

describe('an encoder that replaces another', () => {
  test('takes its place, the former one is kept, and goes back by being copied itself', async () => {
    cpSync(one, folder, { recursive: true });
    await put(two);
    expect([await nameOf(folder), await nameOf(`${folder}.former`)]).toEqual(['two', 'one']);
    await put(`${folder}.former`);
    expect([await nameOf(folder), await nameOf(`${folder}.former`)]).toEqual(['one', 'two']);
    expect(readdirSync(place).sort()).toEqual(['encoder', 'encoder.former']);
  });

  test('may come where there is none', async () => {
    folder = join(place, 'deep', 'encoder');
    await put(one);
    expect(await nameOf(folder)).toBe('one');
    expect(readdirSync(join(place, 'deep'))).toEqual(['encoder']);
  });

  test('is copied whole, but for hidden files, by what links lead to, and can be written', async () => {
    const source = keep(mkdtempSync(join(tmpdir(), 'kshot-source-')));
    cpSync(one, source, { recursive: true });
    writeFileSync(join(source, 'README.md'), 'about it');
    writeFileSync(join(source, '.hidden'), '');
    renameSync(join(source, 'config.json'), join(place, 'elsewhere.json'));
    symlinkSync(join(place, 'elsewhere.json'), join(source, 'config.json'));
    chmodSync(join(source, 'README.md'), 0o444);
    await put(source);
    expect(readdirSync(folder).sort()).toEqual(['README.md', 'config.json', 'onnx', 'tokenizer.json']);
    rmSync(join(place, 'elsewhere.json'));
    writeFileSync(join(folder, 'README.md'), 'changed');
    expect(await nameOf(folder)).toBe('one');
  });

  test('that goes by its folder’s name keeps that name; what had the place’s name has it again', async () => {
    cpSync(nameless, folder, { recursive: true });
    expect(await nameOf(folder)).toBe('encoder');
    const other = join(place, 'my-model');
    cpSync(nameless, other, { recursive: true });
    const copy = await copyEncoder(other, folder);
    expect(copy.name).toBe('my-model');
    await copy.install();
    expect(await nameOf(folder)).toBe('my-model');
    expect(JSON.parse(readFileSync(join(other, 'config.json'), 'utf8'))).toEqual({});
    const back = await copyEncoder(`${folder}.former`, folder);
    expect(back.name).toBe('encoder');
    await back.install();
    expect(await nameOf(folder)).toBe('encoder');
  });

  test('is refused where it holds the place, or is a remnant, and nothing changes', async () => {
    cpSync(one, folder, { recursive: true });
    cpSync(two, `${folder}.new`, { recursive: true });
    await expect(copyEncoder(place, folder)).rejects.toMatchObject({ code: 'invalid_configuration' });
    await expect(copyEncoder(`${folder}.new`, folder)).rejects.toThrow(/interrupted replacement/);
    expect(await nameOf(`${folder}.new`)).toBe('two');
    writeFileSync(join(place, 'file'), '');
    await expect(copyEncoder(two, join(place, 'file', 'encoder'))).rejects.toMatchObject({
      code: 'encoder_unavailable',
      message: expect.stringContaining('cannot be replaced'),
    });
  });

  test('leaves nothing when it is discarded', async () => {
    cpSync(one, folder, { recursive: true });
    await (await copyEncoder(two, folder)).discard();
    expect(readdirSync(place)).toEqual(['encoder']);
  });
});

describe('killed', () => {
  test('when the folder is just not there, the next to load it finds the new one', async () => {
    cpSync(one, `${folder}.former`, { recursive: true });
    cpSync(two, `${folder}.new`, { recursive: true });
    const encoder = await loadEncoder({ model: folder, device: 'cpu', threads: 1 });
    expect(encoder.name).toBe('two');
    await encoder.close();
    expect(readdirSync(place).sort()).toEqual(['encoder', 'encoder.former']);
  });

  test('before the folder was touched, it stays, and so does the former one', async () => {
    cpSync(one, folder, { recursive: true });
    cpSync(two, `${folder}.new`, { recursive: true });
    cpSync(two, `${folder}.discarded`, { recursive: true });
    await finishReplacement(folder);
    expect(await nameOf(folder)).toBe('one');
    await settleReplacement(folder);
    expect(await nameOf(`${folder}.former`)).toBe('two');
  });

  test('at any moment leaves one of the two whole, and the next goes through', async () => {
    const loop = fileURLToPath(new URL('./swapLoop.js', import.meta.url));
    cpSync(one, folder, { recursive: true });
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, [loop, folder, two, one], { stdio: ['pipe', 'pipe', 'inherit'] });
      const gone = new Promise((resolve) => child.once('close', resolve));
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await sleep(round); // any moment is as good
      child.kill('SIGKILL');
      await gone;

      await finishReplacement(folder);
      const found = await loadEncoder({ model: folder, device: 'cpu', threads: 1 });
      expect(['one', 'two']).toContain(found.name);
      await found.close();
      await settleReplacement(folder);
      expect(['one', 'two']).toContain(await nameOf(`${folder}.former`));
    }
    await put(one);
    expect(readdirSync(place).sort()).toEqual(['encoder', 'encoder.former']);
    expect(existsSync(join(folder, 'tokenizer.json'))).toBe(true);
  });
});
