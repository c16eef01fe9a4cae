import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, readLines } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/*
 * ARSC, Amazon reviews (Yu et al. 2018), in the layout of Gorov/DiverseFewShot_Amazon: `Amazon_few_shot/` holds
 * `<domain>.t{2,4,5}.{train,dev,test}`, a line each `text<TAB>1` or `-1` (more stars than the threshold or not), and the
 * lists of domains. A domain at a threshold is a task of two classes.
 */

const THRESHOLDS = [2, 4, 5] as const;

export interface ArscTask {
  readonly domain: string;
  /** Of the stars. */
  readonly threshold: (typeof THRESHOLDS)[number];
}

/** One of the 12 tasks that the published figures stand on. */
export interface ArscTestTask extends ArscTask {
  /** Five of each class. */
  readonly support: TextSet;
  readonly queries: TextSet;
}

/**
 * The tasks of meta-training: every domain but the four of the tests, at every threshold, each a set of its own.
 *
 * @param folder `Amazon_few_shot`.
 * @param split `train`, for episodes; `dev`, to validate on.
 * @returns sets in the order of the list; tasks whose file is absent are named in `missing` and left out.
 * @throws KshotError `invalid_file`.
 */
export async function readArscTraining(
  folder: string,
  split: 'train' | 'dev',
): Promise<{ sets: TextSet[]; missing: string[] }> {
  const held = new Set(await readDomains(folder, 'workspace.target.list'));
  const domains = (await readDomains(folder, 'workspace.filtered.list')).filter((name) => !held.has(name));
  const sets: TextSet[] = [];
  const missing: string[] = [];
  for (const task of tasksOf(domains)) {
    const file = taskFile(folder, task, split);
    if (await exists(file)) sets.push(await readTask(folder, task, split));
    else missing.push(taskName(task));
  }
  if (sets.length === 0) throw invalid(folder, `there is no .${split} file of a training domain in it`);
  return { sets, missing };
}

/** The 12 official test tasks: `.train` is the support set, `.test` the queries. @throws KshotError `invalid_file`. */
export async function readArscTests(folder: string): Promise<ArscTestTask[]> {
  const tasks = tasksOf(await readDomains(folder, 'workspace.target.list'));
  return Promise.all(
    tasks.map(async (task) => ({
      ...task,
      support: await readTask(folder, task, 'train'),
      queries: await readTask(folder, task, 'test'),
    })),
  );
}

function tasksOf(domains: readonly string[]): ArscTask[] {
  return domains.flatMap((domain) => THRESHOLDS.map((threshold) => ({ domain, threshold })));
}

async function readTask(folder: string, task: ArscTask, split: string): Promise<TextSet> {
  const builder = new TextSetBuilder(taskName(task));
  for (const { text, place } of await readLines(taskFile(folder, task, split))) {
    const tab = text.lastIndexOf('\t');
    const label = text.slice(tab + 1).trim();
    if (tab === -1 || (label !== '1' && label !== '-1')) {
      throw invalid(place, 'a line must be a text, a tab, and 1 or -1');
    }
    builder.add(label, text.slice(0, tab), place);
  }
  builder.describe('1', 'positive review');
  builder.describe('-1', 'negative review');
  return builder.finish();
}

async function readDomains(folder: string, list: string): Promise<string[]> {
  return (await readLines(join(folder, list))).map(({ text }) => text.trim());
}

function taskName({ domain, threshold }: ArscTask): string {
  return `arsc ${domain}.t${threshold}`;
}

function taskFile(folder: string, { domain, threshold }: ArscTask, split: string): string {
  return join(folder, `${domain}.t${threshold}.${split}`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
