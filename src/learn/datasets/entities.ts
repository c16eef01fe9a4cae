import type { Entity, EntityPair, Mention } from './textSet.js';

/** An entity as a source has it: the positions of the tokens of each of its mentions. */
export interface TokenEntity {
  readonly id: string;
  /** Runs of ascending neighbours, one a mention. */
  readonly mentions: readonly (readonly number[])[];
}

export interface RelationText {
  readonly text: string;
  readonly entities: EntityPair;
}

/**
 * Marks around the first mention of head and tail. Punctuation that uncased WordPiece vocabularies hold as one token each,
 * since an encoder that is not fine-tuned has no use for new special tokens ("entity marker (punct)" of Zhou & Chen 2022).
 */
const MARKS = { head: '@', tail: '#' } as const;

/** What is wrong with the positions of an entity's mentions in a text of so many tokens; undefined for nothing. */
export function mentionProblem(mentions: TokenEntity['mentions'], tokenCount: number): string | undefined {
  if (mentions.length === 0) return 'an entity without a mention';
  for (const mention of mentions) {
    const first = mention[0];
    if (first === undefined) return 'a mention without a token';
    if (mention.some((token, i) => token !== first + i))
      return `tokens ${mention.join(' ')} are not neighbours`;
    if (first < 0 || first + mention.length > tokenCount) {
      return `tokens ${mention.join(' ')} are not all among the text's ${tokenCount}`;
    }
  }
  return undefined;
}

/**
 * Joins tokens to a text with a space between, blank tokens left out.
 *
 * @param head,tail checked by `mentionProblem`.
 * @param marked whether the first mention of each entity stands between marks: `@ head @ … # tail #`.
 */
export function relationText(
  tokens: readonly string[],
  head: TokenEntity,
  tail: TokenEntity,
  marked: boolean,
): RelationText {
  const opening = new Map<number, string[]>();
  const closing = new Map<number, string[]>();
  if (marked) {
    for (const [mark, { mentions }] of [
      [MARKS.head, head],
      [MARKS.tail, tail],
    ] as const) {
      const [first, last] = [mentions[0]![0]!, mentions[0]!.at(-1)!];
      opening.set(first, [...(opening.get(first) ?? []), mark]);
      closing.set(last, [mark, ...(closing.get(last) ?? [])]);
    }
  }

  let text = '';
  const append = (word: string) => {
    text += text === '' || word === '' ? word : ` ${word}`;
  };
  const starts: number[] = [];
  const ends: number[] = [];
  for (const [i, token] of tokens.entries()) {
    for (const mark of opening.get(i) ?? []) append(mark);
    const word = token.trim();
    append(word);
    starts.push(text.length - word.length);
    ends.push(text.length);
    for (const mark of closing.get(i) ?? []) append(mark);
  }

  const entity = ({ id, mentions }: TokenEntity): Entity => ({
    id,
    mentions: mentions.map((mention): Mention => {
      const [first, last] = [mention[0]!, mention.at(-1)!];
      return { tokens: [first, last + 1], characters: [starts[first]!, ends[last]!] };
    }),
  });
  return { text, entities: { head: entity(head), tail: entity(tail) } };
}
