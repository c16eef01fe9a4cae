import { describe, expect, test } from '@jest/globals';
import { mapBot } from '../../../src/classify/map/mapBot.js';
import { principalLayout } from '../../../src/classify/map/principal.js';
import type { BotMap } from '../../../src/classify/mapTypes.js';
import { seeded, unitRows } from '../../heads/random.js';
import { around, botOf, D, type Placed, vector } from '../checks/bots.js';

type Points = BotMap['points'];

const of = (points: Points, intent: string | null) => points.filter((point) => point.intent === intent);
const distance = (a: Points[number], b: Points[number]) => Math.hypot(a.x - b.x, a.y - b.y);

/** Many texts around an axis, none like another. */
function cloud(name: string, axis: number, count: number): Placed[] {
  const centre = vector(...Array.from({ length: D }, (_, d) => Number(d === axis)));
  const rows = unitRows(count, D, seeded(axis + 1), centre, 1.5);
  return Array.from({ length: count }, (_, i) => [`${name} ${i}`, rows.slice(i * D, (i + 1) * D)]);
}

describe('a map', () => {
  const clouds = botOf({ a: cloud('a', 0, 10), b: cloud('b', 1, 10), '-': cloud('o', 2, 10) });
  const map = mapBot(clouds);

  test('has every text once, by intent, within -1 to 1', () => {
    const { method, shown, texts, points } = map;
    expect({ method, shown, texts }).toEqual({ method: 'umap', shown: 30, texts: 30 });
    expect(points.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(points.map(({ intent }) => intent)).toEqual([
      ...new Array<string>(10).fill('a'),
      ...new Array<string>(10).fill('b'),
      ...new Array<null>(10).fill(null),
    ]);
    const all = points.flatMap(({ x, y }) => [x, y]);
    expect(Math.max(...all.map(Math.abs))).toBe(1);
  });

  test('is the same for the same bot', () => {
    expect(mapBot(clouds)).toEqual(map);
  });

  test('keeps intents apart that are apart', () => {
    const { points } = map;
    for (const point of points) {
      const others = points.filter((other) => other !== point);
      const nearest = others.reduce((a, b) => (distance(point, a) <= distance(point, b) ? a : b));
      expect(nearest.intent).toBe(point.intent);
    }
  });

  test('of texts that are all the same has them in one place each', () => {
    const same: Placed[] = Array.from({ length: 20 }, (_, i) => [`text ${i}`, vector(1)]);
    const { points } = mapBot(botOf({ a: same }));
    expect(points).toHaveLength(20);
    expect(points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });

  test('tells which examples are nearer to another intent, as the check does', () => {
    const planted: Placed = ['misplaced', vector(0.1, 1, 0, 0, 0.4, 0.4, 0.3)];
    const bot = botOf({ a: [...around('a', 0, 8), planted], b: around('b', 1, 8) });
    const { points } = mapBot(bot);
    expect(points.filter(({ outlier }) => outlier).map(({ text }) => text)).toEqual(['misplaced']);
  });

  test('of few texts has their principal components', () => {
    const bot = botOf({ a: [['left', vector(1)]], b: [['right', vector(0, 1)]] });
    expect(mapBot(bot)).toMatchObject({
      method: 'pca',
      points: [
        { text: 'left', intent: 'a', y: 0 },
        { text: 'right', intent: 'b', y: 0 },
      ],
    });
    expect(mapBot(bot).points.map(({ x }) => Math.abs(x))).toEqual([1, 1]);
  });

  test('of one text, or none, is no error', () => {
    expect(mapBot(botOf({ a: [['alone', vector(1)]] })).points).toMatchObject([{ x: 0, y: 0 }]);
    expect(mapBot(botOf({ a: [] }))).toEqual({ method: 'pca', shown: 0, texts: 0, points: [] });
  });

  test('of a large bot shows the newest of each intent', () => {
    const { shown, texts, points } = mapBot(clouds, 24);
    expect({ shown, texts }).toEqual({ shown: 24, texts: 30 });
    const counts = ['a', 'b', null].map((intent) => of(points, intent).length);
    expect(counts).toEqual([8, 8, 8]);
    expect(of(points, 'b').map(({ text }) => text)).toEqual(
      clouds.intents[1]!.examples.slice(-8).map(({ text }) => text),
    );
  });

  test('of more intents than there is room for shows one text of each of the first', () => {
    const bot = botOf({ a: cloud('a', 0, 2), b: cloud('b', 1, 2), c: cloud('c', 2, 2) });
    expect(mapBot(bot, 2).points.map(({ text }) => text)).toEqual(['a 1', 'b 1']);
  });
});

test('principal components are those along which rows differ most', () => {
  // Four points on a cross in the first two axes, worked by hand: the mean is 0, the axes are the components.
  const rows = Float32Array.from([2, 0, 0, -2, 0, 0, 0, 1, 0, 0, -1, 0]);
  const layout = principalLayout(rows, 3).map((place) =>
    place.map((value) => Math.round(value * 1e4) / 1e4 + 0),
  );
  expect(layout).toEqual([
    [2, 0],
    [-2, 0],
    [0, 1],
    [0, -1],
  ]);
});
