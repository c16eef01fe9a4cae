/** Text for people at a terminal. */

/** Rows under headings, columns as wide as their widest cell; columns in `right` are set to the right. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string {
  const lines = [headings, ...rows].map((row) => row.map(printable));
  const widths = headings.map((_, at) => Math.max(...lines.map((line) => width(line[at] ?? ''))));
  return lines
    .map((line) =>
      line
        .map((cell, at) => pad(cell, widths[at] ?? 0, right.includes(at)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** "1 example", "2 examples". */
export function count(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? '' : 's'}`;
}

/** What would move the cursor or change the terminal is shown as a space. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Fills up with spaces. */
export function pad(text: string, columns: number, toTheRight = false): string {
  const fill = ' '.repeat(Math.max(0, columns - width(text)));
  return toTheRight ? fill + text : text + fill;
}

/** Characters, near enough to columns. */
function width(text: string): number {
  return [...text].length;
}
