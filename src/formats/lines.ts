import { invalidAt } from './document.js';

/** The lines of a text with their numbers, from 1, one by one; what follows the last line's end is none if it is empty. */
export function* linesOf(text: string): Generator<[line: string, number: number]> {
  let number = 1;
  for (let start = 0; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    yield [text.slice(start, end), number];
    start = end + 1;
  }
}

/**
 * Refuses lines that are no training data, and that parsers are slow at or hold whole.
 *
 * @param longest in UTF-16 units.
 * @throws KshotError `invalid_file` with the line.
 */
export function refuseLongLines(text: string, longest: number): void {
  if (text.length <= longest) return;
  for (const [line, number] of linesOf(text)) {
    if (line.length > longest) throw invalidAt(number, 'far too long a line; is it training data?');
  }
}
