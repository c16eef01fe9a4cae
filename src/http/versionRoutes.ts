import { ok, operation, type Operation, written } from './operation.js';
import { PARAMS, QUERIES, RESPONSES } from './schemas.js';
import {
  CHANGES_QUERY,
  PUT_ALIAS,
  SAVE_VERSION,
  VERSION_PARAMS,
  VERSION_RESPONSES,
} from './versionSchemas.js';

const NO_VERSION = ['unknown_bot', 'unknown_version'] as const;
const NO_ALIAS = ['unknown_bot', 'unknown_alias'] as const;

const COMMON = {
  tag: 'versions',
  needsService: true,
  ownSchemas: {
    request: { SaveVersionRequest: SAVE_VERSION, PutAliasRequest: PUT_ALIAS },
    response: VERSION_RESPONSES,
  },
} as const;

/** The table's rows for versions of bots, and the aliases that point at them. */
export function versionOperations(): Operation[] {
  return [...versionRows(), ...aliasRows()];
}

function versionRows(): Operation[] {
  return [
    operation({
      ...COMMON,
      id: 'listVersions',
      method: 'get',
      path: '/v1/bots/{bot}/versions',
      summary: "List a bot's versions",
      access: 'read',
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'Newest first', schemas: [VERSION_RESPONSES.Versions] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok({ versions: await service.listVersions(params.bot) }),
    }),
    operation({
      ...COMMON,
      id: 'saveVersion',
      method: 'put',
      path: '/v1/bots/{bot}/versions/{version}',
      summary: 'Save a bot as it is now, as a version that never changes',
      description:
        'Settings, intents, examples and counter-examples, with their embeddings; unlabelled texts are no part of it. The bot ' +
        'stays as it is, and may be written to at once. Saving the same revision under the same name again changes nothing.',
      access: 'write',
      params: VERSION_PARAMS.version,
      query: QUERIES.none,
      body: SAVE_VERSION,
      success: {
        200: {
          description: "It was saved before, of the bot's present revision",
          schemas: [VERSION_RESPONSES.Version],
        },
        201: { description: 'The version is saved', schemas: [VERSION_RESPONSES.Version] },
      },
      problems: ['unknown_bot', 'version_exists', 'name_taken'],
      async run({ params, body, service }) {
        const { created, version } = await service.saveVersion(params.bot, params.version, body.note ?? null);
        return written(created, version);
      },
    }),
    operation({
      ...COMMON,
      id: 'getVersion',
      method: 'get',
      path: '/v1/bots/{bot}/versions/{version}',
      summary: 'Show a version',
      access: 'read',
      params: VERSION_PARAMS.versionOrAlias,
      query: QUERIES.none,
      success: { 200: { description: 'The version', schemas: [VERSION_RESPONSES.Version] } },
      problems: [...NO_VERSION],
      run: async ({ params, service }) => ok(await service.getVersion(params.bot, params.version)),
    }),
    operation({
      ...COMMON,
      id: 'deleteVersion',
      method: 'delete',
      path: '/v1/bots/{bot}/versions/{version}',
      summary: 'Delete a version',
      description: 'One that an alias points at stays. Aliases can no longer be rolled back to it.',
      access: 'write',
      params: VERSION_PARAMS.version,
      query: QUERIES.none,
      success: { 200: { description: 'The version is gone', schemas: [VERSION_RESPONSES.DeletedVersion] } },
      problems: [...NO_VERSION, 'version_in_use'],
      async run({ params, service }) {
        await service.deleteVersion(params.bot, params.version);
        return ok({ ...params, deleted: true });
      },
    }),
    operation({
      ...COMMON,
      id: 'versionChanges',
      method: 'get',
      path: '/v1/bots/{bot}/versions/{version}/changes',
      summary: 'Show what has changed since a version, or between two',
      description: 'In intents, examples and counter-examples; settings are not compared.',
      access: 'read',
      params: VERSION_PARAMS.versionOrAlias,
      query: CHANGES_QUERY,
      success: { 200: { description: 'What is different', schemas: [VERSION_RESPONSES.VersionChanges] } },
      problems: [...NO_VERSION],
      run: async ({ params, query, service }) =>
        ok(await service.versionChanges(params.bot, params.version, query.to)),
    }),
    operation({
      ...COMMON,
      id: 'restoreVersion',
      method: 'post',
      path: '/v1/bots/{bot}/versions/{version}/restore',
      summary: 'Make a bot what a version of it is',
      description:
        'Settings, intents, examples and counter-examples, in one write with a revision of its own; texts that stay keep their ' +
        'ids. What the bot has now is lost unless it is saved. Versions, aliases and unlabelled texts stay as they are.',
      access: 'write',
      params: VERSION_PARAMS.versionOrAlias,
      query: QUERIES.none,
      success: { 200: { description: 'The bot is what the version is', schemas: [RESPONSES.WriteResult] } },
      problems: [...NO_VERSION],
      run: async ({ params, service }) => ok(await service.restoreVersion(params.bot, params.version)),
    }),
  ];
}

