import { readableName } from '../../src/classify/text.js';
import { type DatasetName, readDataset } from '../../src/learn/datasets/catalogue.js';
import { textKey, type TextSet, withoutTextsOf } from '../../src/learn/datasets/textSet.js';
import { dot } from '../../src/learn/confusable.js';
import { Random } from '../../src/statistics/random.js';

/** The set whose queries are asked, and whose intents are in a bot of any size. */
const ASKED: DatasetName = 'clinc150';
const SHOTS = 10;
/** A class with fewer texts is left out. */
const FEWEST = 5;

/**
 * Labelled sets that fill the bot up, with classes of their own. Not `liu54`, which is HWU64 once more, nor FewRel's further
 * validation sets, whose relations are those of the others under another domain.
 */
const FILLERS: readonly (readonly [name: DatasetName, split: string])[] = [
  ['banking77', 'train'],
  ['hwu64', 'train'],
  ['snips', 'train'],
  ['atis', 'train'],
  ['acid', 'train'],
  ['rostd', 'train'],
  ['redwood', 'own'],
  ['huffpost', 'all'],
  ['reuters', 'all'],
  ['fewrel', 'train'],
  ['fewrel', 'val_wiki'],
];

/** Sets whose texts of up to so many words are made groups of; their labels are not looked at. */
const LOOSE: typeof FILLERS = [
  ['huffpost', 'all'],
  ['stackoverflow20', 'train'],
  ['stackoverflow20', 'test'],
  ['fewrel', 'train'],
  ['fewrel', 'val_wiki'],
  ['fewrel', 'val_semeval'],
  ['arsc', 'train'],
];
const LOOSE_WORDS = 16;
/** Texts of a group. */
const GROUP = 5;

/** Texts are grouped among those that are nearest to the same anchor, of so many texts one: all pairs would take minutes. */
const TEXTS_AN_ANCHOR = 750;

export interface BenchIntent {
  readonly name: string;
  /** The words that stand for it. */
  readonly label: string;
  readonly examples: readonly string[];
  /** The set it is of; `groups` for one that was made up of loose texts. */
  readonly origin: string;
}

export interface BenchQueries {
  readonly texts: readonly string[];
  /** Names of intents, row for row. */
  readonly labels: readonly string[];
}

/** Real intents, the asked ones first, and texts to make more of. */
export interface LargeBotSource {
  readonly intents: readonly BenchIntent[];
  /** In random order. */
  readonly loose: readonly string[];
  readonly valid: BenchQueries;
  readonly test: BenchQueries;
}

/**
 * Reads what bots of thousands of intents are made of: CLINC150's published 10-shot support set and its queries, classes of
 * other sets with up to 10 examples each, and loose texts. No text of CLINC150 is in the others.
 *
 * @param root a folder as `scripts/fetchData` fills it.
 * @throws KshotError what the readers throw.
 */
export async function readLargeBot(root: string, seed: number): Promise<LargeBotSource> {
  const read = async (name: DatasetName, split: string) => await readDataset(root, name, split);
  const one = async (split: string) => (await read(ASKED, split))[0]!;
  const [support, train, valid, test] = await Promise.all(['train_10', 'train', 'valid', 'test'].map(one));
  const random = new Random(seed);
  const taken = new Set<string>();
  const intents = intentsOf(support!, ASKED, random, taken);
  const asked = [train!, valid!, test!];
  for (const [name, split] of FILLERS) {
    for (const set of await read(name, split)) {
      const own = withoutTextsOf(set, asked);
      intents.push(...intentsOf(own, name, random.split(set.name), taken));
    }
  }
  const loose = new Map<string, string>();
  for (const [name, split] of LOOSE) {
    for (const { texts } of await read(name, split)) {
      for (const text of texts) if (text.split(/\s+/).length <= LOOSE_WORDS) loose.set(textKey(text), text);
    }
  }
  for (const key of taken) loose.delete(key);
  const rest = [...loose.values()];
  return {
    intents,
    loose: random.split('loose').sample(rest, rest.length),
    valid: queriesOf(valid!),
    test: queriesOf(test!),
  };
}

/** A set's classes as intents of up to 10 examples; their texts are noted in `taken`. */
function intentsOf(set: TextSet, origin: DatasetName, random: Random, taken: Set<string>): BenchIntent[] {
  const texts = set.classes.map((): string[] => []);
  const seen = new Set<string>();
  set.texts.forEach((text, row) => {
    const key = textKey(text);
    if (!seen.has(key)) texts[set.labels[row]!]!.push(text);
    seen.add(key);
  });
  return set.classes.flatMap(({ name, description }, c) => {
    const own = texts[c]!;
    if (own.length < FEWEST) return [];
    const examples = random.sample(own, Math.min(SHOTS, own.length));
    for (const text of examples) taken.add(textKey(text));
    const label = description ?? readableName(name);
    return { name: intentName(origin, name), label, examples, origin };
  });
}

function queriesOf({ texts, labels, classes }: TextSet): BenchQueries {
  return { texts, labels: Array.from(labels, (label) => intentName(ASKED, classes[label]!.name)) };
}

function intentName(origin: string, name: string): string {
  return `${origin}/${name}`;
}

/**
 * Intents made up of loose texts: a text and the four that are nearest to it, none in two.
 *
 * @param embeddings `[texts, D]`, unit length.
 * @param count how many are wanted; fewer come back where the texts do not suffice.
 */
export function groupTexts(
  texts: readonly string[],
  embeddings: Float32Array,
  count: number,
  random: Random,
): BenchIntent[] {
  const D = embeddings.length / texts.length;
  const row = (i: number) => embeddings.subarray(i * D, (i + 1) * D);
  const anchors = random.sample([...texts.keys()], Math.ceil(texts.length / TEXTS_AN_ANCHOR)).map(row);
  const blocks = anchors.map((): number[] => []);
  for (const i of texts.keys()) {
    const similarities = anchors.map((anchor) => dot(anchor, row(i)));
    blocks[similarities.indexOf(Math.max(...similarities))]!.push(i);
  }
  const groups: string[][] = [];
  for (const block of blocks) {
    let rest = block;
    while (rest.length >= GROUP) {
      const [first, ...others] = rest;
      const near = others
        .map((i) => ({ i, similarity: dot(row(first!), row(i)) }))
        .sort((a, b) => b.similarity - a.similarity);
      const members = [first!, ...near.slice(0, GROUP - 1).map(({ i }) => i)];
      const used = new Set(members);
      rest = rest.filter((i) => !used.has(i));
      groups.push(members.map((i) => texts[i]!));
    }
  }
  return random.sample(groups, Math.min(count, groups.length)).map((examples, i) => ({
    name: `groups/${i}`,
    label: 'group', // says nothing, so that no head looks at it
    examples,
    origin: 'groups',
  }));
}
