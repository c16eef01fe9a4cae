import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import type { BotSupport } from '../../src/classify/supportSet.js';
import { UnlabelledTexts } from '../../src/classify/unlabelled.js';
import type { HeadVersion } from '../../src/heads/version.js';
import { createHead, HEAD_NAMES } from '../../src/heads/registry.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

// What unlabelled texts are to the heads that adapt.

const INTENTS = [
  { name: 'card_lost', examples: ['i lost my card', 'my card is gone'] },
  { name: 'balance', examples: ['what is my balance', 'how much money do i have'] },
];
const readers = HEAD_NAMES.filter((name) => createHead(name).readsUnlabelled);

let encoder: WordEncoder;
let store: Store;
let service: ClassifyService;
let adapted: number;
let warnings: string[];

beforeEach(async () => {
  adapted = 0;
  warnings = [];
  encoder = new WordEncoder();
  store = await openSqliteStore(':memory:');
  service = await openService({
    encoder,
    store,
    maxTextChars: 200,
    calibration: bundledCalibration,
    warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
    observer: {
      stage: () => undefined,
      classified: () => undefined,
      adapted: () => adapted++,
      loaded: () => undefined,
    },
  });
});
afterEach(async () => {
  await service.close();
});

/** Waits until heads have adapted and calibrations are fitted. */
async function settled(): Promise<void> {
  while (service.stats().adaptations > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a head that does not read them does not adapt to them', async () => {
  await service.putBot('bank', { head: 'adapted', keep_texts: true });
  await service.putIntents('bank', INTENTS);
  await settled();
  expect(adapted).toBe(1);
  await service.addUnlabelled('bank', ['where is my card', 'a text', 'another']);
  await service.classify('bank', ['where is my money']);
  const { texts } = await service.listUnlabelled('bank');
  await service.removeUnlabelled('bank', texts[0]!.id);
  await service.labelUnlabelled('bank', texts[1]!.id, null); // no part of a support set either
  await service.clearUnlabelled('bank');
  expect(service.stats().adaptations).toBe(0);
  await service.addUnlabelled('bank', ['my card is lost']);
  const [again] = (await service.listUnlabelled('bank')).texts;
  await service.labelUnlabelled('bank', again!.id, 'card_lost');
  expect(service.stats().adaptations).toBe(1);
  await settled();
  expect(adapted).toBe(2);
});

(readers.length > 0 ? describe : describe.skip)('a head that reads them', () => {
  beforeEach(async () => {
    await service.putBot('bank', { head: readers[0], keep_texts: true });
    await service.putIntents('bank', INTENTS);
    await settled();
  });

  test('adapts when they are added, removed or labelled', async () => {
    await service.addUnlabelled('bank', ['where is my card', 'lost money', 'my balance please']);
    const { texts } = await service.listUnlabelled('bank');
    for (const change of [
      () => service.removeUnlabelled('bank', texts[0]!.id),
      () => service.labelUnlabelled('bank', texts[1]!.id, null),
      () => service.labelUnlabelled('bank', texts[2]!.id, 'balance'),
      () => service.clearUnlabelled('bank'),
    ]) {
      await settled();
      const before = adapted;
      await change();
      expect(service.stats().adaptations).toBe(1);
      await settled();
      expect(adapted).toBe(before + 1);
    }
    const [result] = await service.classify('bank', ['my balance please']);
    expect(result).toMatchObject({ intent: 'balance' });
    expect(warnings).toEqual([]);
  });

  test('does not adapt to each that is seen', async () => {
    await service.classify('bank', ['where is my card']);
    expect((await service.listUnlabelled('bank')).total).toBe(1);
    expect(service.stats().adaptations).toBe(0);
  });
});

describe('the support set of an adaptation', () => {
  const support: BotSupport = {
    counts: [1],
    rows: new Float32Array(2),
    names: new Float32Array(2),
    labelled: [false],
  };
  const head = (readsUnlabelled?: true) =>
    ({ runtime: { head: { readsUnlabelled } } }) as unknown as HeadVersion;
  const unused = () => {
    throw new Error('is not asked');
  };
  const texts = () =>
    new UnlabelledTexts({
      ...{ encoder, store, idOf: unused, find: unused, write: unused, lastWrite: unused },
      ...{ read: unused, committee: unused, warn: unused },
    });

  test('has the newest of them beside it, for a head that reads them', async () => {
    await service.putBot('bank', {});
    expect(await texts().beside(support, 'bank', head(true))).toBe(support);
    await service.addUnlabelled('bank', ['one', 'two words']);
    const { embeddings } = await encoder.encode(['two words', 'one']);
    expect(await texts().beside(support, 'bank', head(true))).toEqual({ ...support, unlabelled: embeddings });
    expect(await texts().beside(support, 'bank', head())).toBe(support);
  });
});

test('texts that the store refuses are told of, and no request fails', async () => {
  await service.putBot('bank', { keep_texts: true });
  const refusal = new Error('the disk is full');
  store.addUnlabelled = () => Promise.reject(refusal);
  await service.classify('bank', ['where is my card']);
  expect(await service.listUnlabelled('bank')).toMatchObject({ total: 0 });
  expect(warnings).toEqual([
    'bot bank: texts that it classified could not be kept (1): Error: the disk is full',
  ]);
});
