/*
 * Entity annotations of Rasa's training texts, which kshot has no use for: `[Oslo](city)`, `[Oslo](city:OSL)`,
 * `[Oslo]{"entity": "city", "role": "from"}` and `[Oslo][{"entity": "city"}, {"entity": "place"}]` stand for `Oslo`.
 *
 * No class below may match its own opening bracket, so that a line of brackets costs linear time.
 */
const ANNOTATION =
  /\[([^[\]]+)\](?:\([^()[\]]+\)|\{[^{}[\]]*"entity"[^{}[\]]*\}|\[\s*\{[^[\]]*"entity"[^[\]]*\}\s*\])/g;

/** Whether Rasa would see an entity in the text. */
export function hasAnnotations(text: string): boolean {
  return text.search(ANNOTATION) !== -1;
}

/** The text as a user would have typed it. */
export function withoutAnnotations(text: string): string {
  return text.replace(ANNOTATION, '$1');
}
