import { z } from 'zod';
import { FOLDS } from '../classify/evaluation/folds.js';
import type {
  ComparedRow,
  Evaluation,
  EvaluationComparison,
  EvaluationHeadline,
  EvaluationMeasures,
  EvaluationRow,
  EvaluationSummary,
  IntentMeasures,
  Reliability,
  Share,
  ThresholdPoint,
} from '../classify/evaluationTypes.js';
import { textProblem } from '../classify/text.js';
import { askedVersion } from './names.js';

/** Of a name, in code points. */
const LONGEST_NAME = 128;

const count = z.int().min(0);
const share = z.number().min(0).max(1);

export const evaluationName = z
  .string()
  .superRefine((value, context) => {
    const message = textProblem(value, LONGEST_NAME);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .meta({
    description: 'What it is to be called',
    minLength: 1,
    maxLength: LONGEST_NAME,
    pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
    examples: ['after the merge'],
  });

/** The body of `POST …/evaluations/cross-validation`. */
export const crossValidationRequest = z
  .strictObject({
    folds: z.exactOptional(
      z.int().min(FOLDS.fewest).max(FOLDS.most).meta({
        description: 'Into how many parts the texts are dealt; each is held out once',
        default: FOLDS.usual,
      }),
    ),
    seed: z.exactOptional(
      z.int().min(0).meta({ description: 'The same seed deals the same texts alike', default: 0 }),
    ),
    name: z.exactOptional(evaluationName),
    version: z.exactOptional(askedVersion),
  })
  .meta({ examples: [{ folds: 5, name: 'before the merge' }] });

const headline = z.strictObject({
  texts: count,
  accuracy: share.describe('Of all texts: the right intent, or rightly out of scope'),
  out_of_scope_recall: share
    .nullable()
    .describe('Of the texts out of scope, those found to be; null of none'),
  calibration_error: share
    .nullable()
    .describe('Expected calibration error over the texts in scope; null where there is none'),
}) satisfies z.ZodType<EvaluationHeadline>;

/** One evaluation in a list. */
export const evaluationSummary = z.strictObject({
  id: count.describe('A later evaluation of the bot has a larger one'),
  job: count.nullable().describe('That carries it out: GET /v1/jobs/{id}; null where it is gone'),
  name: z.string().nullable(),
  kind: z.enum(['cross-validation', 'test-set']),
  version: z.string().nullable().describe('That was judged; null: the bot as it was then'),
  revision: count.describe('Of the bot that was judged'),
  head: z.string(),
  threshold: share.describe('Below this in-scope probability a text is out of scope'),
  folds: count.nullable().describe('Of a cross-validation'),
  status: z
    .enum(['queued', 'running', 'done', 'failed', 'cancelled'])
    .describe('queued: it waits for its turn'),
  progress: z.strictObject({ done: count, total: count }).describe('Texts that have been judged, and all'),
  error: z.string().nullable().describe('Why it failed'),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  headline: headline.nullable().describe('null until it is done'),
}) satisfies z.ZodType<EvaluationSummary>;

const shareOf = z.strictObject({
  correct: count,
  total: count,
  share,
  low: share.describe("Of the 95 % interval (Wilson's)"),
  high: share,
}) satisfies z.ZodType<Share>;

const intentMeasures = z.strictObject({
  intent: z.string(),
  texts: count.describe('That it is right for'),
  recall: share.nullable().describe('Of its texts, those that were answered with it'),
  precision: share.nullable().describe('Of the texts that were answered with it, its own'),
  f1: share.nullable(),
  confused_with: z
    .array(z.strictObject({ intent: z.string().nullable().describe('null: out of scope'), texts: count }))
    .describe('What its texts were taken for instead, most often first'),
}) satisfies z.ZodType<IntentMeasures>;

const reliability = z.strictObject({
  error: share.nullable().describe('Expected calibration error; null where no text is in scope'),
  bins: z.array(
    z.strictObject({
      from: share,
      to: share,
      texts: count,
      confidence: share.nullable().describe('Their mean'),
      accuracy: share.nullable().describe('The share whose best intent is right'),
    }),
  ),
}) satisfies z.ZodType<Reliability>;

const thresholdPoint = z.strictObject({
  threshold: share,
  coverage: share.nullable().describe('Of the texts in scope, those that would be answered'),
  accuracy: share.nullable().describe('Of the texts that would be answered, those answered rightly'),
  out_of_scope_recall: share.nullable(),
}) satisfies z.ZodType<ThresholdPoint>;

const measures = z.strictObject({
  accuracy: shareOf.describe('Of all texts: the right intent, or rightly out of scope'),
  intent_accuracy: shareOf.describe(
    'Of the texts in scope, those whose best intent is right, wherever the threshold is',
  ),
  intents: z.array(intentMeasures).describe('Every intent that was expected or answered'),
  out_of_scope: z.strictObject({
    texts: count,
    recall: share.nullable(),
    precision: share.nullable(),
  }),
  reliability: reliability.describe('Whether confidence means something: over the texts in scope'),
  thresholds: z.array(thresholdPoint).describe('What other thresholds would have given'),
}) satisfies z.ZodType<EvaluationMeasures>;

const row = z.strictObject({
  text: z.string(),
  expected: z.string().nullable().describe('null: out of scope'),
  answered: z.string().nullable().describe("At the bot's threshold; null: out of scope"),
  best: z.string().nullable().describe('The best intent, in scope or not'),
  confidence: share,
  in_scope: share,
  correct: z.boolean(),
}) satisfies z.ZodType<EvaluationRow>;

/** One evaluation with all that it found. */
export const evaluation = z.strictObject({
  ...evaluationSummary.shape,
  measures: measures.nullable().describe('null until it is done'),
  rows: z.array(row).describe('Text by text; empty until it is done'),
}) satisfies z.ZodType<Evaluation>;

const comparedRow = z.strictObject({
  text: z.string(),
  expected: z.string().nullable().describe('null: out of scope'),
  before: z.string().nullable().describe('What was answered then'),
  now: z.string().nullable().describe('What was answered in this evaluation'),
}) satisfies z.ZodType<ComparedRow>;

/** Two evaluations, text by text. */
export const evaluationComparison = z.strictObject({
  bot: z.string(),
  evaluation: evaluationSummary,
  with: evaluationSummary.describe('What it is compared with'),
  texts: count.describe('That both have, with the same intent expected'),
  only_in_this: count,
  only_in_other: count,
  fixed: z.array(comparedRow).describe('Wrong then, right now'),
  broken: z.array(comparedRow).describe('Right then, wrong now'),
  still_wrong: z.array(comparedRow).describe('Wrong both times, but answered otherwise'),
}) satisfies z.ZodType<EvaluationComparison>;
