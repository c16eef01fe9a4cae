/** Sentences of findings, for a person. */

/** Names and texts in a sentence are no longer than this, in UTF-16 units. */
const LONGEST = 80;
/** Names in a sentence. */
const MOST_NAMED = 5;

/** A text or a name in quotation marks. */
export function quoted(text: string): string {
  return `"${text.length > LONGEST ? `${text.slice(0, LONGEST - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text}"`;
}

/** "a, b and c"; of many the first. */
export function enumerated(items: readonly string[]): string {
  if (items.length > MOST_NAMED) {
    return `${items.slice(0, MOST_NAMED).join(', ')} and ${items.length - MOST_NAMED} more`;
  }
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** The place of a text: its intent, or the counter-examples where that is null. */
export function placeOf(intent: string | null): string {
  return intent === null ? 'the counter-examples' : intent;
}
