import { editSchemas } from './editSchemas.js';
import { ok, operation, type Operation, written } from './operation.js';
import { PARAMS, QUERIES, RESPONSES, type RequestLimits } from './schemas.js';

/** The table's rows for small changes to what a bot has. */
export function editOperations(limits: RequestLimits): Operation[] {
  const schemas = editSchemas(limits);
  const common = { access: 'write', needsService: true, query: QUERIES.none } as const;
  const own = (name: keyof typeof schemas) => ({
    ownSchemas: { request: { [name]: schemas[name] }, response: {} },
  });
  return [
    operation({
      ...common,
      ...own('EditExampleRequest'),
      id: 'editExample',
      method: 'put',
      path: '/v1/bots/{bot}/intents/{intent}/examples/{id}',
      tag: 'examples',
      summary: 'Change what an example reads, or which intent it belongs to',
      description:
        'Or both, in one step. It is a new example then, the newest of its intent: `added` has it with its new id, `removed` as it ' +
        'was. Where the intent has that text already, the example goes and `added` is empty. That another intent has the text is ' +
        'allowed; GET /v1/bots/{bot}/checks tells of it. Where nothing is different, nothing is written.',
      params: PARAMS.example,
      body: schemas.EditExampleRequest,
      success: { 200: { description: 'The example is as it is to be', schemas: [RESPONSES.WriteResult] } },
      problems: ['unknown_bot', 'unknown_intent', 'unknown_example'],
      run: async ({ params, body, service }) =>
        ok(await service.editExample(params.bot, params.intent, params.id, body)),
    }),
    operation({
      ...common,
      ...own('RenameIntentRequest'),
      id: 'renameIntent',
      method: 'post',
      path: '/v1/bots/{bot}/intents/{intent}/rename',
      tag: 'intents',
      summary: 'Give an intent another name',
      description:
        'Its examples, their ids and its place among the intents stay. An intent without a description is known by its ' +
        'name too, so that another name may change answers.',
      params: PARAMS.intent,
      body: schemas.RenameIntentRequest,
      success: { 200: { description: 'The intent has that name', schemas: [RESPONSES.WriteResult] } },
      problems: ['unknown_bot', 'unknown_intent', 'intent_exists'],
      run: async ({ params, body, service }) =>
        ok(await service.renameIntent(params.bot, params.intent, body.name)),
    }),
    operation({
      ...common,
      ...own('AddCounterexamplesRequest'),
      id: 'addCounterexamples',
      method: 'post',
      path: '/v1/bots/{bot}/counterexamples',
      tag: 'examples',
      summary: 'Add texts that a bot is told are out of scope',
      description: 'One that the bot has already is left as it is.',
      params: PARAMS.bot,
      body: schemas.AddCounterexamplesRequest,
      success: {
        200: { description: 'The bot had all of them', schemas: [RESPONSES.WriteResult] },
        201: { description: 'At least one is new', schemas: [RESPONSES.WriteResult] },
      },
      problems: ['unknown_bot'],
      async run({ params, body, service }) {
        const result = await service.addCounterexamples(params.bot, body.examples);
        return written(result.added.length > 0, result);
      },
    }),
    operation({
      ...common,
      id: 'removeCounterexample',
      method: 'delete',
      path: '/v1/bots/{bot}/counterexamples/{id}',
      tag: 'examples',
      summary: 'Delete one counter-example',
      params: PARAMS.counterexample,
      success: { 200: { description: 'It is gone', schemas: [RESPONSES.WriteResult] } },
      problems: ['unknown_bot', 'unknown_example'],
      run: async ({ params, service }) => ok(await service.removeCounterexample(params.bot, params.id)),
    }),
  ];
}
