/** Texts that were written one a line; empty lines and repetitions are passed over. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/^\s*[-*•]\s+/, '').trim());
  return [...new Set(lines.filter((line) => line !== ''))];
}
