import { createRequire } from 'node:module';
import { KshotError } from '../errors.js';

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
  return {
    padId: pad,
    tokenize(text) {
      const cut = text.length > maxCharacters;
      const read = cut ? text.slice(0, maxCharacters).replace(/[\uD800-\uDBFF]$/, '') : text;
      const body = tokenizer.encode(read, { add_special_tokens: false }).ids;
      const truncated = cut || body.length > room;
      const ids = [...prefix, ...(truncated ? body.slice(0, room) : body), ...suffix];
      return { ids: ids.length === 0 ? [pad] : ids, truncated }; // a row must have a token to have a mean
    },
  };
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
