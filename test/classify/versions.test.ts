import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { ClassifyResult, ClassifyService } from '../../src/classify/service.js';
import { MAX_SPARE_VERSIONS } from '../../src/classify/versions.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { writeCheckpoint } from '../heads/checkpoints.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

// Versions and aliases of live bots, with the real store and heads.

const GOOD = [
  { name: 'one', examples: ['i lost my card', 'my card is gone', 'cannot find my card anywhere'] },
  { name: 'two', examples: ['what is my balance', 'how much money do i have', 'show the balance'] },
];
/** The same words mean the opposite. */
const BROKEN = [
  { name: 'one', examples: GOOD[1]!.examples },
  { name: 'two', examples: GOOD[0]!.examples },
];
const TEXT = 'my card is gone too';

let folder: string;
let encoder: WordEncoder;
let service: ClassifyService;
const warnings: string[] = [];

async function open(): Promise<void> {
  service = await openService({
    encoder,
    store: await openSqliteStore(join(folder, 'kshot.db')),
    maxTextChars: 200,
    calibration: bundledCalibration,
    snapshotDirectory: join(folder, 'index'),
    headsDirectory: join(folder, 'heads'),
    warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
  });
}

// One service for all tests that do not close it: what its worker threads have compiled stays.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kshot-versions-'));
  await mkdir(join(folder, 'heads'));
  encoder = new WordEncoder();
  await open();
});

beforeEach(async () => {
  await service.putIntents('bank', GOOD);
});

afterEach(async () => {
  for (const { name } of await service.listBots()) await service.deleteBot(name);
  expect(warnings.splice(0)).toEqual([]);
});

afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true });
  expect(warnings).toEqual([]);
});

async function classify(version?: string, text = TEXT): Promise<ClassifyResult> {
  const options = { explain: true, ...(version === undefined ? {} : { version }) };
  return (await service.classify('bank', [text], options))[0]!;
}

const refused = (code: string) => expect.objectContaining({ name: 'KshotError', code });
const save = (version: string) => service.saveVersion('bank', version, null);

/** Two versions that answer otherwise: `good`, and `broken`, which the bot is now. */
async function goodAndBroken(): Promise<void> {
  await save('good');
  await service.putIntents('bank', BROKEN);
  await save('broken');
}

