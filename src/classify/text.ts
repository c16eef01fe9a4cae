import { KshotError, type FieldProblem } from '../errors.js';

/** What is wrong with a text that shall be classified or stored; undefined for nothing. */
export function textProblem(text: string, maxChars: number): string | undefined {
  if (text.length > maxChars) return `has ${text.length} characters; at most ${maxChars} are allowed`;
  if (!text.isWellFormed()) return 'is not well-formed Unicode: it holds half of a surrogate pair';
  if (text.includes('\0')) return 'holds a NUL character';
  if (!/[^\p{C}\p{Z}]/u.test(text)) return 'is empty: it holds nothing but spaces or control characters';
  return undefined;
}

/** Texts are compared and stored in this form: Unicode composed (NFC), without space around. */
export function normaliseText(text: string): string {
  return text.normalize('NFC').trim();
}

/** Normalises texts. @throws KshotError `invalid_request`, naming each offending place as `field.index`. */
export function checkTexts(field: string, texts: readonly string[], maxChars: number): string[] {
  const fields: FieldProblem[] = [];
  texts.forEach((text, i) => {
    const message = textProblem(text, maxChars);
    if (message !== undefined) fields.push({ field: `${field}.${i}`, message });
  });
  if (fields.length > 0) {
    const { field: where, message } = fields[0]!;
    throw new KshotError('invalid_request', `${where} ${message}`, { fields });
  }
  return texts.map(normaliseText);
}

/** A name as a person would say it: `card_lost`, `cardLost` and `card-lost` are all "card lost". */
export function readableName(name: string): string {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/[_\-/.:+]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

/** Words that stand in names for want of a better one. */
const EMPTY_WORDS = new Set([
  'intent',
  'class',
  'label',
  'category',
  'topic',
  'tag',
  'cluster',
  'group',
  'test',
  'id',
]);

/** Whether a readable name says something: it has a word of three letters or more that is not one of the empty ones. */
export function isTelling(readable: string): boolean {
  const words = readable.toLowerCase().match(/\p{L}{3,}/gu) ?? [];
  return words.some((word) => !EMPTY_WORDS.has(word));
}
