import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { unknownVariables } from '../../src/config.js';
import type { OpenApiDocument } from '../../src/http/openapi.js';
import { harness } from '../http/harness.js';

// What is deployed may name only what the server has.

const DEPLOY = new URL('../../../deploy/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, DEPLOY), 'utf8');
const files = readdirSync(DEPLOY, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(DEPLOY.pathname.length));

/** How a chart puts a variable's name together. */
const COMPOSED = 'KSHOT_%s';

function unknown(variables: readonly string[]): string[] {
  const known = new Set([COMPOSED]);
  return unknownVariables(Object.fromEntries(variables.map((name) => [name, 'x']))).filter(
    (name) => !known.has(name),
  );
}

test.each(files)('%s names no variable that the server does not read', (file) => {
  expect(unknown(read(file).match(/KSHOT_[A-Z_%s]+/g) ?? [])).toEqual([]);
});

test.each(files)('%s names no flag that the server does not have', (file) => {
  const flags = read(file).match(/--[a-z-]+(?:-ms|-bytes|-texts)\b/g) ?? [];
  expect(unknown(flags.map((flag) => `KSHOT${flag.slice(1).replaceAll('-', '_').toUpperCase()}`))).toEqual(
    [],
  );
});

describe('the chart', () => {
  test('has defaults that its schema knows, and settings of the server', () => {
    const values = parse(read('helm/kshot/values.yaml')) as { settings: Record<string, unknown> };
    const schema = JSON.parse(read('helm/kshot/values.schema.json')) as { properties: object };
    const known = Object.keys(schema.properties).filter((name) => name !== 'global');
    expect(Object.keys(values).sort()).toEqual(known.sort());
    const variables = Object.keys(values.settings).map(
      (name) => `KSHOT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`,
    );
    expect(unknown(variables)).toEqual([]);
  });
});

describe('the proxy', () => {
  const conf = read('compose/nginx.conf');
  /** Of these paths, those that a location with that word takes. */
  const taken = (paths: readonly string[], word: string) => {
    const locations = [...conf.matchAll(/location ~ (\S+) \{\n(.*?)\n {4}\}/gs)].filter(([, , body]) =>
      body!.includes(word),
    );
    return paths.filter((path) => locations.some(([, pattern]) => new RegExp(pattern!).test(path))).sort();
  };

  test('tries a POST again that classifies, or adds texts, and no other', async () => {
    const document = (await harness().send('get', '/openapi.json')).body as OpenApiDocument;
    const posts = Object.entries(document.paths).flatMap(([path, methods]) =>
      'post' in methods ? [path] : [],
    );
    expect(taken(posts, 'non_idempotent')).toEqual([
      '/language/:analyze-conversations',
      '/rasa/{bot}/model/parse',
      '/v1/bots/{bot}/classify',
      '/v1/bots/{bot}/counterexamples',
      '/v1/bots/{bot}/intents/{intent}/examples',
      '/v1/bots/{bot}/unlabelled',
      '/v1/classify',
    ]);
    expect(taken(posts, 'proxy_request_buffering off')).toEqual(['/v1/bots/{bot}/import']);
  });

  test('passes on to every replica that there is', () => {
    const { services } = parse(read('compose/docker-compose.yml')) as { services: Record<string, unknown> };
    const upstreams = [...conf.matchAll(/server (kshot-\d+):8080/g)].map(([, name]) => name);
    expect(upstreams).toEqual(Object.keys(services).filter((name) => name.startsWith('kshot-')));
  });
});
