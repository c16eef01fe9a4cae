import { z } from 'zod';
import { noteClassified } from '../noteClassified.js';
import { ok, operation, type Operation } from '../operation.js';
import type { ErrorShape, Problem } from '../problem.js';
import { botName } from '../names.js';
import { LONGEST_RANKING, probability, type RequestLimits, textSchema } from '../schemas.js';
import { fallbackRanking } from './fallbackRanking.js';
import { versionNamed } from './versionNamed.js';

/** CLU's intent for texts that mean none of the others; every project has it. */
const NONE = 'None';

const conversationResult = z.strictObject({
  kind: z.literal('ConversationResult'),
  result: z.strictObject({
    query: z.string(),
    prediction: z.strictObject({
      topIntent: z.string().describe(`\`${NONE}\` where the text is out of scope`),
      projectKind: z.literal('Conversation'),
      intents: z.array(z.strictObject({ category: z.string(), confidenceScore: probability })),
      entities: z.array(z.never()).describe('kshot finds none'),
    }),
  }),
});

const azureError = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    details: z
      .exactOptional(z.array(z.strictObject({ code: z.string(), message: z.string(), target: z.string() })))
      .describe('The offending places of the request'),
  }),
});

const errors: ErrorShape = {
  schema: azureError,
  body(problem) {
    const code = azureCode(problem);
    const details = problem.errors?.map(({ field, message }) => ({ code, message, target: field }));
    return {
      error: { code, message: problem.detail, ...(details && { details }) },
    } satisfies z.infer<typeof azureError>;
  },
  headers: (problem) => ({ 'x-ms-error-code': azureCode(problem) }),
};

/** In the words of the published `ErrorCode`. */
function azureCode({ code, status }: Problem): string {
  switch (code) {
    case 'unknown_bot':
      return 'ProjectNotFound';
    case 'unknown_version':
      return 'DeploymentNotFound';
    case 'unauthorized':
      return 'Unauthorized';
    case 'forbidden':
      return 'Forbidden';
    case 'rate_limited':
      return 'TooManyRequests';
    case 'request_timeout':
      return 'Timeout';
    case 'invalid_request':
      return 'InvalidArgument';
    default:
      return status === 503 ? 'ServiceUnavailable' : status >= 500 ? 'InternalServerError' : 'InvalidRequest';
  }
}

/** The table's row for clients of Azure's conversational language understanding (runtime, 2022-05-01 and later). */
export function cluOperation(limits: RequestLimits, logTexts: boolean): Operation {
  const body = z
    .looseObject({
      kind: z.literal('Conversation', 'must be "Conversation"'),
      analysisInput: z.looseObject({
        conversationItem: z.looseObject({
          text: textSchema(limits.maxTextChars),
          modality: z.literal('text', 'must be "text": kshot reads no transcripts').optional(),
        }),
      }),
      parameters: z.looseObject({
        projectName: botName,
        deploymentName: z
          .string()
          .optional()
          .describe(
            'The version or alias that answers, where the bot has one of that name; else the bot as it is now',
          ),
      }),
    })
    .meta({
      examples: [
        {
          kind: 'Conversation',
          analysisInput: { conversationItem: { id: '1', participantId: '1', text: 'i lost my card' } },
          parameters: { projectName: 'bank', deploymentName: 'production' },
        },
      ],
    });
  return operation({
    id: 'cluAnalyzeConversations',
    method: 'post',
    path: '/language/:analyze-conversations',
    tag: 'drop-in',
    summary: 'Classify a text for clients of Azure CLU',
    description:
      '`projectName` is the bot, `deploymentName` a version or alias of it where there is one. A text that is out of scope is `None`, with a score of 1 - `in_scope`; the intents follow, with ' +
      'their confidences times `in_scope`. Other fields are ignored. Errors are in the shape of Azure.',
    access: 'read',
    bots: ({ parameters }) => parameters.projectName,
    keyPlaces: { header: 'Ocp-Apim-Subscription-Key' },
    errors,
    ownSchemas: {
      request: { CluAnalyzeRequest: body },
      response: { CluAnalyzeResult: conversationResult, AzureError: azureError },
    },
    needsService: true,
    encodes: true,
    query: z.looseObject({
      'api-version': z
        .string()
        .min(1)
        .meta({ description: 'All are answered alike', examples: ['2023-04-01'] }),
    }),
    body,
    success: { 200: { description: 'What the text means', schemas: [conversationResult] } },
    problems: ['unknown_bot', 'unknown_version'],
    async run({ body: { analysisInput, parameters }, service, signal, note }) {
      const { text } = analysisInput.conversationItem;
      const results = await service.classify(parameters.projectName, [text], {
        ...(await versionNamed(service, parameters.projectName, parameters.deploymentName)),
        top: LONGEST_RANKING,
        signal,
      });
      noteClassified(note, results, logTexts);
      const ranking = fallbackRanking(results[0]!, NONE);
      return ok({
        kind: 'ConversationResult',
        result: {
          query: text,
          prediction: {
            topIntent: ranking[0]?.intent ?? NONE,
            projectKind: 'Conversation',
            intents: ranking.map(({ intent, confidence }) => ({
              category: intent,
              confidenceScore: confidence,
            })),
            entities: [],
          },
        },
      } satisfies z.infer<typeof conversationResult>);
    },
  });
}
