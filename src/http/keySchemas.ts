import { z } from 'zod';
import type { KeySummary, NewKey } from '../keys/keyTypes.js';
import { botName } from './names.js';
import { boundedArray, textId, textSchema } from './schemas.js';

const LONGEST_NAME = 100;
const MOST_BOTS = 1000;
/** Requests a second: one in a hundred seconds, and more than one process answers. */
const RATES = { least: 0.01, most: 100_000 };

const time = z.string().meta({ format: 'date-time' });
const access = z.enum(['read', 'write'], 'must be "read" or "write"');

export const KEY_PARAMS = z.strictObject({ id: textId });

export const CREATE_KEY = z
  .strictObject({
    name: textSchema(LONGEST_NAME).meta({ description: 'What it is for', examples: ['support chat'] }),
    access: access.describe('`read` covers classifying, `write` covers `read`'),
    bots: boundedArray(botName, 1, MOST_BOTS)
      .transform((names) => [...new Set(names)])
      .nullish()
      .describe(
        'The bots that it is for, which need not be there yet; null or left out: all, and what is not of a bot',
      ),
    rate: z
      .number()
      .min(RATES.least, `must be at least ${RATES.least}`)
      .max(RATES.most, `must be at most ${RATES.most}`)
      .nullish()
      .describe('Requests a second, and as many at once; null or left out: as many as come'),
  })
  .meta({ examples: [{ name: 'support chat', access: 'read', bots: ['bank'], rate: 20 }] });

const keyShape = {
  id: z.int(),
  name: z.string(),
  hint: z.string().describe('How the secret begins'),
  access,
  bots: z.array(z.string()).nullable().describe('null: all'),
  rate: z.number().nullable().describe('Requests a second; null: no limit'),
  created_at: time,
  last_used_at: time.nullable().describe('To the minute or so'),
  revoked_at: time.nullable().describe('null while it is in force'),
};
const key = z.strictObject(keyShape) satisfies z.ZodType<KeySummary>;

/** Answers. */
export const KEY_RESPONSES = {
  Key: key,
  Keys: z.strictObject({
    keys: z.array(key).describe('Revoked ones too, in the order in which they were made'),
  }),
  NewKey: z.strictObject({
    ...keyShape,
    secret: z.string().describe('The key itself. It is told this once, and kept nowhere'),
    notice: z.string().nullable().describe('What has changed for everybody by it'),
  }) satisfies z.ZodType<NewKey>,
} as const;
