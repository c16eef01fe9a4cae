import { MOST_ON_MAP } from '../classify/mapTypes.js';
import { ok, operation, type Operation } from './operation.js';
import { PARAMS, QUERIES, RESPONSES } from './schemas.js';

/** The table's row for where a bot's texts lie to one another. */
export function mapOperations(): Operation[] {
  return [
    operation({
      id: 'mapBot',
      method: 'get',
      path: '/v1/bots/{bot}/map',
      tag: 'bots',
      summary: "A bot's texts in two dimensions",
      description:
        'Texts lie near to one another where their embeddings do; the axes mean nothing. Nothing is encoded. Of a bot beyond ' +
        `${MOST_ON_MAP.toLocaleString('en')} texts the newest of each intent are shown. The same revision has the same map, which is kept until ` +
        'the bot is written to.',
      access: 'read',
      needsService: true,
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'The map', schemas: [RESPONSES.BotMap] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok(await service.map(params.bot)),
    }),
  ];
}
