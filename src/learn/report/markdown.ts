import type { Proportion } from '../../statistics/measures.js';

/** A Markdown table as prettier lays it out: columns as wide as their widest cell. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, at) => Math.max(3, ...lines.map((line) => width(line[at] ?? ''))));
  const lineOf = (cells: readonly string[]) =>
    `| ${widths.map((columns, at) => fill(cells[at] ?? '', columns)).join(' | ')} |\n`;
  return [lineOf(headings), lineOf(widths.map((columns) => '-'.repeat(columns))), ...rows.map(lineOf)].join(
    '',
  );
}

/** "81.95 ± 1.36": percent, and half of the interval; without the latter where it is unknown. */
export function percent({ value, low, high }: Proportion): string {
  const half = (100 * (high - low)) / 2;
  return Number.isFinite(half) ? `${points(value)} ± ${half.toFixed(2)}` : points(value);
}

/** "+2.10 ± 0.80": points between two percentages. */
export function signedPercent(difference: Proportion): string {
  const text = percent(difference);
  return difference.value > 0 ? `+${text}` : text.replace('-', '−');
}

/** "81.95" for 0.8195. */
export function points(value: number): string {
  return (100 * value).toFixed(2);
}

/** A name from the plan in a heading or cell. */
export function escaped(text: string): string {
  return text.replaceAll('|', '\\|');
}

function width(text: string): number {
  return [...text].length;
}

function fill(text: string, columns: number): string {
  return text + ' '.repeat(columns - width(text));
}
