import { z } from 'zod';
import type {
  BotHead,
  BotSummary,
  ClassifyResult,
  Example,
  Explanation,
  HeadChangeSummary,
  HeadReload,
  HeadSummary,
  ImportResult,
  Intent,
  IntentChange,
  IntentDefinition,
  Suggestions,
  TextCounts,
  TextsChange,
  Unlabelled,
  UnlabelledPage,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
} from '../classify/service.js';
import { botSettingsSchema } from '../classify/settings.js';
import { DEFAULT_STRATEGY, SUGGESTION_STRATEGIES } from '../classify/suggestionStrategies.js';
import { textProblem } from '../classify/text.js';
import { EXPORT_FORMATS, IMPORT_FORMATS } from '../formats/formats.js';
import { botChecks } from './checkSchemas.js';
import { botMap } from './mapSchemas.js';
import { askedVersion, botName, intentName } from './names.js';
import {
  crossValidationRequest,
  evaluation,
  evaluationComparison,
  evaluationName,
  evaluationSummary,
} from './evaluationSchemas.js';
import { PROBLEMS, type Problem, type ProblemCode } from './problem.js';

/** The bounds of what one request may hold. */
export interface RequestLimits {
  /** Texts to classify, or to add unlabelled, in one request. */
  readonly maxTexts: number;
  /** Longest text, in code points. */
  readonly maxTextChars: number;
  /** Examples given to one intent, or counter-examples given to a bot, in one request. */
  readonly maxExamplesPerIntent: number;
  /** Examples of all intents together in one request. */
  readonly maxExamplesPerWrite: number;
}

/** Most intents that a ranking may be asked for. */
export const LONGEST_RANKING = 1000;
/** Most unlabelled texts on one page, and suggestions in one answer. */
const LONGEST_PAGE = 1000;
const MOST_SUGGESTIONS = 100;

export const textId = z
  .string()
  .regex(/^\d{1,16}$/, 'must be a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, 'must be a whole number below 2^53')
  .meta({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, pattern: undefined });

/** A whole number after the question mark, from 1. */
const limitTo = (most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= most, `must be from 1 to ${most}`)
    .meta({ type: 'integer', minimum: 1, maximum: most, pattern: undefined });

const trueOrFalse = z
  .stringbool({ truthy: ['true'], falsy: ['false'], case: 'sensitive', error: 'must be true or false' })
  .meta({ type: 'boolean' });

const language = z
  .string()
  .regex(/^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}$/, 'must be a language tag such as en or pt-BR');

/** What stands in addresses. */
export const PARAMS = {
  bot: z.strictObject({ bot: botName }),
  intent: z.strictObject({ bot: botName, intent: intentName }),
  example: z.strictObject({ bot: botName, intent: intentName, id: textId }),
  unlabelled: z.strictObject({ bot: botName, id: textId }),
  counterexample: z.strictObject({ bot: botName, id: textId }),
  evaluation: z.strictObject({ bot: botName, id: textId }),
} as const;

const leastRevision =
  'Answer by this revision of the bot or a later one, such as a write returned, whichever server did it';

