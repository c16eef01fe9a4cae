import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { KshotError } from '../../errors.js';
import { STRATEGIES, type Strategy } from '../../heads/strategies.js';
import { labelsToReach } from '../activeLearning.js';
import type { Proportion } from '../../statistics/measures.js';
import { studentInterval } from '../../statistics/studentInterval.js';
import { type CurvePoint, curvesChart } from './curvesChart.js';
import { markdownTable, percent, signedPercent } from './markdown.js';

/** What a run is of; curves of another are not comparable. */
const settingSchema = z.strictObject({
  set: z.string(),
  encoder: z.string(),
  head: z.string(),
  committee: z.array(z.string()),
  pool: z.int(),
  batch: z.int(),
  /** Queries of each split. */
  queries: z.strictObject({ valid: z.int(), test: z.int() }),
});

const hits = z.strictObject({ valid: z.array(z.int()), test: z.array(z.int()) });

const schema = z.strictObject({
  setting: settingSchema,
  /** Labels given, from the start on; the same for every curve. */
  labels: z.array(z.int()),
  /** Queries that are right at each number of labels, by strategy and seed. */
  curves: z.partialRecord(z.enum(STRATEGIES), z.record(z.string(), hits)),
});

export type ActiveLearningSetting = z.infer<typeof settingSchema>;
export type ActiveLearningResults = z.infer<typeof schema>;

/**
 * Results that are there already; undefined without the file.
 *
 * @throws KshotError `invalid_file` for a file that holds something else.
 */
export async function readActiveLearning(file: string): Promise<ActiveLearningResults | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KshotError('invalid_file', `${file} holds no results of active learning`, { cause });
  }
}

/** The accuracies that labels are counted to. */
const GOALS = [0.75, 0.8, 0.85];

type Split = 'valid' | 'test';

/** The page on active learning, in Markdown; made of the results alone. */
export function activeLearningPage({ setting, labels, curves }: ActiveLearningResults): string {
  const strategies = STRATEGIES.filter((strategy) => curves[strategy] !== undefined);
  const seeds = Object.keys(curves.random ?? {}).length;
  const shown = shownSteps(labels);
  const section = (split: Split) => {
    const n = setting.queries[split];
    const accuracies = (strategy: Strategy, at: number) =>
      bySeed(curves[strategy]!).map(([, one]) => one[split][at]! / n);
    const mean = (strategy: Strategy) => bySeed(curves[strategy]!).map(([, one]) => average(one[split]) / n);
    return [
      markdownTable(
        ['strategy', ...shown.map((at) => String(labels[at]!)), 'mean over all'],
        strategies.map((strategy) => [
          strategy,
          ...shown.map((at) => percent(studentInterval(accuracies(strategy, at)))),
          percent(studentInterval(mean(strategy))),
        ]),
      ),
      'Against random on the same pools, in points:',
      markdownTable(
        ['strategy', ...shown.map((at) => String(labels[at]!)), 'mean over all'],
        strategies
          .filter((strategy) => strategy !== 'random')
          .map((strategy) => [
            strategy,
            ...shown.map((at) =>
              signedPercent(paired(accuracies(strategy, at), accuracies('random', at)) ?? UNKNOWN),
            ),
            signedPercent(paired(mean(strategy), mean('random')) ?? UNKNOWN),
          ]),
      ),
      `Labels until an accuracy is reached, those of the start among them; in brackets the share of random's.`,
      markdownTable(
        ['strategy', ...GOALS.map((goal) => `${100 * goal} %`)],
        strategies.map((strategy) => [
          strategy,
          ...GOALS.map((goal) => {
            const needed = (one: Strategy) =>
              bySeed(curves[one]!).map(([, run]) => labelsToReach(labels, run[split], goal * n));
            return neededText(needed(strategy), needed('random'), strategy === 'random');
          }),
        ]),
      ),
    ].join('\n\n');
  };
  return `${[
    '# Active learning',
    'Written by `npm run active-learning`; the figures are also in [active-learning.json](active-learning.json).',
    `A bot of the ${labels[0]} intents of ${setting.set} starts with their names and one example each. Somebody labels what it meets, ${setting.batch} texts at a time, out of a pool of ${setting.pool} texts of the training split: those that a strategy suggests. After each batch the head \`${setting.head}\` adapts anew and is tested. The encoder, \`${setting.encoder}\`, has not seen the set. Pool and start are drawn ${seeds} times, the same for every strategy; ± is half of a 95 % interval over these draws (Student's t).`,
    '![Accuracy by the number of labels](active-learning.svg)',
    `\`committee\` asks ${[setting.head, ...setting.committee].join(', ')}. What the others are stands in \`src/heads/acquisition.ts\`.`,
    `## Test: ${setting.queries.test} queries`,
    section('test'),
    `## Validation: ${setting.queries.valid} queries`,
    'The runs are the same, tested on the validation split too. By these figures the default strategy was chosen, and of what the mix is made.',
    section('valid'),
  ].join('\n\n')}\n`.replace(/\n{3,}/g, '\n\n');
}

/** The curves on test queries as a chart. */
export function activeLearningChart({ setting, labels, curves }: ActiveLearningResults) {
  const points = STRATEGIES.flatMap((strategy) =>
    labels.flatMap((x, at): CurvePoint[] => {
      const runs = curves[strategy];
      if (runs === undefined) return [];
      const values = bySeed(runs).map(([, { test }]) => test[at]! / setting.queries.test);
      return [{ panel: setting.set, line: strategy, x, value: studentInterval(values) }];
    }),
  );
  return curvesChart('Active learning', 'Bands: 95 % intervals over pools drawn at random', 'Labels', points);
}

const UNKNOWN: Proportion = { value: NaN, low: NaN, high: NaN };

/** Start and end, and between them four steps at about even distances. */
function shownSteps(labels: readonly number[]): number[] {
  const last = labels.length - 1;
  return [...new Set([0.125, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last)))];
}

function neededText(
  mine: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
  isRandom: boolean,
): string {
  const reached = mine.filter((value) => value !== undefined);
  if (reached.length < mine.length) return reached.length === 0 ? 'never' : 'not always';
  const { value, high } = studentInterval(reached);
  const needed = Number.isFinite(high)
    ? `${value.toFixed(0)} ± ${(high - value).toFixed(0)}`
    : value.toFixed(0);
  const others = theirs.filter((other) => other !== undefined);
  if (isRandom || others.length < mine.length) return needed;
  return `${needed} (${((100 * average(reached)) / average(others)).toFixed(0)} %)`;
}

function paired(mine: readonly number[], theirs: readonly number[]): Proportion | undefined {
  if (mine.length !== theirs.length) return undefined;
  return studentInterval(mine.map((value, i) => value - theirs[i]!));
}

function bySeed<Value>(runs: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(runs).sort(([a], [b]) => Number(a) - Number(b));
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
