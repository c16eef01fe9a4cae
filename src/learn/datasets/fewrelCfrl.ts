import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { mentionProblem, relationText, type TokenEntity } from './entities.js';
import { describeRelation, type RelationNames, type RelationOptions } from './fewrel.js';
import { invalid, readLines, type Line } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/*
 * FewRel sentences in the layout of qcwthu/Continual_Fewshot_Relation_Learning: `CFRLdata_*\/{train_0,test_0}.txt`, tab
 * separated: label (1 to 80), candidate labels, sentence, head, its token positions, tail, its token positions, head id,
 * tail id. Label k is line k of `relation_name.txt`. The folders are samples of one pool and overlap.
 */

/** Labels above this are the 16 relations of the official validation split. */
const LAST_TRAINING_LABEL = 64;
const COLUMNS = 9;

export interface CfrlOptions extends RelationOptions {
  /**
   * `train`: the 64 relations of FewRel's training split. `all`: also the 16 that `val_wiki.json` tests, which then must
   * not be tested on. Default: `train`.
   */
  readonly relations?: 'train' | 'all';
}

/**
 * Reads the union of all the folder's files, each sentence with its entities once. Classes have their Wikidata id as name
 * where `names` knows the relation, so that they can be told from those of `val_wiki.json`; else the relation's name.
 *
 * @throws KshotError `invalid_file`.
 */
export async function readFewRelCfrl(folder: string, options: CfrlOptions = {}): Promise<TextSet> {
  const relationLines = await readLines(join(folder, 'relation_name.txt'));
  const labels = relationLines.map(({ text }) => relationId(text.trim(), options.names));
  const builder = new TextSetBuilder('fewrel train');
  const last = options.relations === 'all' ? labels.length : LAST_TRAINING_LABEL;
  const seen = new Set<string>();

  for (const file of await sampleFiles(folder)) {
    for (const line of await readLines(file)) {
      const { label, sentence, head, tail, key } = parseLine(line, labels.length);
      if (label > last || seen.has(key)) continue;
      seen.add(key);
      const relation = labels[label - 1]!;
      describeRelation(builder, relation, options.names);
      const { text, entities } = relationText(sentence, head, tail, options.marked === true);
      builder.add(relation, text, line.place, entities);
    }
  }
  return builder.finish();
}

interface Sample {
  /** Counted from 1. */
  readonly label: number;
  readonly sentence: readonly string[];
  readonly head: TokenEntity;
  readonly tail: TokenEntity;
  /** The same for one sentence asked about the same entities. */
  readonly key: string;
}

function parseLine({ text, place }: Line, labelCount: number): Sample {
  const columns = text.split('\t');
  if (columns.length !== COLUMNS) throw invalid(place, `${columns.length} columns instead of ${COLUMNS}`);
  const [label, , sentence, , headTokens, , tailTokens, headId, tailId] = columns as [string, ...string[]];
  if (!/^\d+$/.test(label) || Number(label) < 1 || Number(label) > labelCount) {
    throw invalid(place, `the label "${label}" is none of 1 to ${labelCount}`);
  }
  const tokens = sentence!.split(' ');
  const entity = (id: string, positions: string): TokenEntity => {
    const mentions = [positions.trim().split(/\s+/).map(Number)];
    const problem = mentionProblem(mentions, tokens.length);
    if (problem !== undefined) throw invalid(place, problem);
    return { id, mentions };
  };
  return {
    label: Number(label),
    sentence: tokens,
    head: entity(headId!, headTokens!),
    tail: entity(tailId!, tailTokens!),
    key: [label, sentence, headTokens, tailTokens].join('\t'),
  };
}

async function sampleFiles(folder: string): Promise<string[]> {
  const samples = (await readdir(folder)).filter((name) => name.startsWith('CFRLdata_')).sort();
  if (samples.length === 0) throw invalid(folder, 'there is no CFRLdata_* folder in it');
  return samples.flatMap((sample) => ['train_0.txt', 'test_0.txt'].map((name) => join(folder, sample, name)));
}

function relationId(name: string, names: RelationNames | undefined): string {
  for (const [id, known] of names ?? []) if (known.name === name) return id;
  return name;
}
