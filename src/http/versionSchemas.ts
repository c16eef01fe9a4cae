import { z } from 'zod';
import type { AliasSummary, AliasTarget, VersionChanges, VersionSummary } from '../classify/versionTypes.js';
import { botName } from './names.js';
import { changesShape, textSchema } from './schemas.js';

/** Longest note to a version, in code points. */
const MAX_NOTE_CHARS = 1000;

const count = z.int().min(0);
const time = z.string().meta({ format: 'date-time' });

const described = (description: string, example: string) =>
  botName.meta({ description, examples: [example] });

const versionOrAlias = described('Name of a version, or of an alias: the version it points at', 'v1');
const versionName = described('Name of a version', 'v1');
const aliasName = described('Name of an alias', 'production');

/** A bot, or a version of it behind an "@". */
export const botAtVersion = z
  .string()
  .meta({
    description: 'Name of a bot; behind an "@" that of a version or alias, where it is to answer',
    examples: ['bank'],
  })
  .transform((name, context) => {
    const [bot, version, ...rest] = name.split('@').map((part) => botName.safeParse(part));
    const failed = [bot, version].find((part) => part?.success === false)?.error;
    if (failed !== undefined || rest.length > 0) {
      const message = failed?.issues[0]?.message ?? 'must hold one "@" at the most';
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return { bot: bot!.data!, ...(version === undefined ? {} : { version: version.data! }) };
  });

/** What stands in addresses. */
export const VERSION_PARAMS = {
  version: z.strictObject({ bot: botName, version: versionName }),
  versionOrAlias: z.strictObject({ bot: botName, version: versionOrAlias }),
  alias: z.strictObject({ bot: botName, alias: aliasName }),
} as const;

export const CHANGES_QUERY = z.strictObject({
  to: z.exactOptional(botName).meta({
    description: 'A version or an alias to compare with; the bot as it is now where it is left out',
  }),
});

/** Request bodies. */
export const SAVE_VERSION = z
  .strictObject({
    note: z
      .exactOptional(textSchema(MAX_NOTE_CHARS))
      .meta({ description: 'What is to be said of it', examples: ['before the new card intents'] }),
  })
  .meta({ examples: [{ note: 'before the new card intents' }] });
export const PUT_ALIAS = z.strictObject({ version: versionOrAlias }).meta({ examples: [{ version: 'v2' }] });

const version = z.strictObject({
  name: z.string(),
  note: z.string().nullable(),
  revision: count.describe("The bot's revision that it holds"),
  created_at: time,
  head: z.string().describe('That its settings want, or the default'),
  intents: count,
  examples: count,
  counterexamples: count,
  aliases: z.array(z.string()).describe('That point at it'),
}) satisfies z.ZodType<VersionSummary>;

const target = z.strictObject({ version: z.string(), moved_at: time }) satisfies z.ZodType<AliasTarget>;

const alias = z.strictObject({
  name: z.string(),
  version: z.string(),
  moved_at: time,
  history: z.array(target).describe('Where it pointed before, newest first: what rolling back goes through'),
}) satisfies z.ZodType<AliasSummary>;

const versionChanges = z.strictObject({
  bot: z.string(),
  from: z.string().describe('The version that was compared'),
  to: z.string().nullable().describe('The other version; null: the bot as it is now'),
  ...changesShape,
}) satisfies z.ZodType<VersionChanges>;

/** Answers. */
export const VERSION_RESPONSES = {
  Version: version,
  Versions: z.strictObject({ versions: z.array(version).describe('Newest first') }),
  DeletedVersion: z.strictObject({ bot: z.string(), version: z.string(), deleted: z.literal(true) }),
  VersionChanges: versionChanges,
  Alias: alias,
  Aliases: z.strictObject({ aliases: z.array(alias).describe('By name') }),
  DeletedAlias: z.strictObject({ bot: z.string(), alias: z.string(), deleted: z.literal(true) }),
} as const;
