import type { Plan } from '../evaluation/plan.js';
import type { ResultStore } from '../evaluation/resultStore.js';
import { Benchmark } from './benchmark.js';
import { benchmarkSection } from './section.js';
import { renderSvg } from './svg.js';

/** A page and its pictures, as texts by the names of their files. */
export interface Page {
  readonly markdown: string;
  readonly pictures: ReadonlyMap<string, string>;
}

export interface PageOptions {
  /** The first heading, and what stands under it. */
  readonly intro: string;
  /** The folder of the pictures as the page links to it; empty for the page's own. */
  readonly pictures: string;
}

/** Writes a page of what is stored of a plan's benchmarks: the same page whenever the same is stored. */
export async function resultsPage(
  plan: Plan,
  stores: ReadonlyMap<string, ResultStore>,
  { intro, pictures: folder }: PageOptions,
): Promise<Page> {
  const fileOf = (name: string) => `${name}.svg`;
  const sections = plan.benchmarks.map((benchmark) =>
    benchmarkSection(
      new Benchmark(benchmark, stores.get(benchmark.benchmark)!),
      (name) => (folder === '' ? '' : `${folder}/`) + fileOf(name),
    ),
  );
  const pictures = new Map<string, string>();
  for (const { name, spec } of sections.flatMap(({ charts }) => charts)) {
    pictures.set(fileOf(name), await renderSvg(spec));
  }
  return { markdown: [intro, ...sections.map(({ markdown }) => markdown)].join('\n'), pictures };
}
