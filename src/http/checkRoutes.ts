import { ok, operation, type Operation } from './operation.js';
import { PARAMS, QUERIES, RESPONSES } from './schemas.js';

/** The table's row for what in a bot's examples makes its answers worse. */
export function checkOperations(): Operation[] {
  return [
    operation({
      id: 'checkBot',
      method: 'get',
      path: '/v1/bots/{bot}/checks',
      tag: 'bots',
      summary: "Check a bot's examples",
      description:
        'Finds texts that stand in two intents, near-duplicates, intents that overlap, examples that are nearer to another ' +
        'intent, too few examples and more, each with what to do. Nothing is encoded. Of a bot beyond 10,000 texts the newest ' +
        'of each intent are compared. The answer is kept until the bot is written to.',
      access: 'read',
      needsService: true,
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'What was found', schemas: [RESPONSES.Checks] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok(await service.check(params.bot)),
    }),
  ];
}