function aliasRows(): Operation[] {
  return [
    operation({
      ...COMMON,
      id: 'listAliases',
      method: 'get',
      path: '/v1/bots/{bot}/aliases',
      summary: "List a bot's aliases",
      access: 'read',
      params: PARAMS.bot,
      query: QUERIES.none,
      success: { 200: { description: 'By name', schemas: [VERSION_RESPONSES.Aliases] } },
      problems: ['unknown_bot'],
      run: async ({ params, service }) => ok({ aliases: await service.listAliases(params.bot) }),
    }),
    operation({
      ...COMMON,
      id: 'putAlias',
      method: 'put',
      path: '/v1/bots/{bot}/aliases/{alias}',
      summary: 'Have an alias point at a version',
      description:
        'In one step, for all requests that start after the answer: until the version is in memory and its head has adapted, the ' +
        'former one answers. Named by another alias, it is the version that this one points at.',
      access: 'write',
      params: VERSION_PARAMS.alias,
      query: QUERIES.none,
      body: PUT_ALIAS,
      success: {
        200: { description: 'The alias points there', schemas: [VERSION_RESPONSES.Alias] },
        201: { description: 'The alias is new', schemas: [VERSION_RESPONSES.Alias] },
      },
      problems: [...NO_VERSION, 'name_taken'],
      async run({ params, body, service }) {
        const { created, alias } = await service.putAlias(params.bot, params.alias, body.version);
        return written(created, alias);
      },
    }),
    operation({
      ...COMMON,
      id: 'rollBackAlias',
      method: 'post',
      path: '/v1/bots/{bot}/aliases/{alias}/rollback',
      summary: 'Have an alias point where it pointed before',
      description: 'Takes its last move back; again, the one before. The last 100 moves are remembered.',
      access: 'write',
      params: VERSION_PARAMS.alias,
      query: QUERIES.none,
      success: { 200: { description: 'It points there again', schemas: [VERSION_RESPONSES.Alias] } },
      problems: [...NO_ALIAS, 'nothing_to_roll_back'],
      run: async ({ params, service }) => ok(await service.rollBackAlias(params.bot, params.alias)),
    }),
    operation({
      ...COMMON,
      id: 'deleteAlias',
      method: 'delete',
      path: '/v1/bots/{bot}/aliases/{alias}',
      summary: 'Delete an alias',
      description: 'The versions that it pointed at stay.',
      access: 'write',
      params: VERSION_PARAMS.alias,
      query: QUERIES.none,
      success: { 200: { description: 'The alias is gone', schemas: [VERSION_RESPONSES.DeletedAlias] } },
      problems: [...NO_ALIAS],
      async run({ params, service }) {
        await service.deleteAlias(params.bot, params.alias);
        return ok({ ...params, deleted: true });
      },
    }),
  ];
}
