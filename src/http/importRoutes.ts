import type { ClassifyService } from '../classify/service.js';
import { KshotError } from '../errors.js';
import { type BotDocument, documentOf } from '../formats/document.js';
import { EXPORT_TYPES, writeBot } from '../formats/formats.js';
import { readBotBounded } from '../formats/readBounded.js';
import { checkDocument, FILE_TYPES, type ImportLimits } from './botFile.js';
import { ok, operation, type Operation } from './operation.js';
import { PARAMS, QUERIES, RESPONSES, type RequestLimits } from './schemas.js';

/** The table's rows for bots from files, and as files. */
export function importOperations(limits: RequestLimits & ImportLimits): Operation[] {
  return [
    operation({
      id: 'importBot',
      method: 'post',
      path: '/v1/bots/{bot}/import',
      tag: 'files',
      summary: 'Create or replace intents from a file, all or nothing',
      description:
        'The body is the file, whose content tells the format: a kshot document, CSV, JSON lines, Rasa NLU YAML, a Dialogflow ' +
        'or CX agent (ZIP), an Azure CLU project, a Watson Assistant workspace or CSV, routes of semantic-router. Its intents ' +
        'replace those of the same names, its counter-examples, where it has any, those of the bot; the others stay, unless ' +
        '`prune` is true. A bot that does not exist is created. With `dry_run` the answer is the same and nothing is written.',
      access: 'write',
      needsService: true,
      params: PARAMS.bot,
      query: QUERIES.importBot,
      upload: { types: FILE_TYPES, maxBytes: limits.maxImportBytes },
      success: { 200: { description: 'What has changed, or would', schemas: [RESPONSES.FileImport] } },
      problems: ['invalid_file'],
      async run({ params, query, bytes, service, signal, note }) {
        const { prune = false, dry_run: dryRun = false, ...how } = query;
        const { format, document, notes, ...read } = await readBotBounded(bytes, how, signal);
        const checked = checkDocument(document, limits);
        const examples = checked.intents.reduce((sum, intent) => sum + intent.examples.length, 0);
        const excess = tooMany(
          Math.max(examples, checked.counterexamples.length),
          limits.maxExamplesPerWrite,
        );
        if (excess !== undefined && !dryRun) throw new KshotError('invalid_file', excess);
        const result = await service.importBot(params.bot, checked, { prune, dryRun, signal });
        note({ format, dry_run: dryRun, texts: examples + checked.counterexamples.length });
        return ok({
          format,
          language: read.language ?? null,
          languages_left_out: read.languagesLeftOut ?? [],
          notes: excess === undefined ? notes : [...notes, excess],
          ...result,
        });
      },
    }),
    operation({
      id: 'exportBot',
      method: 'get',
      path: '/v1/bots/{bot}/export',
      tag: 'files',
      summary: "A bot's intents and counter-examples as a file",
      description:
        'Reading it again gives the same intents, but for what the format cannot hold: a CLU project has no descriptions. The ' +
        "bot's settings are not part of it.",
      access: 'read',
      needsService: true,
      params: PARAMS.bot,
      query: QUERIES.exportBot,
      success: {
        200: {
          description: 'The file',
          types: [...new Set(Object.values(EXPORT_TYPES).map(({ type }) => type))],
        },
      },
      problems: ['unknown_bot', 'unknown_version'],
      async run({ params, query, service }) {
        const { format, version, ...how } = query;
        const content = writeBot(await readDocument(service, params.bot, version), format, how);
        const { type, extension } = EXPORT_TYPES[format];
        const file = version === undefined ? params.bot : `${params.bot}-${version}`;
        const name = encodeURIComponent(`${file}${extension}`);
        return {
          status: 200,
          text: { type: type === 'text/csv' ? `${type}; charset=utf-8` : type, content },
          headers: { 'content-disposition': `attachment; filename*=UTF-8''${name}` },
        };
      },
    }),
  ];
}

async function readDocument(
  service: ClassifyService,
  bot: string,
  version: string | undefined,
): Promise<BotDocument> {
  if (version !== undefined) {
    const { intents, counterexamples } = await service.getVersionContents(bot, version);
    return documentOf(intents, counterexamples);
  }
  return documentOf(await service.listIntents(bot), await service.getCounterexamples(bot));
}

function tooMany(examples: number, most: number): string | undefined {
  if (examples <= most) return undefined;
  return (
    `the file holds ${examples} examples, and one import takes at most ${most}: split it, start the server with a larger ` +
    '--max-examples-per-write, or write it with "kshot import --in-parts"'
  );
}
