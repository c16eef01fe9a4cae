import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { SeenTexts } from '../../src/classify/seenTexts.js';
import type { EmbeddedText } from '../../src/store/store.js';

let batches: (readonly EmbeddedText[])[];
let seen: SeenTexts;

beforeEach(() => {
  jest.useFakeTimers();
  batches = [];
  seen = new SeenTexts((texts) => {
    batches.push(texts);
    return Promise.resolve();
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const row = (value: number) => Float32Array.of(value, value);
const written = () => batches.map((batch) => batch.map(({ text }) => text));

test('texts are written a second later, together, each once', () => {
  seen.keep('a', row(1));
  jest.advanceTimersByTime(600);
  seen.keep('b', row(2));
  seen.keep('a', row(1));
  expect(written()).toEqual([]);
  jest.advanceTimersByTime(400);
  expect(written()).toEqual([['a', 'b']]);
  seen.keep('a', row(1));
  jest.advanceTimersByTime(1000);
  expect(written()).toEqual([['a', 'b'], ['a']]);
});

test('a hundred are written without waiting, but not while they come', () => {
  for (let i = 0; i < 130; i++) seen.keep(`text ${i}`, row(i));
  expect(written()).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(batches.map((batch) => batch.length)).toEqual([130]);
});

test('an embedding is a copy', () => {
  const batch = Float32Array.of(1, 2, 3, 4);
  seen.keep('a', batch.subarray(0, 2));
  batch.fill(0);
  void seen.flush();
  expect(batches[0]).toEqual([{ text: 'a', embedding: Float32Array.of(1, 2) }]);
});

test('flush resolves when all that was kept before is written', async () => {
  const finish: (() => void)[] = [];
  const slow = new SeenTexts(() => new Promise((resolve) => finish.push(resolve)));
  let done = 0;
  await slow.flush();
  slow.keep('a', row(1));
  const first = slow.flush().then(() => done++);
  slow.keep('b', row(2));
  const both = slow.flush().then(() => done++);
  finish[1]!();
  await Promise.resolve();
  expect(done).toBe(0);
  finish[0]!();
  await Promise.all([first, both, slow.flush()]);
  expect(done).toBe(2);
});

test('what is discarded is not written', () => {
  seen.keep('a', row(1));
  seen.discard();
  jest.advanceTimersByTime(5000);
  expect(written()).toEqual([]);
});