/** What may follow the question mark. */
export const QUERIES = {
  none: z.strictObject({}),
  atLeast: z.strictObject({ min_revision: z.exactOptional(textId).meta({ description: leastRevision }) }),
  listIntents: z.strictObject({
    min_revision: z.exactOptional(textId).meta({ description: leastRevision }),
    examples: trueOrFalse
      .optional()
      .meta({ description: 'true: with the examples themselves; else with their number', default: false }),
  }),
  importBot: z.strictObject({
    dry_run: trueOrFalse.optional().meta({ description: 'true: only say what would change', default: false }),
    prune: trueOrFalse.optional().meta({
      description: 'true: what the bot has and the file has not goes, so that the bot is what the file says',
      default: false,
    }),
    format: z
      .exactOptional(z.enum(IMPORT_FORMATS))
      .meta({ description: 'What the file is; its content tells by default' }),
    language: z.exactOptional(language).meta({
      description: "Of a file in several languages the one to read; the agent's default where it is left out",
    }),
  }),
  testSet: z.strictObject({
    name: z.exactOptional(evaluationName),
    version: z.exactOptional(askedVersion),
    format: z
      .exactOptional(z.enum(IMPORT_FORMATS))
      .meta({ description: 'What the file is; its content tells by default' }),
    language: z
      .exactOptional(language)
      .meta({ description: 'Of a file in several languages the one to read' }),
  }),
  comparison: z.strictObject({
    with: z.exactOptional(textId).meta({
      description:
        'The id of another evaluation; default: the latest of the same kind before it that is done',
    }),
  }),
  exportBot: z.strictObject({
    format: z.enum(EXPORT_FORMATS).default('jsonl').meta({ description: 'What the file is to be' }),
    language: z
      .exactOptional(language)
      .meta({ description: 'Of the texts; a CLU project names one', default: 'en-us' }),
    version: z.exactOptional(askedVersion),
  }),
  listUnlabelled: z.strictObject({
    limit: z
      .exactOptional(limitTo(LONGEST_PAGE))
      .meta({ description: 'How many, at the most', default: 100 }),
    after: z
      .exactOptional(textId)
      .meta({ description: 'Only those after this id: what `next` was on the page before' }),
  }),
  suggestions: z.strictObject({
    strategy: z.exactOptional(z.enum(SUGGESTION_STRATEGIES)).meta({
      description:
        'What makes a text worth a label: little that the bot knows of it (`least-confidence`, `margin`, `entropy`), heads that ' +
        'disagree about it (`committee`), no labelled text near it (`k-centre`), or little that is known and nothing alike ' +
        'among the others (`mix`)',
      default: DEFAULT_STRATEGY,
    }),
    limit: z
      .exactOptional(limitTo(MOST_SUGGESTIONS))
      .meta({ description: 'How many, at the most', default: 10 }),
  }),
} as const;

