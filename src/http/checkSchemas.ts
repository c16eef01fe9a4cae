import { z } from 'zod';
import {
  CHECK_CODES,
  type Finding,
  type FoundPair,
  type FoundText,
  SEVERITIES,
  type SeverityCounts,
} from '../classify/checks/finding.js';
import type { BotChecks } from '../classify/service.js';

const count = z.int().min(0);

const foundText = z.strictObject({
  id: z.exactOptional(count),
  text: z.string(),
  intent: z.string().nullable().describe('null: it is a counter-example'),
}) satisfies z.ZodType<FoundText>;

const foundPair = z.strictObject({
  first: count.describe('A position in `examples`'),
  second: count.describe('Another one'),
  similarity: z.number().describe('Their cosine'),
}) satisfies z.ZodType<FoundPair>;

const finding = z.strictObject({
  code: z.enum(CHECK_CODES).describe('Stable; branch on this'),
  severity: z.enum(SEVERITIES),
  message: z.string().describe('What is the matter, in words'),
  advice: z.string().describe('What to do about it'),
  intents: z.array(z.string()).describe('The intents that are concerned'),
  examples: z.array(foundText).describe('The texts that are concerned'),
  pairs: z.array(foundPair).describe('Which of them are too near to one another, nearest first'),
}) satisfies z.ZodType<Finding>;

/** The answer to `GET /v1/bots/{bot}/checks`. */
export const botChecks = z.strictObject({
  bot: z.string(),
  revision: count.describe('Of the bot that was looked at'),
  counts: z
    .strictObject({ error: count, warning: count, info: count })
    .describe('How many findings there are, listed or not') satisfies z.ZodType<SeverityCounts>,
  texts: count.describe('Examples and counter-examples of the bot'),
  compared: count.describe(
    'Of them, those that were compared: of a very large bot the newest of each intent',
  ),
  left_out: count.describe('Findings that are not listed: of each code the first 100 are'),
  checks: z.array(finding).describe('Gravest first'),
}) satisfies z.ZodType<BotChecks>;
