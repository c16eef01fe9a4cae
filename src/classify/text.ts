import { KshotError, type FieldProblem } from '../errors.js';

/**
 * What is wrong with a text that shall be classified or stored; undefined for nothing.
 * @param maxChars longest text, in code points.
 */
export function textProblem(text: string, maxChars: number): string | undefined {
  // A string has at least as many UTF-16 units as code points, so the count is seldom needed.
  if (text.length > maxChars && (text.length > 2 * maxChars || [...text].length > maxChars)) {
    return `must be at most ${maxChars} characters long`;
  }
  if (!text.isWellFormed()) return 'must not hold unpaired surrogates';
  if (text.includes('\0')) return 'must not hold NUL characters';
  if (!VISIBLE.test(text)) return 'must not be empty, nor nothing but spaces and control characters';
  return undefined;
}

const VISIBLE = /[^\p{Cc}\p{Cf}\p{Cn}\p{Z}]/u;

/** A request can be wrong in very many places; an error names the first ones. */
const MOST_PROBLEMS = 20;

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
    throw new KshotError('invalid_request', `${where} ${message}`, {
      fields: fields.slice(0, MOST_PROBLEMS),
    });
  }
  return texts.map(normaliseText);
}

/** Normalises one text. @throws KshotError `invalid_request`, naming the field. */
export function checkText(field: string, text: string, maxChars: number): string {
  const message = textProblem(text, maxChars);
  if (message !== undefined) {
    throw new KshotError('invalid_request', `${field} ${message}`, { fields: [{ field, message }] });
  }
  return normaliseText(text);
}

/** The text that stands for an intent itself: its description, or its name as a person would say it. */
export function labelOf(name: string, description: string | null): string {
  return description || readableName(name) || name;
}

/** The words of a data set's class that are embedded, as an intent's are; empty where they say nothing. */
export function describeClass({
  name,
  description,
}: {
  readonly name: string;
  readonly description?: string;
}): string {
  const words = description ?? readableName(name);
  return isTelling(words) ? words : '';
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