/** A text to classify or to store. @param maxChars in code points. */
export function textSchema(maxChars: number) {
  return z
    .string()
    .superRefine((value, context) => {
      const problem = textProblem(value, maxChars);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({
      minLength: 1,
      maxLength: maxChars,
      pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
      examples: ['i lost my card'],
    });
}

/** Schemas of request bodies, by the names that the OpenAPI document gives them. */
export function requestSchemas(limits: RequestLimits) {
  const text = textSchema(limits.maxTextChars);
  const texts = (fewest: number, most: number) => boundedArray(text, fewest, most);
  const description = z
    .exactOptional(text.nullable())
    .meta({ description: 'What the intent means, in words; it alone is enough to be classified against' });

  const intentBody = z.strictObject({
    examples: texts(0, limits.maxExamplesPerIntent).describe('The support set; may be empty'),
    description,
  });

  const classifyRequest = z
    .strictObject({
      text: z.exactOptional(text),
      texts: z.exactOptional(texts(1, limits.maxTexts)),
      top: z.exactOptional(
        z.int().min(1).max(LONGEST_RANKING).meta({ description: 'Intents in the ranking', default: 5 }),
      ),
      explain: z.exactOptional(
        z.boolean().meta({ description: 'Whether to explain the result', default: false }),
      ),
      min_revision: z.exactOptional(z.int().min(0).meta({ description: leastRevision })),
      version: z.exactOptional(askedVersion),
    })
    .superRefine((body, context) => {
      const given = Number(body.text !== undefined) + Number(body.texts !== undefined);
      if (given === 1) return;
      const message = given === 0 ? 'is missing: give text or texts' : 'must not be given beside texts';
      context.addIssue({ code: 'custom', path: ['text'], message });
    })
    .meta({
      oneOf: [{ required: ['text'] }, { required: ['texts'] }],
      examples: [{ text: 'someone stole my credit card' }],
    });

  const putIntentsRequest = z
    .strictObject({
      intents: boundedArray(
        z.strictObject({ name: intentName, ...intentBody.shape }) satisfies z.ZodType<IntentDefinition>,
        1,
        limits.maxExamplesPerWrite,
      ),
    })
    .superRefine(({ intents }, context) => {
      const names = new Set<string>();
      let examples = 0;
      for (const [i, intent] of intents.entries()) {
        if (names.has(intent.name)) {
          context.addIssue({ code: 'custom', path: ['intents', i, 'name'], message: 'is given twice' });
        }
        names.add(intent.name);
        examples += intent.examples.length;
      }
      if (examples > limits.maxExamplesPerWrite) {
        const message = `must hold at most ${limits.maxExamplesPerWrite} examples in all, not ${examples}`;
        context.addIssue({ code: 'custom', path: ['intents'], message });
      }
    })
    .meta({
      examples: [{ intents: [{ name: 'card_lost', examples: ['i lost my card', 'my card is gone'] }] }],
    });

  const labelRequest = z
    .strictObject({
      intent: z.exactOptional(intentName),
      out_of_scope: z.exactOptional(
        z.literal(true).describe("The text is none of the bot's business: a counter-example"),
      ),
    })
    .superRefine((body, context) => {
      if ((body.intent === undefined) !== (body.out_of_scope === undefined)) return;
      const message =
        body.intent === undefined
          ? 'is missing: give intent or out_of_scope'
          : 'must not be given beside out_of_scope';
      context.addIssue({ code: 'custom', path: ['intent'], message });
    })
    .meta({
      oneOf: [{ required: ['intent'] }, { required: ['out_of_scope'] }],
      examples: [{ intent: 'card_lost' }],
    });

  return {
    ClassifyRequest: classifyRequest,
    BotSettings: botSettingsSchema,
    PutIntentRequest: intentBody.meta({
      examples: [
        { examples: ['i lost my card', 'my card is gone'], description: 'The card is lost or stolen' },
      ],
    }),
    PutIntentsRequest: putIntentsRequest,
    AddExamplesRequest: z
      .strictObject({ examples: texts(1, limits.maxExamplesPerIntent) })
      .meta({ examples: [{ examples: ['cannot find my card anywhere'] }] }),
    PutCounterexamplesRequest: z
      .strictObject({
        examples: texts(0, limits.maxExamplesPerIntent).describe('Texts that are out of scope for this bot'),
      })
      .meta({ examples: [{ examples: ['what is the weather like'] }] }),
    AddUnlabelledRequest: z
      .strictObject({ texts: texts(1, limits.maxTexts) })
      .meta({ examples: [{ texts: ['my card does not work abroad', 'can i pay with my phone'] }] }),
    LabelRequest: labelRequest,
    CrossValidationRequest: crossValidationRequest,
  };
}

export type RequestSchemas = ReturnType<typeof requestSchemas>;

/**
 * An array whose length is checked before its items are: a million bad items cost no more than one that is too many.
 */
export function boundedArray<T extends z.ZodType>(item: T, fewest: number, most: number) {
  const { $schema: _, ...items } = z.toJSONSchema(item, { io: 'input' });
  return z
    .array(z.unknown())
    .min(fewest, `must hold at least ${fewest}`)
    .max(most, `must hold at most ${most}`)
    .pipe(z.array(item))
    .meta({ items });
}

export const probability = z.number().min(0).max(1);
const count = z.int().min(0);
// Rounding may carry a cosine of unit vectors past 1 by a few units in the last place.
const cosine = z.number();

const example = z.strictObject({ id: count, text: z.string() }) satisfies z.ZodType<Example>;

const explanation = z.strictObject({
  threshold: probability.describe('The in-scope probability below which a text is out of scope'),
  temperature: z.number().describe('What the logits were divided by'),
  calibration: z.enum(['default', 'fitted']).describe("Defaults, or a fit to the bot's own examples"),
  adapted: z.boolean().describe('Whether the head had adapted to this revision'),
  similarity: cosine.describe('The similarity that in_scope is judged on'),
  similarity_at_even_odds: z.number().describe('The similarity at which in_scope is 0.5'),
  nearest_counterexample: z.strictObject({ example: z.string(), similarity: cosine }).nullable(),
  summary: z.string().describe('What decided, in words'),
}) satisfies z.ZodType<Explanation>;

const classifyResult = z.strictObject({
  text: z.string(),
  intent: z.string().nullable().describe('The best intent; null when the text is out of scope'),
  confidence: probability.describe(
    'Probability that the best intent is right, given that the text is in scope',
  ),
  out_of_scope: z.boolean(),
  in_scope: probability.describe("Probability that the text belongs to any of the bot's intents"),
  ranking: z.array(z.strictObject({ intent: z.string(), confidence: probability })).describe('Best first'),
  evidence: z
    .array(z.strictObject({ example: z.string(), intent: z.string(), similarity: cosine }))
    .describe('The nearest examples, nearest first'),
  truncated: z
    .exactOptional(z.literal(true))
    .describe('Present when the text was longer than the encoder reads'),
  explanation: z.exactOptional(explanation),
  model: z.strictObject({
    encoder: z.string(),
    head: z.string(),
    revision: count,
    version: z.exactOptional(z.string()).describe('That answered, where one was asked for'),
  }),
}) satisfies z.ZodType<ClassifyResult>;

const botHead = z.strictObject({
  wanted: z.string().describe('As the settings say, or the default'),
  serving: z.string(),
  reason: z.string().nullable().describe('Why another than the wanted one answers; null where it does not'),
}) satisfies z.ZodType<BotHead>;

const botSummary = z.strictObject({
  name: z.string(),
  settings: botSettingsSchema,
  head: botHead.describe('The head that is wanted, and the one that answers'),
  revision: count.describe('Counts the writes to the bot'),
  intents: count,
  examples: count,
  counterexamples: count,
  created_at: z.string().meta({ format: 'date-time' }),
  updated_at: z.string().meta({ format: 'date-time' }),
}) satisfies z.ZodType<BotSummary>;

const intent = z.strictObject({
  name: z.string(),
  description: z.string().nullable(),
  examples: z.array(example),
}) satisfies z.ZodType<Intent>;

const intentSummary = z.strictObject({
  name: z.string(),
  description: z.string().nullable(),
  examples: count.describe('How many there are'),
});

const writeResult = z.strictObject({
  bot: z.string(),
  revision: count.describe('Requests that start after this answer see this revision or a later one'),
  added: z.array(example).describe('Texts that are new'),
  removed: z.array(example).describe('Texts that are gone'),
}) satisfies z.ZodType<WriteResult>;

const changeKind = z.enum(['added', 'changed', 'removed', 'unchanged']);
const textsChange = z.strictObject({
  change: changeKind,
  added: z.array(z.string()).describe('Texts that are new'),
  removed: z.array(z.string()).describe('Texts that are gone'),
  kept: count.describe('Texts that stay as they are'),
}) satisfies z.ZodType<TextsChange>;
const intentChange = z.strictObject({
  name: z.string(),
  description: changeKind,
  ...textsChange.shape,
}) satisfies z.ZodType<IntentChange>;
const textCounts = z.strictObject({
  added: count,
  removed: count,
  kept: count,
}) satisfies z.ZodType<TextCounts>;

/** What is different between two contents of a bot. */
export const changesShape = {
  totals: z.strictObject({
    intents: z.strictObject({ added: count, changed: count, removed: count, unchanged: count }),
    examples: textCounts,
    counterexamples: textCounts,
  }),
  intents: z.array(intentChange),
  counterexamples: textsChange,
};

const importResult = z.strictObject({
  bot: z.string(),
  dry_run: z.boolean().describe('true: nothing was written, this is what would change'),
  revision: count.describe('Of the bot; 0 where a dry run found none'),
  ...changesShape,
  intents: changesShape.intents.describe("The file's, then the others of the bot"),
}) satisfies z.ZodType<ImportResult>;

const fileImport = z.strictObject({
  format: z.enum(IMPORT_FORMATS).describe('What the file was read as'),
  language: z.string().nullable().describe('Whose texts were read; null where the file names none'),
  languages_left_out: z.array(z.string()).describe('Of the file, not read'),
  notes: z.array(z.string()).describe('What was passed over, or read in a way that may surprise'),
  ...importResult.shape,
});

const unlabelled = z.strictObject({
  id: count,
  text: z.string(),
  source: z.enum(['given', 'seen']).describe('seen: it was classified, and the bot keeps what it classifies'),
}) satisfies z.ZodType<Unlabelled>;

const unlabelledWrite = z.strictObject({
  bot: z.string(),
  added: count.describe('Texts that are new'),
  known: count.describe('Texts that the bot had already, or that were given twice'),
  dropped: count.describe('Older texts that went, because a bot has only so many'),
  total: count.describe('Unlabelled texts of the bot'),
}) satisfies z.ZodType<UnlabelledWrite>;

const unlabelledPage = z.strictObject({
  texts: z.array(unlabelled),
  total: count.describe('Unlabelled texts of the bot'),
  next: count.nullable().describe('What `after` is to be for the next page; null on the last one'),
}) satisfies z.ZodType<UnlabelledPage>;

const unlabelledRemoval = z.strictObject({
  bot: z.string(),
  removed: count,
}) satisfies z.ZodType<UnlabelledRemoval>;

const suggestions = z.strictObject({
  strategy: z.enum(SUGGESTION_STRATEGIES).describe('That they were chosen by'),
  considered: count.describe('Unlabelled texts that were looked at'),
  suggestions: z
    .array(
      z.strictObject({
        ...unlabelled.shape,
        score: z.number().describe('By what the strategy ranks; comparable within one strategy only'),
        intent: classifyResult.shape.intent,
        confidence: classifyResult.shape.confidence,
        out_of_scope: classifyResult.shape.out_of_scope,
        in_scope: classifyResult.shape.in_scope,
        ranking: classifyResult.shape.ranking,
      }),
    )
    .describe('Best first, each with what the bot takes it for'),
}) satisfies z.ZodType<Suggestions>;

const headSummary = z.strictObject({
  name: z.string(),
  kind: z.enum(['built-in', 'trained']),
  default: z.boolean().describe('Of bots that did not choose'),
  available: z.boolean(),
  reason: z
    .string()
    .nullable()
    .describe('Why it cannot be served; of one that is, why its checkpoint could not be loaded since'),
  bots: count.describe('Bots that it answers for'),
  training: z
    .strictObject({
      method: z.string().describe('The kind of head that was trained'),
      encoder: z.string().describe('Fingerprint of the encoder that it goes with'),
      weights: z.string().nullable().describe('SHA-256 of the weights that serve; null where none do'),
      data: z.array(z.string()).describe('What it was trained on'),
      episodes: count,
      results: z.record(z.string(), z.unknown()).describe('What was measured of it'),
    })
    .nullable()
    .describe('Of a trained head, as far as its checkpoint can be read'),
}) satisfies z.ZodType<HeadSummary>;

const headReload = z.strictObject({
  changes: z
    .array(
      z.strictObject({
        head: z.string(),
        change: z
          .enum(['added', 'changed', 'removed', 'kept', 'refused'])
          .describe(
            'kept: the checkpoint cannot be loaded, the former weights serve on; refused: nor are there former ones',
          ),
        reason: z.string().nullable(),
      }) satisfies z.ZodType<HeadChangeSummary>,
    )
    .describe('What is different now'),
  bots_renewed: count.describe('Bots that another version, or another head, answers for'),
  heads: z.array(headSummary),
}) satisfies z.ZodType<HeadReload>;

const problem = z.strictObject({
  type: z.string().meta({ format: 'uri-reference' }),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]).describe('Stable; branch on this'),
  errors: z
    .exactOptional(z.array(z.strictObject({ field: z.string(), message: z.string() })))
    .describe('The offending places of the request'),
  request_id: z.string(),
}) satisfies z.ZodType<Problem>;

