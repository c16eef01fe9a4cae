import { describe, expect, test } from '@jest/globals';
import { dealFolds, foldOf, judgedTexts } from '../../../src/classify/evaluation/folds.js';
import type { BotContents, StoredText } from '../../../src/store/store.js';

/** A bot of intents with so many examples each, and counter-examples; an embedding is `[id, -id]`. */
function botOf(examples: Record<string, number>, counterexamples: number): BotContents {
  const texts: StoredText[] = [];
  const add = (kind: StoredText['kind'], intent: string | null, text: string) =>
    texts.push({ id: texts.length + 1, kind, intent, text });
  for (let i = 0; i < counterexamples; i++) add('counterexample', null, `other ${i}`);
  for (const intent of Object.keys(examples)) add('label', intent, intent);
  // Mixed, as writes to different intents leave them.
  for (let i = 0; i < Math.max(...Object.values(examples)); i++) {
    for (const [intent, count] of Object.entries(examples)) {
      if (i < count) add('example', intent, `${intent} ${i}`);
    }
  }
  return {
    bot: { id: 1, name: 'bank', settings: {}, revision: 3, createdAt: '', updatedAt: '' },
    intents: Object.keys(examples).map((name) => ({ name, description: null })),
    texts,
    embeddings: Float32Array.from(texts.flatMap(({ id }) => [id, -id])),
  };
}

describe('dealing texts to folds', () => {
  const bot = botOf({ large: 23, small: 4, one: 1, none: 0 }, 7);
  const FOLDS = 5;
  const folds = (seed: number) => {
    const dealt = dealFolds(bot, FOLDS, seed);
    return Array.from({ length: FOLDS }, (_, fold) => foldOf(bot, dealt, fold, 2));
  };

  test('holds out every example and counter-example once, and no label', () => {
    const heldOut = folds(0).flatMap((fold) => fold.heldOut);
    expect(heldOut.sort((a, b) => a - b)).toEqual(judgedTexts(bot).sort((a, b) => a - b));
    expect(heldOut).toHaveLength(23 + 4 + 1 + 7);
    expect(heldOut.map((at) => bot.texts[at]!.kind)).not.toContain('label');
  });

  test.each([0, 1, 2])('deals each intent as evenly as can be (seed %i)', (seed) => {
    for (const intent of ['large', 'small', 'one', null]) {
      const sizes = folds(seed).map(
        ({ heldOut }) => heldOut.filter((at) => bot.texts[at]!.intent === intent).length,
      );
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  test('a fold is the bot without what is held out, with the embeddings that it has', () => {
    const [fold] = folds(0);
    const { kept, heldOut } = fold!;
    const left = new Set(heldOut.map((at) => bot.texts[at]!.id));
    expect(kept.texts).toEqual(bot.texts.filter(({ id }) => !left.has(id)));
    expect([...kept.embeddings]).toEqual(kept.texts.flatMap(({ id }) => [id, -id]));
    expect(kept.intents).toEqual(bot.intents);
    expect(kept.texts.filter(({ kind }) => kind === 'label')).toHaveLength(4);
  });

  test('a text that is added leaves the others where they are', () => {
    const foldsOf = (contents: BotContents) => {
      const dealt = dealFolds(contents, FOLDS, 4);
      return new Map(contents.texts.map(({ text }, at) => [text, dealt[at]]));
    };
    const after = foldsOf(botOf({ large: 23, small: 6, one: 1, none: 1 }, 7));
    for (const [text, fold] of foldsOf(bot)) expect([text, after.get(text)]).toEqual([text, fold]);
  });

  test('the seed decides', () => {
    expect(dealFolds(bot, FOLDS, 7)).toEqual(dealFolds(bot, FOLDS, 7));
    expect(dealFolds(bot, FOLDS, 7)).not.toEqual(dealFolds(bot, FOLDS, 8));
  });
});

test('texts are judged by intent, counter-examples last', () => {
  const bot = botOf({ a: 2, b: 2 }, 1);
  expect(judgedTexts(bot).map((at) => bot.texts[at]!.text)).toEqual(['a 0', 'a 1', 'b 0', 'b 1', 'other 0']);
});