describe('a version', () => {
  test('answers as the bot did, whatever is written to the bot', async () => {
    const { version } = await service.saveVersion('bank', 'v1', ' the first one ');
    expect(version).toMatchObject({
      name: 'v1',
      note: 'the first one',
      revision: 1,
      head: 'adapted',
      intents: 2,
      examples: 6,
      counterexamples: 0,
      aliases: [],
    });
    await service.putIntents('bank', BROKEN);
    const answer = await classify('v1');
    expect(answer).toMatchObject({
      intent: 'one',
      explanation: { adapted: true },
      model: { revision: 1, version: 'v1' },
    });
    const now = await classify();
    expect(now).toMatchObject({ intent: 'two', model: { revision: 2 } });
    expect(now.model).not.toHaveProperty('version');
    await service.deleteIntent('bank', 'one');
    expect(await classify('v1')).toEqual(answer);
  });

  test('has adapted, and is calibrated, when it answers first, and answers alike from then on', async () => {
    await save('v1');
    const answers = await Promise.all(Array.from({ length: 5 }, () => classify('v1')));
    for (const answer of [...answers, await classify('v1')]) expect(answer).toEqual(answers[0]);
    expect(answers[0]!.explanation).toMatchObject({ adapted: true });
  });

  test('answers under the settings that the bot had', async () => {
    await service.putBot('bank', { head: 'matching', threshold: 0 });
    await save('lenient');
    await service.putBot('bank', { threshold: 1 });
    expect(await classify('lenient', 'what of it')).toMatchObject({
      out_of_scope: false,
      model: { head: 'matching' },
    });
    expect((await classify(undefined, 'what of it')).out_of_scope).toBe(true);
    expect(await service.getVersion('bank', 'lenient')).toMatchObject({ head: 'matching' });
  });

  test('takes nothing from the encoder when it is saved, loaded, restored or exported', async () => {
    await save('v1');
    await service.putIntents('bank', BROKEN);
    await classify('v1');
    encoder.seen.length = 0;
    await classify('v1');
    await service.getVersionContents('bank', 'v1');
    await service.restoreVersion('bank', 'v1');
    expect(encoder.seen).toEqual([TEXT]);
  });

  test('of a bot without intents answers that nothing is in scope', async () => {
    await service.putBot('empty', {});
    await service.saveVersion('empty', 'v1', null);
    const [answer] = await service.classify('empty', [TEXT], { version: 'v1' });
    expect(answer).toMatchObject({ intent: null, out_of_scope: true });
  });

  test('does not count as a bot', async () => {
    const before = service.stats();
    await save('v1');
    await service.putAlias('bank', 'production', 'v1');
    expect(service.stats()).toMatchObject({ bots: 1, intents: before.intents, examples: before.examples });
    expect(await service.listBots()).toHaveLength(1);
    expect((await service.listHeads()).reduce((sum, { bots }) => sum + bots, 0)).toBe(1);
  });

  test('that many others were asked for since is brought back', async () => {
    const first = await (async () => {
      await save('v0');
      return classify('v0');
    })();
    for (let i = 1; i <= MAX_SPARE_VERSIONS; i++) {
      await service.addExamples('bank', 'two', [`example ${i}`]);
      await save(`v${i}`);
      await classify(`v${i}`);
    }
    expect(await classify('v0')).toEqual(first);
  });

  test('that does not exist, or belongs to another bot, is unknown', async () => {
    await save('v1');
    await service.putBot('shop', {});
    await expect(service.classify('shop', [TEXT], { version: 'v1' })).rejects.toEqual(
      refused('unknown_version'),
    );
    await expect(classify('none')).rejects.toEqual(refused('unknown_version'));
    await expect(service.classify('none', [TEXT], { version: 'v1' })).rejects.toEqual(refused('unknown_bot'));
    await expect(service.saveVersion('none', 'v1', null)).rejects.toEqual(refused('unknown_bot'));
    await expect(service.listVersions('none')).rejects.toEqual(refused('unknown_bot'));
    await expect(service.deleteVersion('bank', 'none')).rejects.toEqual(refused('unknown_version'));
    await service.deleteVersion('bank', 'v1');
    await expect(classify('v1')).rejects.toEqual(refused('unknown_version'));
  });

  test('that is deleted while it answers finishes its answers', async () => {
    await save('v1');
    await classify('v1');
    const texts = Array.from({ length: 200 }, (_, i) => `my card is gone ${i}`);
    const request = service.classify('bank', texts, { version: 'v1' });
    await service.deleteVersion('bank', 'v1');
    expect((await request).map(({ intent }) => intent)).toEqual(texts.map(() => 'one'));
  });

  test('goes with its bot', async () => {
    await save('v1');
    await service.putAlias('bank', 'production', 'v1');
    await service.deleteBot('bank');
    await service.putIntents('bank', BROKEN);
    expect(await service.listVersions('bank')).toEqual([]);
    expect(await service.listAliases('bank')).toEqual([]);
    await expect(classify('production')).rejects.toEqual(refused('unknown_version'));
  });
});

describe('changes', () => {
  test('between a version and the bot as it is now, and back', async () => {
    await save('v1');
    await service.addExamples('bank', 'two', ['how rich am i']);
    await service.deleteIntent('bank', 'one');
    await service.putCounterexamples('bank', ['tell me a joke']);
    await save('v2');
    const changes = await service.versionChanges('bank', 'v1');
    expect(changes).toMatchObject({
      bot: 'bank',
      from: 'v1',
      to: null,
      totals: {
        intents: { added: 0, changed: 1, removed: 1, unchanged: 0 },
        examples: { added: 1, removed: 3, kept: 3 },
        counterexamples: { added: 1, removed: 0, kept: 0 },
      },
      counterexamples: { added: ['tell me a joke'] },
    });
    await service.putAlias('bank', 'production', 'v1');
    const back = await service.versionChanges('bank', 'v2', 'production');
    expect(back).toMatchObject({ from: 'v2', to: 'v1', totals: { examples: { added: 3, removed: 1 } } });
    const { totals } = await service.versionChanges('bank', 'v2');
    expect(totals.intents).toEqual({ added: 0, changed: 0, removed: 0, unchanged: 1 });
  });
});

