import type { ClassifyService } from '../classify/service.js';
import { KshotError } from '../errors.js';
import type { ImportLimits } from './botFile.js';
import { checkOperations } from './checkRoutes.js';
import { cluOperation } from './dropIn/clu.js';
import { cohereOperation } from './dropIn/cohere.js';
import { rasaOperation } from './dropIn/rasa.js';
import { editOperations } from './editRoutes.js';
import { evaluationOperations } from './evaluationRoutes.js';
import { importOperations } from './importRoutes.js';
import { mapOperations } from './mapRoutes.js';
import { noteClassified } from './noteClassified.js';
import { ok, operation, type Operation, written } from './operation.js';
import { PARAMS, QUERIES, RESPONSES, type RequestLimits, type RequestSchemas } from './schemas.js';
import { unlabelledOperations } from './unlabelledRoutes.js';
import { versionOperations } from './versionRoutes.js';

const NO_BOT = ['unknown_bot'] as const;
const NO_INTENT = ['unknown_bot', 'unknown_intent'] as const;

/** The table of the API, version 1. */
export function apiOperations(
  requests: RequestSchemas,
  limits: RequestLimits & ImportLimits,
  logTexts: boolean,
): Operation[] {
  return [
    classifyOperation(requests, logTexts),
    ...botOperations(requests),
    ...intentOperations(requests),
    ...exampleOperations(requests),
    ...editOperations(limits),
    ...unlabelledOperations(requests),
    ...checkOperations(),
    ...mapOperations(),
    ...evaluationOperations(requests, limits),
    ...versionOperations(),
    ...importOperations(limits),
    ...headOperations(),
    rasaOperation(limits, logTexts),
    cluOperation(limits, logTexts),
    cohereOperation(limits, logTexts),
  ];
}

function classifyOperation(requests: RequestSchemas, logTexts: boolean): Operation {
  return operation({
    id: 'classify',
    method: 'post',
    path: '/v1/bots/{bot}/classify',
    tag: 'classify',
    summary: 'Classify a text, or several',
    description:
      'Answers `text` with one result and `texts` with `results`, one a text, in order. A text that fits no intent ' +
      'is out of scope: `intent` is null, ranking and evidence are given all the same. A bot without intents ' +
      'answers so to every text. With `version`, one that was saved answers instead of the bot as it is now.',
    access: 'read',
    needsService: true,
    encodes: true,
    params: PARAMS.bot,
    query: QUERIES.none,
    body: requests.ClassifyRequest,
    success: {
      200: {
        description: 'What the text means',
        schemas: [RESPONSES.ClassifyResult, RESPONSES.ClassifyResults],
      },
    },
    problems: [...NO_BOT, 'unknown_version', 'revision_unavailable'],
    async run({ params, body, service, signal, note }) {
      const { text, texts, min_revision: revision, ...options } = body;
      if (revision !== undefined) await service.reach(params.bot, revision, signal);
      const asked = text === undefined ? (texts ?? []) : [text];
      const results = await service.classify(params.bot, asked, { ...options, signal });
      noteClassified(note, results, logTexts);
      return ok(text === undefined ? { results } : results[0]);
    },
  });
}

function botOperations(requests: RequestSchemas): Operation[] {
  const common = { tag: 'bots', needsService: true, query: QUERIES.none } as const;
  return [
    operation({
      ...common,
      id: 'listBots',
      method: 'get',
      path: '/v1/bots',
      summary: 'List the bots',
      description: 'Those that the key is for.',
      access: 'read',
      bots: 'none',
      success: { 200: { description: 'By name', schemas: [RESPONSES.Bots] } },
      problems: [],
      async run({ caller, service }) {
        const bots = await service.listBots();
        return ok({ bots: bots.filter(({ name }) => caller.sees(name)) });
      },
    }),
    operation({
      ...common,
      id: 'getBot',
      method: 'get',
      path: '/v1/bots/{bot}',
      summary: "Show a bot's settings and size",
      access: 'read',
      params: PARAMS.bot,
      success: { 200: { description: 'The bot', schemas: [RESPONSES.Bot] } },
      query: QUERIES.atLeast,
      problems: [...NO_BOT, 'revision_unavailable'],
      run: async (call) => ok(await (await reached(call)).getBot(call.params.bot)),
    }),
    operation({
      ...common,
      id: 'putBot',
      method: 'put',
      path: '/v1/bots/{bot}',
      summary: 'Create a bot, or replace its settings',
      description:
        'A setting that is left out has its default; intents and examples stay as they are. The head must be one that ' +
        'is available: GET /v1/heads lists them.',
      access: 'write',
      params: PARAMS.bot,
      body: requests.BotSettings,
      success: {
        200: { description: 'The bot with its new settings', schemas: [RESPONSES.Bot] },
        201: { description: 'The bot is new', schemas: [RESPONSES.Bot] },
      },
      problems: ['head_unavailable'],
      async run({ params, body, service }) {
        const isNew = !(await exists(service.getBot(params.bot)));
        return written(isNew, await service.putBot(params.bot, body));
      },
    }),
    operation({
      ...common,
      id: 'deleteBot',
      method: 'delete',
      path: '/v1/bots/{bot}',
      summary: 'Delete a bot and all that belongs to it',
      access: 'write',
      params: PARAMS.bot,
      success: { 200: { description: 'The bot is gone', schemas: [RESPONSES.DeletedBot] } },
      problems: [...NO_BOT],
      async run({ params, service }) {
        await service.deleteBot(params.bot);
        return ok({ bot: params.bot, deleted: true });
      },
    }),
  ];
}

