import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { AdaptTimer } from '../../src/classify/adaptTimer.js';

let timer: AdaptTimer;
let adaptations: number;

beforeEach(() => {
  jest.useFakeTimers();
  adaptations = 0;
  timer = new AdaptTimer(() => adaptations++);
});
afterEach(() => {
  jest.useRealTimers();
});

/** Adaptations within so many ms. */
function within(milliseconds: number): number {
  const before = adaptations;
  jest.advanceTimersByTime(milliseconds);
  return adaptations - before;
}

test('a burst of writes is one adaptation', () => {
  for (let write = 0; write < 20; write++) {
    timer.soon();
    expect(within(150)).toBe(0);
    expect(timer.isWaiting).toBe(true);
  }
  expect(within(10_000)).toBe(1);
  expect(timer.isWaiting).toBe(false);
});

test('writes without an end do not put it off for ever', () => {
  const writeFor = (seconds: number) => {
    let made = 0;
    for (let tenth = 0; tenth < 10 * seconds; tenth++) {
      timer.soon();
      made += within(100);
    }
    return made;
  };
  expect(writeFor(30)).toBe(3);
  timer.lastAdaptationMs = 5000;
  expect(writeFor(30)).toBe(2);
});

test('is done at once where somebody waits for it, if there is anything to do', () => {
  timer.hurry();
  expect(adaptations).toBe(0);
  timer.soon();
  timer.hurry();
  expect(adaptations).toBe(1);
  expect(timer.isWaiting).toBe(false);
  expect(within(10_000)).toBe(0);
});

test('what takes long is done less often, but not later than in five seconds', () => {
  timer.lastAdaptationMs = 2000;
  timer.soon();
  expect([within(1999), within(1)]).toEqual([0, 1]);
  timer.lastAdaptationMs = 60_000;
  timer.soon();
  expect([within(4999), within(1)]).toEqual([0, 1]);
});

test('seen texts count when a twentieth is new, and then once a minute', () => {
  timer.afterSeen(4, 100);
  expect(within(600_000)).toBe(0);
  timer.afterSeen(1, 101);
  expect(within(600_000)).toBe(0);
  timer.afterSeen(1, 102);
  expect(timer.isWaiting).toBe(false);
  for (let second = 0; second < 59; second++) {
    expect(within(1000)).toBe(0);
    timer.afterSeen(1, 103 + second);
  }
  expect(within(1000)).toBe(1);
  expect(within(600_000)).toBe(0);
});

test('an adaptation after a write has read what was seen', () => {
  timer.afterSeen(50, 100);
  timer.soon();
  expect(within(200)).toBe(1);
  expect(within(600_000)).toBe(0);
});

test('nothing comes after the end', () => {
  timer.soon();
  timer.afterSeen(1, 1);
  timer.cancel();
  expect(timer.isWaiting).toBe(false);
  expect(within(600_000)).toBe(0);
});