describe('restoring', () => {
  test('makes the bot answer as it did, at a revision of its own', async () => {
    await service.putBot('bank', { threshold: 0.3 });
    await service.putCounterexamples('bank', ['tell me a joke']);
    await save('v1');
    const held = await service.getVersionContents('bank', 'v1');
    await service.putIntents('bank', BROKEN);
    await service.putBot('bank', { head: 'matching', threshold: 0.9 });
    await service.putCounterexamples('bank', []);

    const result = await service.restoreVersion('bank', 'v1');
    expect(result).toMatchObject({ bot: 'bank', revision: 7 });
    expect(result.added.map(({ text }) => text)).toContain('tell me a joke');
    expect(await classify()).toMatchObject({ intent: 'one', model: { head: 'adapted', revision: 7 } });
    expect(await service.getBot('bank')).toMatchObject({ settings: { threshold: 0.3 }, revision: 7 });
    const { totals } = await service.versionChanges('bank', 'v1');
    expect(totals.intents.unchanged).toBe(held.intents.length);
    expect(totals.counterexamples).toEqual({ added: 0, removed: 0, kept: 1 });

    await service.close();
    await open();
    expect(await service.getBot('bank')).toMatchObject({ settings: { threshold: 0.3 }, revision: 7 });
    expect(await classify()).toMatchObject({ intent: 'one' });
  });

  test('by an alias, and of what the bot is already', async () => {
    await save('v1');
    await service.putAlias('bank', 'production', 'v1');
    expect(await service.restoreVersion('bank', 'production')).toEqual({
      bot: 'bank',
      revision: 1,
      added: [],
      removed: [],
    });
    await expect(service.restoreVersion('bank', 'none')).rejects.toEqual(refused('unknown_version'));
  });
});

