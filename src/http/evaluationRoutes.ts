import { readBotBounded } from '../formats/readBounded.js';
import { checkDocument, FILE_TYPES, type ImportLimits } from './botFile.js';
import { ok, operation, type Operation } from './operation.js';
import { PARAMS, QUERIES, RESPONSES, type RequestLimits, type RequestSchemas } from './schemas.js';

/**
 * The table's rows for how good a bot is. To read the texts of an evaluation needs a key that may write: a test set may be what
 * people wrote, as unlabelled texts are.
 */
export function evaluationOperations(
  requests: RequestSchemas,
  limits: RequestLimits & ImportLimits,
): Operation[] {
  const common = { tag: 'evaluations', needsService: true } as const;
  const begun = {
    202: { description: 'It waits for its turn', schemas: [RESPONSES.EvaluationSummary] },
  };
  return [
    operation({
      ...common,
      id: 'crossValidate',
      method: 'post',
      path: '/v1/bots/{bot}/evaluations/cross-validation',
      summary: 'Begin to judge a bot on its own examples',
      description:
        'Its examples and counter-examples are dealt to `folds` parts, evenly of each intent; each part is held out once from a ' +
        'bot that has the others, adapts to them and is calibrated as the live one is. Nothing is encoded. It is a ' +
        'job, which a server or a worker takes in its turn: GET its address until `status` is neither `queued` nor `running`. The newest ' +
        '50 of a bot are kept.',
      access: 'write',
      params: PARAMS.bot,
      query: QUERIES.none,
      body: requests.CrossValidationRequest,
      success: begun,
      problems: ['unknown_bot', 'unknown_version', 'nothing_to_evaluate', 'overloaded'],
      run: async ({ params, body, service }) => ({
        status: 202,
        json: await service.crossValidate(params.bot, body),
      }),
    }),
    operation({
      ...common,
      id: 'evaluateTestSet',
      method: 'post',
      path: '/v1/bots/{bot}/evaluations/test-set',
      summary: 'Begin to judge a bot on labelled texts',
      description:
        'The body is a file of texts with their intents, in any format that an import takes; its counter-examples are texts that ' +
        'are to be out of scope. Nothing of it becomes part of the bot. It is a job, as a cross-validation is.',
      access: 'write',
      params: PARAMS.bot,
      query: QUERIES.testSet,
      upload: { types: FILE_TYPES, maxBytes: limits.maxImportBytes },
      success: begun,
      problems: ['unknown_bot', 'unknown_version', 'invalid_file', 'nothing_to_evaluate', 'overloaded'],
      async run({ params, query, bytes, service, signal, note }) {
        const { name, version, ...how } = query;
        const { format, document } = await readBotBounded(bytes, how, signal);
        const summary = await service.evaluateTestSet(params.bot, checkDocument(document, limits), {
          ...(name === undefined ? {} : { name }),
          ...(version === undefined ? {} : { version }),
        });
        note({ format, texts: summary.progress.total });
        return { status: 202, json: summary };
      },
    }),
    operation({
      ...common,
      id: 'listEvaluations',
      method: 'get',
      path: '/v1/bots/{bot}/evaluations',
      summary: "List a bot's evaluations",
      access: 'read',
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'Newest first', schemas: [RESPONSES.Evaluations] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok({ evaluations: await service.listEvaluations(params.bot) }),
    }),
    operation({
      ...common,
      id: 'getEvaluation',
      method: 'get',
      path: '/v1/bots/{bot}/evaluations/{id}',
      summary: 'Show an evaluation: how far it is, and what it found',
      description: 'With every text and what was answered to it. Needs a key that may write.',
      access: 'write',
      params: PARAMS.evaluation,
      query: QUERIES.none,
      success: { 200: { description: 'The evaluation', schemas: [RESPONSES.Evaluation] } },
      problems: ['unknown_bot', 'unknown_evaluation'],
      run: async ({ params, service }) => ok(await service.getEvaluation(params.bot, params.id)),
    }),
    operation({
      ...common,
      id: 'deleteEvaluation',
      method: 'delete',
      path: '/v1/bots/{bot}/evaluations/{id}',
      summary: 'Cancel an evaluation that waits or runs, or delete one that is over',
      description: 'One that is cancelled stays in the list as such, until it is deleted as well.',
      access: 'write',
      params: PARAMS.evaluation,
      query: QUERIES.none,
      success: {
        200: { description: 'It is cancelled, or gone', schemas: [RESPONSES.DeletedEvaluation] },
      },
      problems: ['unknown_bot', 'unknown_evaluation'],
      async run({ params, service }) {
        await service.deleteEvaluation(params.bot, params.id);
        return ok({ bot: params.bot, evaluation: params.id, deleted: true });
      },
    }),
    operation({
      ...common,
      id: 'compareEvaluations',
      method: 'get',
      path: '/v1/bots/{bot}/evaluations/{id}/comparison',
      summary: 'Compare two evaluations, text by text',
      description:
        'What was wrong then and is right now, and the other way round. Needs a key that may write.',
      access: 'write',
      params: PARAMS.evaluation,
      query: QUERIES.comparison,
      success: { 200: { description: 'The differences', schemas: [RESPONSES.EvaluationComparison] } },
      problems: ['unknown_bot', 'unknown_evaluation', 'nothing_to_compare'],
      run: async ({ params, query, service }) =>
        ok(await service.compareEvaluations(params.bot, params.id, query.with)),
    }),
  ];
}
