import { createRequire } from 'node:module';
import { KshotError } from '../errors.js';
import type { CharacterSpan } from './encoder.js';

/** A text as the model reads it. */
export interface TokenizedText {
  /** Token ids, special tokens included, `maxTokens` at most. */
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

export interface TextTokenizer {
  /** The id that fills rows up; the attention mask hides it. */
  readonly padId: number;
  tokenize(text: string): TokenizedText;
  /**
   * Where spans of a text are among its tokens.
   *
   * @returns for each span the first position in `tokenize(text).ids` and the one after the last; equal where a span has no
   *   token, being empty to the model or beyond `maxTokens`. Of a word that a span cuts through, more pieces than are in the
   *   span may be taken for it, never fewer.
   */
  locate(text: string, spans: readonly CharacterSpan[]): [from: number, to: number][];
}

interface HubTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[] };
  token_to_id(token: string): number | undefined;
}
type HubTokenizerClass = new (tokenizer: object, config: object) => HubTokenizer;

/**
 * Characters a token at most, on average, that are read: what lies beyond `maxTokens` times as many is cut unread,
 * so that a text of megabytes costs no more than a long one. Words run to 5 characters a token.
 */
const MAX_CHARACTERS_PER_TOKEN = 32;

/**
 * A tokenizer as `tokenizer.json` describes it. The padding and truncation that the file declares are ignored (the
 * library does not apply them): batches are padded to their longest text, texts are cut at `maxTokens`.
 *
 * @param definition the contents of `tokenizer.json`.
 * @param config the contents of `tokenizer_config.json`.
 * @throws KshotError `encoder_unavailable` when the library cannot read the definition.
 */
export function createTokenizer(
  definition: object,
  config: { readonly pad_token?: unknown },
  maxTokens: number,
): TextTokenizer {
  const tokenizer = open(definition, config);
  const { prefix, suffix } = specialTokens(tokenizer);
  const room = Math.max(0, maxTokens - prefix.length - suffix.length);
  const maxCharacters = maxTokens * MAX_CHARACTERS_PER_TOKEN;
  const pad = padId(tokenizer, definition, config);
  const read = (text: string): string =>
    text.length > maxCharacters ? text.slice(0, maxCharacters).replace(/[\uD800-\uDBFF]$/, '') : text;
  const bodyOf = (part: string): readonly number[] =>
    tokenizer.encode(part, { add_special_tokens: false }).ids;
  return {
    padId: pad,
    tokenize(text) {
      const part = read(text);
      const body = bodyOf(part);
      const truncated = part.length < text.length || body.length > room;
      const ids = [...prefix, ...(truncated ? body.slice(0, room) : body), ...suffix];
      return { ids: ids.length === 0 ? [pad] : ids, truncated }; // a row must have a token to have a mean
    },
    locate(text, spans) {
      const part = read(text);
      const body = bodyOf(part);
      return spans.map(([start, end]) => {
        // The library gives no offsets. What the text before the span shares with the whole is before it, what the text
        // after it shares is behind it. Space that ends a text is no token of it, but is one to some tokenizers.
        const before = commonStart(bodyOf(part.slice(0, start).trimEnd()), body);
        const after = commonStart(bodyOf(part.slice(end)).toReversed(), body.toReversed());
        const from = Math.min(before, room);
        return [prefix.length + from, prefix.length + Math.max(from, Math.min(body.length - after, room))];
      });
    },
  };
}

/** How many elements two sequences begin alike. */
function commonStart(a: readonly number[], b: readonly number[]): number {
  const different = a.findIndex((id, i) => id !== b[i]);
  return different === -1 ? a.length : different;
}

function open(definition: object, config: object): HubTokenizer {
  try {
    return new (tokenizerClass())(definition, config);
  } catch (cause) {
    throw new KshotError('encoder_unavailable', `tokenizer.json cannot be used: ${String(cause)}`, { cause });
  }
}

/**
 * The tokenizer of transformers.js, which is a package of its own. Loading that alone takes 7 ms and 2 MB; all of
 * transformers.js takes 150 ms and 40 MB, for an image library and a second runtime that nothing here uses.
 */
function tokenizerClass(): HubTokenizerClass {
  const transformers = createRequire(import.meta.url).resolve('@xenova/transformers');
  const tokenizers = createRequire(transformers)('@huggingface/tokenizers') as {
    Tokenizer: HubTokenizerClass;
  };
  return tokenizers.Tokenizer;
}

/** The special tokens that the model wants before and after a text. */
function specialTokens(tokenizer: HubTokenizer): { prefix: number[]; suffix: number[] } {
  const probe = 'a';
  const whole = tokenizer.encode(probe).ids;
  const body = tokenizer.encode(probe, { add_special_tokens: false }).ids;
  for (let start = 0; start + body.length <= whole.length; start++) {
    if (body.every((id, i) => whole[start + i] === id)) {
      return { prefix: whole.slice(0, start), suffix: whole.slice(start + body.length) };
    }
  }
  throw new KshotError('encoder_unavailable', 'tokenizer.json puts special tokens inside of texts');
}

function padId(
  tokenizer: HubTokenizer,
  definition: object,
  config: { readonly pad_token?: unknown },
): number {
  const declared = (definition as { padding?: { pad_id?: unknown } | null }).padding?.pad_id;
  if (typeof declared === 'number') return declared;
  const token = config.pad_token;
  const content = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  return (typeof content === 'string' ? tokenizer.token_to_id(content) : undefined) ?? 0;
}
