import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { random } from '@jax-js/jax';
import type { LiveIntent } from '../../src/classify/botTexts.js';
import { CandidateScorer } from '../../src/classify/candidates.js';
import { openService } from '../../src/classify/live.js';
import { type BotSupport, supportRows } from '../../src/classify/supportSet.js';
import type { Head } from '../../src/heads/head.js';
import { createHead } from '../../src/heads/registry.js';
import { HeadRuntime, initHeads, type Leaves } from '../../src/heads/runtime.js';
import { createTrainedHead } from '../../src/heads/trained.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { seeded, unitRows } from '../heads/random.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

const D = 24;
/** Examples of intent i0, i1, ...; of the fifth more than a head looks at. */
const COUNTS = [1, 3, 5, 2, 70, 4, 0, 9];

/** A bot in memory, whose intents can be written to. */
class Bot {
  readonly embeddings = new Map<number, Float32Array>();
  readonly intents = new Map<string, LiveIntent>();
  /** The intents whose support set was asked for, call by call. */
  readonly asked: string[][] = [];
  readonly #random = seeded(7);

  constructor(counts: readonly number[]) {
    counts.forEach((count, i) => this.put(`i${i}`, count, 1));
  }

  /** Gives an intent other examples. */
  put(name: string, examples: number, version: number): void {
    const text = (kind: 'example' | 'label') => {
      const id = this.embeddings.size;
      this.embeddings.set(id, unitRows(1, D, this.#random));
      return { id, kind, intent: name, text: name };
    };
    this.intents.set(name, {
      ...{ name, description: null, version, label: text('label') },
      examples: Array.from({ length: examples }, () => text('example')),
    });
  }

  pick(names: readonly string[]): LiveIntent[] {
    return names.map((name) => this.intents.get(name)!);
  }

  supportOf = (intents: readonly LiveIntent[], maxShots?: number): BotSupport => {
    this.asked.push(intents.map(({ name }) => name));
    const classes = intents.map(({ examples, label }) => ({
      examples: examples.map(({ id }) => this.embeddings.get(id)!),
      label: this.embeddings.get(label.id)!,
      isTelling: true,
    }));
    return supportRows(classes, D, maxShots);
  };

  /** What the head gives those intents when the states of all intents are induced at once. */
  reference(runtime: HeadRuntime, query: Float32Array, names: readonly string[]): number[] {
    const all = [...this.intents.keys()];
    const state = runtime.load(runtime.induce(this.supportOf([...this.intents.values()])));
    const logits = runtime.score(state, query);
    state.dispose();
    return names.map((name) => logits[all.indexOf(name)]!);
  }
}

function runtimeOf(head: Head): HeadRuntime {
  return new HeadRuntime(head, D, head.init(random.key(5), D));
}

function expectClose(actual: Float32Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, c) => expect(actual[c]!).toBeCloseTo(value, 3));
}

const query = unitRows(1, D, seeded(3));

beforeAll(initHeads);

describe.each<[string, () => Head]>([
  ['prototypical', () => createHead('prototypical')],
  ['matching', () => createHead('matching')],
  ['relation', () => createTrainedHead('relation', { hidden: 16 })],
  ['induction', () => createTrainedHead('induction')],
])('candidates under the head %s', (_name, head) => {
  let runtime: HeadRuntime;
  beforeAll(() => {
    runtime = runtimeOf(head());
  });

  test('score as they do among all intents, in whichever order they are asked for', () => {
    const bot = new Bot(COUNTS);
    const scorer = new CandidateScorer(runtime, bot.supportOf);
    // The intent of most examples comes last, when states of fewer rows are known already.
    for (const names of [['i1', 'i0'], ['i6', 'i1', 'i5'], ['i4', 'i0', 'i7', 'i1', 'i6'], ['i2']]) {
      expectClose(scorer.score(query, bot.pick(names)), bot.reference(runtime, query, names));
    }
  });

  test('are induced once, and anew when they have changed', () => {
    const bot = new Bot(COUNTS);
    const scorer = new CandidateScorer(runtime, bot.supportOf);
    const names = ['i2', 'i3', 'i5'];
    const before = scorer.score(query, bot.pick(names));
    bot.asked.length = 0;
    expect(scorer.score(query, bot.pick(names))).toEqual(before);
    expect(bot.asked.flat()).toEqual([]);

    bot.put('i3', 4, 2);
    const after = scorer.score(query, bot.pick(names));
    expect(bot.asked.flat()).toEqual(['i3']);
    expectClose(after, bot.reference(runtime, query, names));
    expect(Math.abs(after[1]! - before[1]!)).toBeGreaterThan(0.01);
  });

  test('take no more memory than they may, and score right for it', () => {
    const bot = new Bot(Array.from({ length: 16 }, () => 3));
    const limit = 4000;
    const scorer = new CandidateScorer(runtime, bot.supportOf, limit);
    for (let i = 0; i < 16; i += 4) {
      const names = [0, 1, 2, 3].map((k) => `i${i + k}`);
      expectClose(scorer.score(query, bot.pick(names)), bot.reference(runtime, query, names));
      expect(scorer.bytes).toBeLessThanOrEqual(limit);
    }
  });
});

