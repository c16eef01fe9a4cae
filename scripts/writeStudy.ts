import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import { renderSvg } from '../src/learn/report/svg.js';

/** A page in Markdown, and its charts by the names of their files, without the ending. */
export interface StudyPage {
  readonly markdown: string;
  readonly charts: Readonly<Record<string, TopLevelSpec>>;
}

/**
 * Writes what a study has measured, `<name>.json`, and the page of it, `<name>.md` and its pictures, into a folder that is
 * made where there is none.
 *
 * @param page absent while there is not enough for one.
 */
export async function writeStudy(
  folder: string,
  name: string,
  results: object,
  page?: StudyPage,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(results)}\n`);
  if (page === undefined) return;
  await writeFile(join(folder, `${name}.md`), page.markdown);
  for (const [chart, spec] of Object.entries(page.charts)) {
    await writeFile(join(folder, `${chart}.svg`), await renderSvg(spec));
  }
}
