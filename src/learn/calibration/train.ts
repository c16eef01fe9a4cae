import type { Calibration } from '../../heads/calibration.js';
import type { HeadRuntime } from '../../heads/runtime.js';
import type { Sharpness } from '../../heads/temperature.js';
import { expectedCalibrationError } from '../../statistics/measures.js';
import { Random } from '../../statistics/random.js';
import { BOT_SIZES, BotSampler, type CalibrationSet } from './bots.js';
import { evaluateScope, inScopeBy, type ScopeResult } from './evaluateScope.js';
import { fitScope } from './fitScope.js';
import { fitSharpness, scoreBot, type ScoredQuery, temperatureLoss } from './fitTemperature.js';
import { type ScopeRecord, scopeRecords } from './scopeRecords.js';

/** A head whose temperature is to be found. */
export interface CalibratedHead {
  readonly name: string;
  /** As it is to be used on a set: of a trained head the weights that have not seen it, where there are such. */
  readonly open: (set: string) => { readonly runtime: HeadRuntime; dispose(): void };
}

export interface CalibrationPlan {
  /** Two at least, so that one can be left out. */
  readonly sets: readonly CalibrationSet[];
  readonly heads: readonly CalibratedHead[];
  readonly seed: number;
  /** Bots that the detector is trained on, of each set. */
  readonly episodes: number;
  /** Bots that a head's temperature is fitted to, of each set. */
  readonly headEpisodes: number;
  /** What a query in scope weighs in the fit, against one out of scope. */
  readonly inScopeWeight: number;
  /** Told how many bots of the total are done, of what. */
  readonly progress?: (label: string, done: number, total: number) => void;
}

/** How sure a head's confidences are of themselves on one set, by a sharpness that was fitted to the others. */
export interface TemperatureResult {
  /** Expected calibration error, a mean over the sizes of bots; */
  readonly ece: number;
  /** and with the logits as they are. */
  readonly eceUncalibrated: number;
  /** Negative log-likelihood, nats a query; */
  readonly loss: number;
  /** and with the logits as they are. */
  readonly lossUncalibrated: number;
}

export interface CalibrationResults {
  /** By set: of the detector that was trained on the other sets, */
  readonly scope: Readonly<Record<string, ScopeResult>>;
  /** and of the cosine to the nearest prototype, of which the areas alone mean something. */
  readonly nearestPrototype: Readonly<Record<string, Pick<ScopeResult, 'near' | 'far'>>>;
  /** By head and set. */
  readonly temperature: Readonly<Record<string, Readonly<Record<string, TemperatureResult>>>>;
}

/**
 * Trains the detector and the temperatures over bots of all sets, and measures both on each set when trained on the others.
 * The same seed gives the same.
 *
 * @throws KshotError `invalid_configuration` where a set cannot fill the bots.
 */
export function trainCalibration(
  plan: CalibrationPlan,
): Pick<Calibration, 'scope' | 'sharpness'> & { readonly results: CalibrationResults } {
  const samplers = plan.sets.map((set) => new BotSampler(set));
  const records = plan.sets.map((set, s) => recordsOf(plan, set, samplers[s]!));
  const scopeResults = plan.sets.map((set, s) => {
    const others = fitScope(without(records, s), plan.inScopeWeight);
    const farNames = set.far.map(({ name }) => name);
    const { near, far } = evaluateScope(records[s]!, farNames, ({ nearestPrototype }) => nearestPrototype);
    return { trained: evaluateScope(records[s]!, farNames, inScopeBy(others)), baseline: { near, far } };
  });

  const sharpness: Record<string, Sharpness> = {};
  const temperature: Record<string, Record<string, TemperatureResult>> = {};
  for (const head of plan.heads) {
    const queries = plan.sets.map((set, s) => queriesOf(plan, head, set, samplers[s]!));
    sharpness[head.name] = fitSharpness(queries.flat(2));
    const bySet = plan.sets.map((_, s) =>
      evaluateSharpness(queries[s]!, fitSharpness(without(queries, s).flat(2))),
    );
    temperature[head.name] = bySetName(plan, bySet);
  }
  return {
    scope: fitScope(records, plan.inScopeWeight),
    sharpness,
    results: {
      scope: bySetName(
        plan,
        scopeResults.map(({ trained }) => trained),
      ),
      nearestPrototype: bySetName(
        plan,
        scopeResults.map(({ baseline }) => baseline),
      ),
      temperature,
    },
  };
}

function recordsOf({ seed, episodes, progress }: CalibrationPlan, set: CalibrationSet, sampler: BotSampler) {
  const random = new Random(seed).split(`scope ${set.name}`);
  const records: ScopeRecord[] = [];
  for (let i = 0; i < episodes; i++) {
    records.push(...scopeRecords(sampler.sample(i, random.split(i))));
    progress?.(`scope, ${set.name}`, i + 1, episodes);
  }
  return records;
}

/** By size of bot, which is `BOT_SIZES`' order. */
function queriesOf(
  { seed, headEpisodes, progress }: CalibrationPlan,
  { name, open }: CalibratedHead,
  set: CalibrationSet,
  sampler: BotSampler,
): ScoredQuery[][] {
  // Every head meets the same bots.
  const random = new Random(seed).split(`temperature ${set.name}`);
  const bySize: ScoredQuery[][] = BOT_SIZES.map(() => []);
  const opened = open(set.name);
  try {
    for (let i = 0; i < headEpisodes; i++) {
      const bot = sampler.sample(i, random.split(i));
      bySize[bot.size]!.push(...scoreBot(opened.runtime, bot));
      progress?.(`${name}, ${set.name}`, i + 1, headEpisodes);
    }
  } finally {
    opened.dispose();
  }
  return bySize;
}

function evaluateSharpness(
  bySize: readonly (readonly ScoredQuery[])[],
  sharpness: Sharpness,
): TemperatureResult {
  const filled = bySize.filter((queries) => queries.length > 0);
  const weights = Float64Array.of(sharpness.base, sharpness.lnIntents, sharpness.lnRows);
  const asTheyAre = Float64Array.of(1, 0, 0);
  const error = (by: Float64Array) => mean(filled.map((queries) => calibrationError(queries, by)));
  const loss = (by: Float64Array) => mean(filled.map((queries) => temperatureLoss(by, queries).value));
  return {
    ece: error(weights),
    eceUncalibrated: error(asTheyAre),
    loss: loss(weights),
    lossUncalibrated: loss(asTheyAre),
  };
}

function calibrationError(queries: readonly ScoredQuery[], weights: Float64Array): number {
  const decided = queries.map(({ logits, label, size }) => {
    const sharpness = size.reduce((sum, x, i) => sum + weights[i]! * x, 0);
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const partition = logits.reduce((sum, logit) => sum + Math.exp(sharpness * (logit - largest)), 0);
    return { confidence: 1 / partition, correct: logits.indexOf(largest) === label };
  });
  return expectedCalibrationError(
    decided.map(({ confidence }) => confidence),
    decided.map(({ correct }) => correct),
  );
}

function without<T>(items: readonly T[], left: number): T[] {
  return items.filter((_, i) => i !== left);
}

function bySetName<T>({ sets }: CalibrationPlan, values: readonly T[]): Record<string, T> {
  return Object.fromEntries(sets.map(({ name }, s) => [name, values[s]!]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