test('no candidates have no scores', () => {
  const scorer = new CandidateScorer(new HeadRuntime(createHead('prototypical'), D), new Bot([]).supportOf);
  expect(scorer.score(query, [])).toHaveLength(0);
});

/** Prototypes, less a part of what all of them have in common: no class's state is its own. */
function contextualHead(): Head {
  const head = createHead('prototypical');
  return {
    ...head,
    contextual: true,
    induce: (params, support) => {
      const { prototypes, bonus } = head.induce(params, support);
      const common = prototypes!.ref.sum(0, { keepdims: true }).mul(0.25); // [1, D]; padding adds nothing
      return { prototypes: prototypes!.sub(common), bonus: bonus! };
    },
  };
}

describe.each<[string, () => Head, (runtime: HeadRuntime, support: BotSupport) => Leaves]>([
  ['adapts', () => createHead('adapted'), (runtime, support) => runtime.adapt(support)],
  ['is contextual', contextualHead, (runtime, support) => runtime.induce(support)],
])('a head that %s', (_what, head, stateOf) => {
  test('judges the candidates among themselves, as a bot of no other intents', () => {
    const runtime = runtimeOf(head());
    const bot = new Bot([2, 1, 3, 0, 2]);
    const scorer = new CandidateScorer(runtime, bot.supportOf);
    for (const names of [
      ['i0', 'i3'],
      ['i0', 'i2', 'i3', 'i4'],
    ]) {
      const logits = scorer.score(query, bot.pick(names));
      const state = runtime.load(stateOf(runtime, bot.supportOf(bot.pick(names))));
      expectClose(logits, [...runtime.score(state, query)]);
      state.dispose();
    }
    bot.put('i0', 3, 2);
    const before = scorer.score(query, bot.pick(['i0', 'i2']));
    bot.put('i0', 3, 3);
    expect(scorer.score(query, bot.pick(['i0', 'i2']))[0]).not.toBeCloseTo(before[0]!, 3);
    expect(scorer.bytes).toBe(0);
  });
});

test.each(['adapted', 'prototypical'] as const)(
  'a bot of many intents answers by its state at each request: %s',
  async (head) => {
    const folder = await mkdtemp(join(tmpdir(), 'kshot-candidates-'));
    const warnings: unknown[] = [];
    const service = await openService({
      calibration: bundledCalibration,
      encoder: new WordEncoder(),
      store: await openSqliteStore(join(folder, 'kshot.db')),
      maxTextChars: 200,
      warn: (...warning) => warnings.push(warning),
    });
    const ask = async (text: string) => {
      const [result] = await service.classify('large', [text]);
      return result!.ranking.map(({ intent }) => intent);
    };
    try {
      const intents = Array.from({ length: 520 }, (_, i) => ({
        name: `about_subject${i}`,
        examples: [`please explain subject${i} today`, `subject${i} matters`],
      }));
      await service.putBot('large', { head });
      await service.putIntents('large', intents);
      expect((await ask('explain subject317'))[0]).toBe('about_subject317');
      expect((await ask('good morning zebra'))[0]).not.toBe('about_subject317');

      await service.addExamples('large', 'about_subject317', ['good morning zebra', 'morning zebra']);
      expect((await ask('good morning zebra'))[0]).toBe('about_subject317');

      await service.putIntents('large', [{ name: 'about_subject317', examples: ['subject317 only'] }]);
      expect((await ask('good morning zebra'))[0]).not.toBe('about_subject317');

      await service.deleteIntent('large', 'about_subject317');
      expect(await ask('explain subject317')).not.toContain('about_subject317');
      // An intent of the same name is another one.
      await service.putIntents('large', [{ name: 'about_subject317', examples: ['purple giraffe'] }]);
      expect((await ask('purple giraffe'))[0]).toBe('about_subject317');
    } finally {
      await service.close();
      await rm(folder, { recursive: true });
    }
    expect(warnings).toEqual([]);
  },
);