/** Schemas of answers, by the names that the OpenAPI document gives them. */
export const RESPONSES = {
  ClassifyResult: classifyResult,
  ClassifyResults: z.strictObject({ results: z.array(classifyResult).describe('One a text, in order') }),
  BotSettings: botSettingsSchema,
  Bot: botSummary,
  Bots: z.strictObject({ bots: z.array(botSummary) }),
  DeletedBot: z.strictObject({ bot: z.string(), deleted: z.literal(true) }),
  Example: example,
  Explanation: explanation,
  Intent: intent,
  IntentSummary: intentSummary,
  Intents: z.strictObject({ intents: z.array(intent) }),
  IntentSummaries: z.strictObject({ intents: z.array(intentSummary) }),
  Heads: z.strictObject({ heads: z.array(headSummary) }),
  Head: headSummary,
  HeadReload: headReload,
  Counterexamples: z.strictObject({ examples: z.array(example) }),
  FileImport: fileImport,
  UnlabelledWrite: unlabelledWrite,
  UnlabelledPage: unlabelledPage,
  UnlabelledRemoval: unlabelledRemoval,
  Suggestions: suggestions,
  Checks: botChecks,
  BotMap: botMap,
  Evaluation: evaluation,
  EvaluationSummary: evaluationSummary,
  Evaluations: z.strictObject({ evaluations: z.array(evaluationSummary).describe('Newest first') }),
  EvaluationComparison: evaluationComparison,
  DeletedEvaluation: z.strictObject({ bot: z.string(), evaluation: count, deleted: z.literal(true) }),
  WriteResult: writeResult,
  Health: z.strictObject({ status: z.literal('ok'), version: z.string() }),
  Readiness: z.strictObject({ status: z.literal('ready') }),
  Problem: problem,
} as const;
