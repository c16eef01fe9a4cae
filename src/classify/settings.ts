import { z } from 'zod';
import type { BotSettings } from './botSettings.js';

export type { BotSettings };

/**
 * The head of a bot that did not choose one: built-in or trained. Where it cannot be served (its checkpoint is for another
 * encoder), FALLBACK_HEAD of heads/registry.ts is the default. Chosen on validation (docs/defaults.md).
 */
export const DEFAULT_HEAD: string = 'weighing';

/** The in-scope probability below which a text is out of scope, for a bot that did not choose. */
export const DEFAULT_THRESHOLD = 0.5;

export const botSettingsSchema = z
  .strictObject({
    head: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe('How queries are scored against the support set: one of the heads that GET /v1/heads lists')
      .meta({ examples: [DEFAULT_HEAD] }),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        'In-scope probability below which a text is out of scope (default 0.5); 0 accepts everything',
      ),
    keep_texts: z
      .boolean()
      .optional()
      .describe(
        'Whether texts that are classified are kept as unlabelled ones (default false); turning it off deletes none',
      ),
  })
  .meta({ id: 'BotSettings' }) satisfies z.ZodType<BotSettings>;
