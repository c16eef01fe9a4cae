import { ok, operation, type Operation, written } from './operation.js';
import { PARAMS, QUERIES, RESPONSES, type RequestSchemas } from './schemas.js';

/**
 * The table's rows for texts whose intent is not known, and which of them to label next. To read them needs a key that may
 * write: they are what people wrote, and a key that may only read is for whoever classifies.
 */
export function unlabelledOperations(requests: RequestSchemas): Operation[] {
  const common = { tag: 'unlabelled', access: 'write', needsService: true } as const;
  return [
    operation({
      ...common,
      id: 'addUnlabelled',
      method: 'post',
      path: '/v1/bots/{bot}/unlabelled',
      summary: 'Add texts whose intent is not known',
      description:
        'A text that the bot has already, unlabelled, as an example or as a counter-example, is passed over. A bot has 10,000 ' +
        'at the most: beyond that the oldest go that were seen, then the oldest that were given. The revision stays.',
      params: PARAMS.bot,
      query: QUERIES.none,
      body: requests.AddUnlabelledRequest,
      success: {
        200: { description: 'The bot had all of them', schemas: [RESPONSES.UnlabelledWrite] },
        201: { description: 'At least one text is new', schemas: [RESPONSES.UnlabelledWrite] },
      },
      problems: ['unknown_bot'],
      async run({ params, body, service }) {
        const result = await service.addUnlabelled(params.bot, body.texts);
        return written(result.added > 0, result);
      },
    }),
    operation({
      ...common,
      id: 'listUnlabelled',
      method: 'get',
      path: '/v1/bots/{bot}/unlabelled',
      summary: 'List the texts whose intent is not known',
      description: 'In the order in which they came. Needs a key that may write.',
      params: PARAMS.bot,
      query: QUERIES.listUnlabelled,
      success: { 200: { description: 'A page of them', schemas: [RESPONSES.UnlabelledPage] } },
      problems: ['unknown_bot'],
      run: async ({ params, query, service }) => ok(await service.listUnlabelled(params.bot, query)),
    }),
    operation({
      ...common,
      id: 'clearUnlabelled',
      method: 'delete',
      path: '/v1/bots/{bot}/unlabelled',
      summary: 'Delete all texts whose intent is not known',
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'They are gone', schemas: [RESPONSES.UnlabelledRemoval] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok(await service.clearUnlabelled(params.bot)),
    }),
    operation({
      ...common,
      id: 'removeUnlabelled',
      method: 'delete',
      path: '/v1/bots/{bot}/unlabelled/{id}',
      summary: 'Delete one text whose intent is not known',
      params: PARAMS.unlabelled,
      query: QUERIES.none,
      success: { 200: { description: 'The text is gone', schemas: [RESPONSES.UnlabelledRemoval] } },
      problems: ['unknown_bot', 'unknown_text'],
      run: async ({ params, service }) => ok(await service.removeUnlabelled(params.bot, params.id)),
    }),
    operation({
      ...common,
      id: 'labelUnlabelled',
      method: 'post',
      path: '/v1/bots/{bot}/unlabelled/{id}/label',
      summary: 'Say what a text means',
      description:
        'It becomes an example of the intent, which must exist, or with `out_of_scope` a counter-example. The next request is ' +
        'classified against it.',
      params: PARAMS.unlabelled,
      query: QUERIES.none,
      body: requests.LabelRequest,
      success: {
        200: { description: 'The text is an example now', schemas: [RESPONSES.WriteResult] },
      },
      problems: ['unknown_bot', 'unknown_text', 'unknown_intent'],
      run: async ({ params, body, service }) =>
        ok(await service.labelUnlabelled(params.bot, params.id, body.intent ?? null)),
    }),
    operation({
      ...common,
      id: 'suggest',
      method: 'get',
      path: '/v1/bots/{bot}/suggestions',
      summary: 'Suggest which texts to label next',
      description:
        'The unlabelled texts that are most worth a label, best first, each with what the bot takes it for. Of very many the ' +
        'newest 2,000 are considered. A bot without intents is told by `k-centre`. Needs a key that may write.',
      params: PARAMS.bot,
      query: QUERIES.suggestions,
      success: { 200: { description: 'As many as there are, at most', schemas: [RESPONSES.Suggestions] } },
      problems: ['unknown_bot'],
      run: async ({ params, query, service, signal }) =>
        ok(await service.suggest(params.bot, { ...query, signal })),
    }),
  ];
}