function intentOperations(requests: RequestSchemas): Operation[] {
  const common = { tag: 'intents', needsService: true } as const;
  return [
    operation({
      ...common,
      id: 'listIntents',
      method: 'get',
      path: '/v1/bots/{bot}/intents',
      summary: "List a bot's intents",
      access: 'read',
      params: PARAMS.bot,
      query: QUERIES.listIntents,
      success: {
        200: {
          description: 'In the order in which they were created',
          schemas: [RESPONSES.IntentSummaries, RESPONSES.Intents],
        },
      },
      problems: [...NO_BOT, 'revision_unavailable'],
      async run(call) {
        const { params, query } = call;
        const intents = await (await reached(call)).listIntents(params.bot);
        if (query.examples === true) return ok({ intents });
        return ok({ intents: intents.map((intent) => ({ ...intent, examples: intent.examples.length })) });
      },
    }),
    operation({
      ...common,
      id: 'putIntents',
      method: 'put',
      path: '/v1/bots/{bot}/intents',
      summary: 'Create or replace several intents at once',
      description:
        'All or none. Intents that are not named stay as they are; a bot that does not exist is created. ' +
        'The next request is classified against the new intents.',
      access: 'write',
      params: PARAMS.bot,
      query: QUERIES.none,
      body: requests.PutIntentsRequest,
      success: {
        200: { description: 'The intents are replaced', schemas: [RESPONSES.WriteResult] },
        201: { description: 'At least one intent is new', schemas: [RESPONSES.WriteResult] },
      },
      problems: [],
      async run({ params, body, service }) {
        const before = await intentNames(service, params.bot);
        const result = await service.putIntents(params.bot, body.intents);
        return written(
          body.intents.some((intent) => !before.has(intent.name)),
          result,
        );
      },
    }),
    operation({
      ...common,
      id: 'getIntent',
      method: 'get',
      path: '/v1/bots/{bot}/intents/{intent}',
      summary: 'Show an intent with its examples',
      access: 'read',
      params: PARAMS.intent,
      query: QUERIES.atLeast,
      success: { 200: { description: 'The intent', schemas: [RESPONSES.Intent] } },
      problems: [...NO_INTENT, 'revision_unavailable'],
      run: async (call) => ok(await (await reached(call)).getIntent(call.params.bot, call.params.intent)),
    }),
    operation({
      ...common,
      id: 'putIntent',
      method: 'put',
      path: '/v1/bots/{bot}/intents/{intent}',
      summary: 'Create or replace an intent',
      description:
        'Idempotent. A bot that does not exist is created. The next request is classified against the intent; ' +
        'without examples it is known by its description, or by its name.',
      access: 'write',
      params: PARAMS.intent,
      query: QUERIES.none,
      body: requests.PutIntentRequest,
      success: {
        200: { description: 'The intent is replaced', schemas: [RESPONSES.WriteResult] },
        201: { description: 'The intent is new', schemas: [RESPONSES.WriteResult] },
      },
      problems: [],
      async run({ params, body, service }) {
        const isNew = !(await exists(service.getIntent(params.bot, params.intent)));
        return written(isNew, await service.putIntents(params.bot, [{ name: params.intent, ...body }]));
      },
    }),
    operation({
      ...common,
      id: 'deleteIntent',
      method: 'delete',
      path: '/v1/bots/{bot}/intents/{intent}',
      summary: 'Delete an intent and its examples',
      access: 'write',
      params: PARAMS.intent,
      query: QUERIES.none,
      success: { 200: { description: 'The intent is gone', schemas: [RESPONSES.WriteResult] } },
      problems: [...NO_INTENT],
      run: async ({ params, service }) => ok(await service.deleteIntent(params.bot, params.intent)),
    }),
  ];
}

