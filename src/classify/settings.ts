import { z } from 'zod';
import { HEAD_NAMES, type HeadName } from '../heads/registry.js';

export type { HeadName };

/** The head of a bot that did not choose one. */
export const DEFAULT_HEAD: HeadName = 'adapted';

/** The in-scope probability below which a text is out of scope, for a bot that did not choose. */
export const DEFAULT_THRESHOLD = 0.5;

/** What a bot's owner sets. Absent means default, so that a better default reaches every bot that did not choose. */
export const botSettingsSchema = z
  .strictObject({
    head: z.enum(HEAD_NAMES).optional().describe('How queries are scored against the support set'),
    threshold: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe(
        'In-scope probability below which a text is out of scope (default 0.5); 0 accepts everything',
      ),
  })
  .meta({ id: 'BotSettings' });

export type BotSettings = z.infer<typeof botSettingsSchema>;
