import { z } from 'zod';
import { noteClassified } from '../noteClassified.js';
import { ok, operation, type Operation } from '../operation.js';
import { probability, type RequestLimits, textSchema } from '../schemas.js';
import { botAtVersion } from '../versionSchemas.js';
import { fallbackRanking } from './fallbackRanking.js';

/** What Rasa calls a text that it is not sure of; rules and forms react to this name. */
const NLU_FALLBACK = 'nlu_fallback';

/** Rasa's own classifiers rank so many. */
const RANKED = 10;

const rankedIntent = z.strictObject({
  name: z
    .string()
    .nullable()
    .describe(`\`${NLU_FALLBACK}\` where the text is out of scope; null for no text`),
  confidence: probability,
});

const parseResult = z.strictObject({
  text: z.string(),
  intent: rankedIntent,
  entities: z.array(z.never()).describe('kshot finds none'),
  intent_ranking: z.array(rankedIntent).max(RANKED).describe('Best first, the intent itself included'),
});

/** The table's row for Rasa's `RasaNLUHttpInterpreter`, which an `endpoints.yml` with `nlu: url: …/rasa/BOT` turns on. */
export function rasaOperation(limits: RequestLimits, logTexts: boolean): Operation {
  // Rasa sends what a user sent, and that may be a picture without words.
  const body = z
    .looseObject({
      text: z.union([z.literal(''), textSchema(limits.maxTextChars)]),
      message_id: z.unknown().optional().meta({ description: 'Taken, and not used' }),
      token: z.string().nullable().optional().describe('An API key: the `token` of the endpoint'),
    })
    .meta({ examples: [{ text: 'i lost my card', message_id: 'ab12', token: null }] });
  return operation({
    id: 'rasaParse',
    method: 'post',
    path: '/rasa/{bot}/model/parse',
    tag: 'drop-in',
    summary: "Classify a text for Rasa (`model/parse` of Rasa's HTTP API)",
    description:
      `Answers the NLU endpoint of a Rasa assistant. A text that is out of scope is \`${NLU_FALLBACK}\`, with a confidence of 1 - ` +
      '`in_scope`; the intents follow, with their confidences times `in_scope`. A key may be given as `token` in the body or ' +
      'after the question mark, too. Other fields are ignored. `/rasa/bank@production/…` is answered by that version or alias.',
    access: 'read',
    keyPlaces: { query: 'token', body: 'token' },
    ownSchemas: { request: { RasaParseRequest: body }, response: { RasaParseResult: parseResult } },
    needsService: true,
    encodes: true,
    params: z.strictObject({ bot: botAtVersion }),
    body,
    success: { 200: { description: 'What the text means', schemas: [parseResult] } },
    problems: ['unknown_bot', 'unknown_version'],
    async run({ params: { bot: asked }, body: { text }, service, signal, note }) {
      const { bot, ...version } = asked;
      if (text === '') {
        await (asked.version === undefined ? service.getBot(bot) : service.getVersion(bot, asked.version));
        return ok({ text, intent: { name: null, confidence: 0 }, entities: [], intent_ranking: [] });
      }
      const results = await service.classify(bot, [text], { ...version, top: RANKED, signal });
      noteClassified(note, results, logTexts);
      const ranking = fallbackRanking(results[0]!, NLU_FALLBACK)
        .slice(0, RANKED)
        .map(({ intent, confidence }) => ({ name: intent, confidence }));
      return ok({ text, intent: ranking[0], entities: [], intent_ranking: ranking });
    },
  });
}
