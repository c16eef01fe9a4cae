import type { IntentShape, LeaveOneOut } from './supportShape.js';

/*
 * Whether a text belongs to any of a bot's intents: a logistic model over a few features of the text, of the intent that it
 * is nearest to and of the bot's support set, trained over episodes in which some classes are queried and have no support
 * (src/learn/calibration). It does not look at the head, so that the decision on scope stays the same when a bot changes
 * its head. The features are defined here, for training and for serving alike.
 */

/** The intents of so many nearest examples are looked at. */
export const NEAREST_EXAMPLES = 5;

/** How near a text is to one intent. */
export interface Nearness {
  /** Cosine to the intent's prototype. */
  readonly prototype: number;
  /** Cosine to the nearest of its support rows. */
  readonly best: number;
  readonly shape: Pick<IntentShape, 'rows' | 'cohesion'>;
  /** Whether its name is all there is: names are farther from texts than examples are. */
  readonly named: boolean;
}

/** What of a bot the decision depends on. */
export interface BotShape {
  readonly intents: number;
  /** Undefined until the support set has been looked at, and where it is too small for it. */
  readonly leaveOneOut: LeaveOneOut | undefined;
}

/** The weights of the features, by the cosines of which the log-odds rise: a text that comes nearer never falls out. */
const OF_INTENT = ['prototype', 'best', 'expected', 'named'] as const;

/** The features of the two models: for a bot whose support set has been looked at, and for one by its size alone. */
export const SCOPE_FEATURES = {
  fitted: [...OF_INTENT, 'inside', 'outside', 'bias'],
  default: [...OF_INTENT, 'lnIntents', 'bias'],
} as const;

export type ScopeModel = keyof typeof SCOPE_FEATURES;

export type ScopeFeature = (typeof SCOPE_FEATURES)[ScopeModel][number];

/** Features that may only speak for a text. */
export const RISING: readonly ScopeFeature[] = ['prototype', 'best'];

/** What training has found. */
export interface ScopeDetector {
  /** The mean cosine of two rows of one intent, for bots that cannot tell of their own. */
  readonly cohesion: number;
  readonly fitted: Readonly<Record<(typeof SCOPE_FEATURES)['fitted'][number], number>>;
  readonly default: Readonly<Record<(typeof SCOPE_FEATURES)['default'][number], number>>;
}

/** Which of the two models judges a bot. */
export function scopeModelOf({ leaveOneOut }: BotShape): ScopeModel {
  return leaveOneOut === undefined ? 'default' : 'fitted';
}

/**
 * The features of a text and an intent, in the order of `SCOPE_FEATURES[model]`.
 *
 * @param cohesion that of `ScopeDetector`.
 * @throws TypeError for the model `fitted` and a bot without `leaveOneOut`.
 */
export function scopeFeatures(model: ScopeModel, near: Nearness, bot: BotShape, cohesion: number): number[] {
  const { prototype, best, shape, named } = near;
  const expected = expectedSimilarity(shape, bot.leaveOneOut?.cohesion ?? cohesion);
  const ofIntent = [prototype, best, expected, named ? 1 : 0];
  if (model === 'default') return [...ofIntent, Math.log(Math.max(1, bot.intents)), 1];
  if (bot.leaveOneOut === undefined) throw new TypeError('the support set has not been looked at');
  return [...ofIntent, bot.leaveOneOut.inside, bot.leaveOneOut.outside, 1];
}

/** A mean over few rows says little of an intent: its cohesion is mixed with the bot's as if that were so many rows more. */
const PRIOR_ROWS = 3;

/**
 * How near to the prototype one more text of the intent is to be expected. Where any two of an intent's texts have the cosine
 * c, its inner product with the mean of r of them is c, and the mean's length √(c + (1 - c) / r). So the texts of a tight
 * intent must come nearer than those of a loose one, and few rows, whose mean is noisy, are made up for.
 *
 * @param prior the mean cohesion of the bot's intents.
 */
export function expectedSimilarity({ rows, cohesion }: Nearness['shape'], prior: number): number {
  const own = rows - 1;
  const c = Math.max(0, (own * cohesion + PRIOR_ROWS * prior) / (own + PRIOR_ROWS));
  return c / Math.sqrt(c + (1 - c) / rows);
}

/** How a text was judged: P(in scope) = sigmoid(slope (similarity - midpoint)). */
export interface ScopeJudgement {
  /** A cosine: prototype and best row of the nearest intent, mixed as was learned. */
  readonly similarity: number;
  /** The similarity at even odds, which depends on the intent and on the bot. */
  readonly midpoint: number;
  readonly slope: number;
}

/**
 * Judges a text by the intent that speaks most for it.
 *
 * @param near its nearness to the intents of its nearest examples; without any it is as far as can be.
 */
export function judgeScope(
  detector: ScopeDetector,
  near: readonly Nearness[],
  bot: BotShape,
): ScopeJudgement {
  const model = scopeModelOf(bot);
  const { prototype, best } = detector[model];
  const slope = prototype + best;
  const judgements = near.map((one) => {
    const similarity = (prototype * one.prototype + best * one.best) / slope;
    const odds = logOdds(weightsOf(detector, model), scopeFeatures(model, one, bot, detector.cohesion));
    return { similarity, midpoint: similarity - odds / slope, slope };
  });
  const farthest = { similarity: -1, midpoint: 1, slope };
  return judgements.reduce(
    (winner, one) => (one.similarity - one.midpoint > winner.similarity - winner.midpoint ? one : winner),
    judgements[0] ?? farthest,
  );
}

/** The weights of a model, in the order of its features. */
export function weightsOf(detector: ScopeDetector, model: ScopeModel): number[] {
  const weights: Readonly<Record<string, number>> = detector[model];
  return SCOPE_FEATURES[model].map((feature) => weights[feature]!);
}

/** Inner product of weights and features: the log-odds of in scope against out of scope. */
export function logOdds(weights: ArrayLike<number>, features: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * features[i]!;
  return sum;
}

/** P(in scope) of a judgement. */
export function probabilityInScope({ similarity, midpoint, slope }: ScopeJudgement): number {
  return sigmoid(slope * (similarity - midpoint));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
