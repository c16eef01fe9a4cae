import { basename } from 'node:path';
import { z } from 'zod';
import { mentionProblem, relationText, type TokenEntity } from './entities.js';
import { invalid, readJson } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/*
 * FewRel (Han et al. 2018; 2.0: Gao et al. 2019) in the layout of thunlp/FewRel: `data/val_wiki.json` and its like are
 * {relation: [{tokens, h: [name, id, [[token positions], …]], t: …}, …]}, `data/pid2name.json` is
 * {relation: [name, description]}.
 */

export interface RelationOptions {
  /** Put marks around head and tail in the text; without them two relations of one sentence have one text. Default: no. */
  readonly marked?: boolean;
  /** What the relations mean, from `readRelationNames`. */
  readonly names?: RelationNames;
}

/** Relation ids with their names and descriptions. */
export type RelationNames = ReadonlyMap<string, RelationName>;

export interface RelationName {
  readonly name: string;
  /** Empty where Wikidata has none. */
  readonly description: string;
}

const entity = z.tuple([z.string(), z.string(), z.array(z.array(z.int().nonnegative()))]);
const relations = z.record(
  z.string(),
  z.array(z.object({ tokens: z.array(z.string()), h: entity, t: entity })),
);
const relationNames = z.record(z.string(), z.tuple([z.string(), z.string()]));

/** Wikidata's way of saying that there is none. */
const NO_DESCRIPTION = 'No description defined';

/** Reads a file such as `val_wiki.json`. @throws KshotError `invalid_file`. */
export async function readFewRel(file: string, options: RelationOptions = {}): Promise<TextSet> {
  const builder = new TextSetBuilder(`fewrel ${basename(file, '.json')}`);
  for (const [relation, records] of Object.entries(await readJson(file, relations))) {
    describeRelation(builder, relation, options.names);
    for (const [i, { tokens, h, t }] of records.entries()) {
      const [head, tail] = [h, t].map(([, id, mentions]): TokenEntity => ({ id, mentions })) as [
        TokenEntity,
        TokenEntity,
      ];
      const place = `${file}: at "${relation}.${i}"`;
      const problem =
        mentionProblem(head.mentions, tokens.length) ?? mentionProblem(tail.mentions, tokens.length);
      if (problem !== undefined) throw invalid(place, problem);
      const { text, entities } = relationText(tokens, head, tail, options.marked === true);
      builder.add(relation, text, place, entities);
    }
  }
  return builder.finish();
}

/** Reads `pid2name.json`. @throws KshotError `invalid_file`. */
export async function readRelationNames(file: string): Promise<RelationNames> {
  return new Map(
    Object.entries(await readJson(file, relationNames)).map(([id, [name, description]]) => [
      id,
      { name, description: description === NO_DESCRIPTION ? '' : description },
    ]),
  );
}

/** Tells the builder what a relation means, where that is known. */
export function describeRelation(builder: TextSetBuilder, relation: string, names?: RelationNames): void {
  const known = names?.get(relation);
  if (known === undefined) return;
  builder.describe(relation, known.description === '' ? known.name : `${known.name}: ${known.description}`);
}
