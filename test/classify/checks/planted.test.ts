import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { checkBot } from '../../../src/classify/checks/checkBot.js';
import { type CheckedText, withCompared } from '../../../src/classify/checks/checkedBot.js';
import type { Checks } from '../../../src/classify/checks/finding.js';
import { embedTexts } from '../../../src/classify/embedTexts.js';
import { readBotFile } from '../../../src/cli/importExport.js';
import { BUNDLED_MODEL } from '../../../src/config.js';
import type { Encoder } from '../../../src/encoder/encoder.js';
import { loadEncoder } from '../../../src/encoder/load.js';
import type { BotDocument } from '../../../src/formats/document.js';

// The demo bot through the encoder that ships, as it is and with faults.

const DEMO = fileURLToPath(new URL('../../../../data/demo.yml', import.meta.url));

let encoder: Encoder;
let demo: BotDocument;
/** Embeddings by text. */
const seen = new Map<string, Float32Array>();
beforeAll(async () => {
  encoder = await loadEncoder({ model: BUNDLED_MODEL, device: 'cpu', threads: 1 });
  ({ document: demo } = await readBotFile(DEMO));
}, 60_000);
afterAll(() => encoder.close());

/** Checks the demo bot with other examples for some intents, or with more of them. */
async function checked(changes: Record<string, (examples: readonly string[]) => readonly string[]> = {}) {
  const looked = (texts: readonly string[]) =>
    texts.map((text): CheckedText => ({ text, isCut: !encoder.readsWhole(text) }));
  const names = [...demo.intents.map(({ name }) => name), ...Object.keys(changes)];
  const intents = [...new Set(names)].map((name) => {
    const examples = demo.intents.find((intent) => intent.name === name)?.examples ?? [];
    return { name, hasDescription: false, examples: looked(changes[name]?.(examples) ?? examples) };
  });
  const { dimension: D } = encoder;
  const bot = await withCompared(
    { intents, counterexamples: looked(demo.counterexamples) },
    D,
    async (texts) => {
      const unseen = texts.map(({ text }) => text).filter((text) => !seen.has(text));
      for (const [text, embedding] of await embedTexts(encoder, unseen)) seen.set(text, embedding);
      const rows = new Float32Array(texts.length * D);
      texts.forEach(({ text }, row) => rows.set(seen.get(text)!, row * D));
      return rows;
    },
  );
  return checkBot(bot);
}

const codes = ({ checks }: Checks) =>
  checks.filter(({ severity }) => severity !== 'info').map(({ code, intents }) => [code, ...intents]);
const more =
  (...texts: string[]) =>
  (examples: readonly string[]) => [...examples, ...texts];

test('the demo bot has no error and no warning', async () => {
  const checks = await checked();
  expect(codes(checks)).toEqual([]);
  expect(checks).toMatchObject({ texts: 172, compared: 172, left_out: 0 });
  // Of its counter-examples, what comes near to an intent is of use.
  const [unused] = checks.checks.filter(({ code }) => code === 'unused_counterexamples');
  const texts = unused?.examples.map(({ text }) => text);
  expect(texts).toContain('who won the match last night');
  expect(texts).not.toContain('how do i buy bitcoin');
});

describe('a fault that is planted is found', () => {
  test.each([
    ['the same text', 'I lost my card.', 'same_text'],
    ['a near-duplicate', 'i have lost my card', 'near_duplicate'],
    ['another one', 'someone took my purse, please stop the card', 'near_duplicate'],
    [
      'a text of another intent',
      'my credit card got stolen at the airport this morning',
      'nearer_to_other_intent',
    ],
  ])('%s', async (_, text, code) => {
    expect(codes(await checked({ balance: more(text) }))).toEqual([
      [code, expect.anything(), expect.anything()],
    ]);
    const [finding] = (await checked({ balance: more(text) })).checks;
    expect([...finding!.intents].sort()).toEqual(['balance', 'card_lost']);
    expect(finding!.examples.map((example) => example.text)).toContain(text);
  });

  test('an intent under two names, for nearly all of the 20', async () => {
    const severities: Record<string, string> = {};
    for (const { name, examples } of demo.intents) {
      const halves = [0, 1].map((half) => examples.filter((_, i) => i % 2 === half));
      const { checks } = await checked({ [name]: () => halves[0]!, [`${name}_2`]: () => halves[1]! });
      const finding = checks.find(
        ({ code, intents }) => code === 'overlapping_intents' && intents[1] === `${name}_2`,
      );
      if (finding !== undefined) severities[name] = finding.severity;
      expect(finding?.pairs.length ?? 1).toBeGreaterThan(0);
    }
    // 19 of them; 18 on a processor without VNNI, where the encoder in int8 is a little less exact.
    expect(Object.keys(severities).length).toBeGreaterThanOrEqual(18);
    expect(
      Object.values(severities).filter((severity) => severity === 'warning').length,
    ).toBeGreaterThanOrEqual(15);
  });

  test('an intent of one example, one of none, and a text that is cut', async () => {
    const long = 'and then my card was gone '.repeat(120);
    const checks = await checked({
      mobile_pay: more('can i pay with my phone'),
      intent_17: () => [],
      card_lost: more(long),
    });
    expect(codes(checks)).toEqual([
      ['empty_intent', 'intent_17'],
      ['few_examples', 'mobile_pay'],
      ['cut_text', 'card_lost'],
    ]);
  });

  test('an intent that outgrows all others', async () => {
    const times = Array.from(
      { length: 80 },
      (_, i) => `transfer ${i + 2} euros to my landlord ref ${i * 7919}`,
    );
    expect(codes(await checked({ transfer_money: more(...times) }))).toEqual([
      ['imbalanced_intents', 'transfer_money'],
    ]);
  });
});
