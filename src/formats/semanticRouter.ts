import { isMap, isScalar, isSeq, Scalar } from 'yaml';
import { DocumentBuilder, invalidAt, listed, type Place, type Reading } from './document.js';
import type { JsonFile } from './jsonFile.js';
import { YamlFile } from './yamlFile.js';

/*
 * The routes of semantic-router (https://github.com/aurelio-labs/semantic-router), as its `to_json` and `to_yaml` write them: a
 * list under `routes`, or a list alone, of `name`, `description` and `utterances`.
 */

interface Route {
  readonly name: string;
  readonly description: string | undefined;
  readonly place: Place;
  /** Undefined for what is no text: routes may hold images. */
  readonly utterances: Iterable<readonly [text: string | undefined, place: Place]>;
}

const KNOWN = ['name', 'description', 'utterances'];

/** @throws KshotError `invalid_file`, with the place and what to do. */
export function readRoutesJson(file: JsonFile): Reading {
  const isList = Array.isArray(file.value);
  const above = isList ? [] : ['routes'];
  const list = file.list(isList ? file.value : file.object(file.value)['routes'], ...above);
  return collect(function* (ignore) {
    for (const [i, item] of list.entries()) {
      const path = [...above, i];
      const route = file.object(item, ...path);
      for (const [key, value] of Object.entries(route)) if (value !== null) ignore(key);
      const utterances = file.list(route['utterances'], ...path, 'utterances');
      yield {
        name: file.string(route['name'], ...path, 'name'),
        description: file.optionalString(route['description'], ...path, 'description'),
        place: file.at(...path),
        utterances: utterances.map(
          (text, k) =>
            [typeof text === 'string' ? text : undefined, file.at(...path, 'utterances', k)] as const,
        ),
      };
    }
  });
}

/** @throws KshotError `invalid_file`, with the line and what to do. */
export function readRoutesYaml(text: string): Reading {
  const file = new YamlFile(text);
  const { root } = file;
  const routes = isMap(root) ? new Map(file.entries(root)).get('routes') : file.place(root, 1);
  if (routes === undefined || !isSeq(routes.node)) {
    throw invalidAt(routes?.line ?? 1, 'no routes; write "routes:" and below it a list of "- name: …"');
  }
  const { items } = routes.node;
  return collect(function* (ignore) {
    for (const item of items) {
      const { node, line } = file.place(item, routes.line);
      if (!isMap(node)) throw invalidAt(line, 'a route must be "- name: …" with "utterances:" below it');
      const entries = new Map(file.entries(node));
      for (const [key, { node: value }] of entries) if (!isNull(value)) ignore(key);
      const name = entries.get('name');
      if (name === undefined) throw invalidAt(line, 'a route without "name:"');
      const utterances = entries.get('utterances');
      const texts = utterances?.node;
      if (texts !== undefined && !isSeq(texts) && !isNull(texts)) {
        throw invalidAt(utterances!.line, '"utterances:" must hold a list');
      }
      const description = entries.get('description');
      const described = description !== undefined && !isNull(description.node);
      yield {
        name: file.string(name, 'the name of a route'),
        description: described ? file.string(description, 'a description') || undefined : undefined,
        place: line,
        utterances: (isSeq(texts) ? texts.items : []).map((item) => {
          const place = file.place(item, line);
          return [isScalar(place.node) ? file.string(place, 'an utterance') : undefined, place.line] as const;
        }),
      };
    }
  });
}

function collect(routesOf: (ignore: (key: string) => void) => Iterable<Route>): Reading {
  const builder = new DocumentBuilder();
  const ignored = new Set<string>();
  const routes = routesOf((key) => {
    if (!KNOWN.includes(key)) ignored.add(key);
  });
  for (const { name, description, place, utterances } of routes) {
    builder.intent(name, place);
    if (description !== undefined) builder.description(name, description, place);
    for (const [text, at] of utterances) {
      if (text === undefined) builder.skip('utterance that is no text', at);
      else builder.example(name, text, at);
    }
  }
  if (ignored.size > 0)
    builder.remark(`ignored ${listed([...ignored].map((key) => `"${key}"`))} of the routes`);
  return builder.finish();
}

/** A plain `null`, `~` or nothing; every scalar is read as text. */
function isNull(node: unknown): boolean {
  return isScalar(node) && node.type !== Scalar.QUOTE_DOUBLE && /^(|~|null)$/i.test(String(node.value));
}