function exampleOperations(requests: RequestSchemas): Operation[] {
  const common = { tag: 'examples', needsService: true, query: QUERIES.none } as const;
  return [
    operation({
      ...common,
      id: 'addExamples',
      method: 'post',
      path: '/v1/bots/{bot}/intents/{intent}/examples',
      summary: 'Add examples to an intent',
      description: 'An example that the intent has already is left as it is.',
      access: 'write',
      params: PARAMS.intent,
      body: requests.AddExamplesRequest,
      success: {
        200: { description: 'The intent had all of them', schemas: [RESPONSES.WriteResult] },
        201: { description: 'At least one example is new', schemas: [RESPONSES.WriteResult] },
      },
      problems: [...NO_INTENT],
      async run({ params, body, service }) {
        const result = await service.addExamples(params.bot, params.intent, body.examples);
        return written(result.added.length > 0, result);
      },
    }),
    operation({
      ...common,
      id: 'removeExample',
      method: 'delete',
      path: '/v1/bots/{bot}/intents/{intent}/examples/{id}',
      summary: 'Delete one example',
      access: 'write',
      params: PARAMS.example,
      success: { 200: { description: 'The example is gone', schemas: [RESPONSES.WriteResult] } },
      problems: [...NO_INTENT, 'unknown_example'],
      run: async ({ params, service }) =>
        ok(await service.removeExample(params.bot, params.intent, params.id)),
    }),
    operation({
      ...common,
      id: 'getCounterexamples',
      method: 'get',
      path: '/v1/bots/{bot}/counterexamples',
      summary: 'List the texts that a bot is told are out of scope',
      access: 'read',
      params: PARAMS.bot,
      query: QUERIES.atLeast,
      success: { 200: { description: 'The counter-examples', schemas: [RESPONSES.Counterexamples] } },
      problems: [...NO_BOT, 'revision_unavailable'],
      run: async (call) => ok({ examples: await (await reached(call)).getCounterexamples(call.params.bot) }),
    }),
    operation({
      ...common,
      id: 'putCounterexamples',
      method: 'put',
      path: '/v1/bots/{bot}/counterexamples',
      summary: 'Replace the texts that a bot is told are out of scope',
      access: 'write',
      params: PARAMS.bot,
      body: requests.PutCounterexamplesRequest,
      success: { 200: { description: 'They are replaced', schemas: [RESPONSES.WriteResult] } },
      problems: [...NO_BOT],
      run: async ({ params, body, service }) =>
        ok(await service.putCounterexamples(params.bot, body.examples)),
    }),
  ];
}

function headOperations(): Operation[] {
  const common = { tag: 'heads', needsService: true, query: QUERIES.none } as const;
  return [
    operation({
      ...common,
      id: 'listHeads',
      method: 'get',
      path: '/v1/heads',
      summary: 'List the heads that bots may choose from',
      description: 'And those that cannot be served here, with the reason.',
      access: 'read',
      bots: 'none',
      success: {
        200: { description: 'The built-in ones, then the trained ones', schemas: [RESPONSES.Heads] },
      },
      problems: [],
      run: async ({ service }) => ok({ heads: await service.listHeads() }),
    }),
    operation({
      ...common,
      id: 'reloadHeads',
      method: 'post',
      path: '/v1/heads/reload',
      summary: 'Read the trained heads anew',
      description:
        'Answers when every bot is answered by the weights that are on disk now; the former ones answer until then. ' +
        'A checkpoint that cannot be loaded changes nothing, and is named.',
      access: 'write',
      success: { 200: { description: 'What has changed', schemas: [RESPONSES.HeadReload] } },
      problems: ['invalid_configuration'],
      run: async ({ service }) => ok(await service.reloadHeads()),
    }),
  ];
}

/** The service, when the bot answers by the revision that is asked for. */
async function reached({
  params,
  query,
  service,
  signal,
}: {
  readonly params: { readonly bot: string };
  readonly query: { readonly min_revision?: number };
  readonly service: ClassifyService;
  readonly signal: AbortSignal;
}): Promise<ClassifyService> {
  if (query.min_revision !== undefined) await service.reach(params.bot, query.min_revision, signal);
  return service;
}

/** Whether what is looked up is there. */
async function exists(lookup: Promise<unknown>): Promise<boolean> {
  try {
    await lookup;
    return true;
  } catch (error) {
    if (isUnknown(error)) return false;
    throw error;
  }
}

async function intentNames(service: ClassifyService, bot: string): Promise<ReadonlySet<string>> {
  try {
    return new Set((await service.listIntents(bot)).map((intent) => intent.name));
  } catch (error) {
    if (isUnknown(error)) return new Set();
    throw error;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof KshotError && (error.code === 'unknown_bot' || error.code === 'unknown_intent');
}
