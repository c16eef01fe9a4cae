import { expect, test } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { readBotFile } from '../../src/cli/importExport.js';

const file = (name: string) => fileURLToPath(new URL(`../../../data/${name}`, import.meta.url));

test('the demo bot is an ordinary file of 20 intents, 8 examples each', async () => {
  const { format, document, notes } = await readBotFile(file('demo.yml'));
  expect({ format, notes }).toEqual({ format: 'rasa', notes: [] });
  expect(document.intents).toHaveLength(20);
  expect(document.intents.filter(({ examples }) => examples.length !== 8)).toEqual([]);
  expect(document.counterexamples).toHaveLength(12);
});

test('the held-out texts have gold labels of the demo bot and are none of its examples', async () => {
  const { document: demo } = await readBotFile(file('demo.yml'));
  const { document: heldOut, notes } = await readBotFile(file('demo-heldout.csv'));
  expect(notes).toEqual([]);
  expect(heldOut.intents.map(({ name }) => name)).toEqual(demo.intents.map(({ name }) => name));
  expect(heldOut.intents.filter(({ examples }) => examples.length !== 2)).toEqual([]);
  expect(heldOut.counterexamples).toHaveLength(15);

  const known = new Set([...demo.intents.flatMap(({ examples }) => examples), ...demo.counterexamples]);
  const texts = [...heldOut.intents.flatMap(({ examples }) => examples), ...heldOut.counterexamples];
  expect(texts.filter((text) => known.has(text))).toEqual([]);
});