describe('an alias', () => {
  test('is answered by the version that it points at, and can be moved and rolled back', async () => {
    await goodAndBroken();
    expect(await service.putAlias('bank', 'production', 'good')).toMatchObject({
      created: true,
      alias: { name: 'production', version: 'good', history: [] },
    });
    expect(await classify('production')).toMatchObject({ intent: 'one', model: { version: 'good' } });
    const moved = await service.putAlias('bank', 'production', 'broken');
    expect(moved).toMatchObject({ created: false, alias: { history: [{ version: 'good' }] } });
    expect(await classify('production')).toMatchObject({ intent: 'two', model: { version: 'broken' } });
    expect(await service.rollBackAlias('bank', 'production')).toMatchObject({ version: 'good', history: [] });
    expect(await classify('production')).toMatchObject({ intent: 'one', model: { version: 'good' } });
    expect((await service.listVersions('bank')).map(({ name, aliases }) => [name, aliases])).toEqual([
      ['broken', []],
      ['good', ['production']],
    ]);
  });

  test('of an alias is the version that that one points at', async () => {
    await goodAndBroken();
    await service.putAlias('bank', 'staging', 'broken');
    const { alias } = await service.putAlias('bank', 'production', 'staging');
    expect(alias.version).toBe('broken');
    await service.putAlias('bank', 'staging', 'good');
    expect((await classify('production')).model.version).toBe('broken');
  });

  test('moves to a version whose head has adapted, and no answer wavers', async () => {
    await goodAndBroken();
    const expected = { good: await classify('good'), broken: await classify('broken') };
    await service.close();
    await open(); // So that neither is in memory.
    await service.putAlias('bank', 'production', 'good');
    let isMoving = true;
    const asking = (async () => {
      const answers: ClassifyResult[] = [];
      while (isMoving) {
        answers.push(...(await Promise.all([classify('production'), classify('production')])));
        await nextTurn(); // This encoder never waits: the worker's messages would not come through.
      }
      return answers;
    })();
    for (let i = 0; i < 10; i++) {
      await service.putAlias('bank', 'production', i % 2 === 0 ? 'broken' : 'good');
    }
    await service.rollBackAlias('bank', 'production');
    isMoving = false;
    const answers = await asking;
    expect(answers.length).toBeGreaterThan(10);
    for (const answer of answers) {
      expect(answer).toEqual(expected[answer.model.version as keyof typeof expected]);
    }
  });

  test('keeps its version alive over a restart', async () => {
    await goodAndBroken();
    await service.putAlias('bank', 'production', 'good');
    const before = await classify('production');
    await service.close();
    await open();
    encoder.seen.length = 0;
    expect((await classify('production')).model).toEqual(before.model);
    expect(encoder.seen).toEqual([TEXT]);
  });

  test('is refused what cannot be', async () => {
    await save('v1');
    await service.putAlias('bank', 'production', 'v1');
    await expect(service.putAlias('bank', 'v1', 'v1')).rejects.toEqual(refused('name_taken'));
    await expect(save('production')).rejects.toEqual(refused('name_taken'));
    await expect(service.putAlias('bank', 'production', 'v2')).rejects.toEqual(refused('unknown_version'));
    await expect(service.rollBackAlias('bank', 'production')).rejects.toEqual(
      refused('nothing_to_roll_back'),
    );
    await expect(service.rollBackAlias('bank', 'none')).rejects.toEqual(refused('unknown_alias'));
    await expect(service.deleteVersion('bank', 'v1')).rejects.toEqual(refused('version_in_use'));
    await service.deleteAlias('bank', 'production');
    await expect(service.deleteAlias('bank', 'production')).rejects.toEqual(refused('unknown_alias'));
    await service.deleteVersion('bank', 'v1');
    await service.close();
    await expect(service.putAlias('bank', 'production', 'v1')).rejects.toMatchObject({ name: 'KshotError' });
    await open();
  });
});

test('a reload of the heads reaches versions that are in memory, and they alone where the bot has moved on', async () => {
  const { dimension, fingerprint } = encoder;
  const write = (seed: number) =>
    writeCheckpoint(join(folder, 'heads'), 'mine', {
      head: 'projected',
      dimension,
      encoder: fingerprint,
      options: { width: 16 },
      seed,
    });
  await write(1);
  await service.reloadHeads();
  await service.putBot('bank', { head: 'mine' });
  await save('v1');
  await service.putAlias('bank', 'production', 'v1');
  await service.putBot('bank', {});
  const before = await classify('production');
  expect(before.model.head).toBe('mine');

  await write(2);
  const reload = await service.reloadHeads();
  expect(reload).toMatchObject({ changes: [{ head: 'mine', change: 'changed' }], bots_renewed: 0 });
  const after = await classify('production');
  expect(after.model.head).toBe('mine');
  expect(after.ranking).not.toEqual(before.ranking);
  await service.deleteAlias('bank', 'production');
  await service.deleteVersion('bank', 'v1');
  await write(3);
  await service.reloadHeads();
  expect((await classify()).model.head).toBe('adapted');
});

test('an encoder that is replaced leaves versions and aliases as they were', async () => {
  await goodAndBroken();
  await service.putAlias('bank', 'production', 'good');
  await service.close();
  encoder = new WordEncoder('words-2');
  await open();
  expect(await classify('production')).toMatchObject({ intent: 'one', model: { version: 'good' } });
  expect(await classify('broken')).toMatchObject({ intent: 'two' });
});

test('a service that closes frees versions that still answer', async () => {
  await save('v1');
  const request = classify('v1').catch((error: unknown) => error);
  await service.close();
  expect([undefined, 'not_ready', 'cancelled']).toContain(((await request) as { code?: string }).code);
  await open();
});
