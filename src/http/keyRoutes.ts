import type { Keyring } from '../keys/keyring.js';
import { CREATE_KEY, KEY_PARAMS, KEY_RESPONSES } from './keySchemas.js';
import { ok, operation, type Operation, written } from './operation.js';
import { QUERIES } from './schemas.js';

// No `bots` in any row: keys are managed by keys for all bots.
const COMMON = {
  tag: 'keys',
  access: 'write',
  needsService: false,
  query: QUERIES.none,
  ownSchemas: { request: { CreateKeyRequest: CREATE_KEY }, response: KEY_RESPONSES },
} as const;

/** The table's rows for API keys. They work while the server starts: a key that leaked does not wait for a warm-up. */
export function keyOperations(keyring: Keyring): Operation[] {
  return [
    operation({
      ...COMMON,
      id: 'listKeys',
      method: 'get',
      path: '/v1/keys',
      summary: 'List the API keys',
      description: 'Those that the settings name are not among them.',
      success: { 200: { description: 'Without their secrets', schemas: [KEY_RESPONSES.Keys] } },
      problems: ['store_unavailable'],
      run: async () => ok({ keys: await keyring.list() }),
    }),
    operation({
      ...COMMON,
      id: 'createKey',
      method: 'post',
      path: '/v1/keys',
      summary: 'Create an API key',
      description:
        'The answer alone has the secret. Where there are no keys at all, anybody may make the first one, which must be able to ' +
        'write to all bots: from its answer on, every request needs a key.',
      body: CREATE_KEY,
      success: { 201: { description: 'The key, with its secret', schemas: [KEY_RESPONSES.NewKey] } },
      problems: ['no_managing_key', 'too_many_keys', 'store_unavailable'],
      async run({ body, caller, note }) {
        const key = await keyring.create(body, caller);
        note({ created_key: String(key.id) });
        return written(true, key);
      },
    }),
    operation({
      ...COMMON,
      id: 'revokeKey',
      method: 'delete',
      path: '/v1/keys/{id}',
      summary: 'Revoke an API key',
      description:
        'At once, and for good; servers that share a store follow within seconds. The last key that may manage keys stays, unless ' +
        'the settings name one.',
      params: KEY_PARAMS,
      success: { 200: { description: 'The key, out of force', schemas: [KEY_RESPONSES.Key] } },
      problems: ['unknown_key', 'no_managing_key', 'store_unavailable'],
      async run({ params, caller, note }) {
        const key = await keyring.revoke(params.id, caller);
        note({ revoked_key: String(key.id) });
        return ok(key);
      },
    }),
  ];
}
