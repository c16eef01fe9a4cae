import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { ClassifyResult, ClassifyService } from '../../src/classify/service.js';
import { startProgress } from '../../src/cli/progress.js';
import { Kshot } from '../../src/client/index.js';
import { readSettings, settingOptions } from '../../src/config.js';
import {
  INTENT_SETS,
  type IntentSetName,
  readIntentSplit,
  readOutOfScope,
} from '../../src/learn/datasets/intentSets.js';
import {
  auroc,
  expectedCalibrationError,
  proportion,
  type Proportion,
} from '../../src/statistics/measures.js';
import { serve } from '../../src/serve.js';

// The served path's accuracy on the published few-shot splits: the support set is put into a bot as a user would, every
// test text goes through the service and, again, over HTTP, and the two must agree.

const BOT = 'evaluated';
const TEXTS_A_REQUEST = 100;

interface Options {
  readonly data: IntentSetName[];
  readonly shots: string;
  readonly split: string;
  readonly folder: string;
  readonly head?: string;
}

interface Row {
  readonly set: IntentSetName;
  readonly intents: number;
  readonly texts: number;
  readonly accuracy: Proportion;
  readonly accepted: Proportion;
  readonly ece: number;
  readonly differing: number;
  readonly outOfScope?: { readonly recall: Proportion; readonly auroc: number; readonly texts: number };
}

/** The accuracy of the served path. */
export const served = new Command('served')
  .description('Accuracy of the served path on the published few-shot splits of intent sets.')
  .addOption(
    new Option('--data <sets...>', 'intent sets')
      .choices(Object.keys(INTENT_SETS))
      .default(['banking77', 'clinc150', 'hwu64']),
  )
  .addOption(
    new Option('--shots <n>', 'published support set: 5, 10, or all of the training split')
      .choices(['5', '10', 'all'])
      .default('10'),
  )
  .addOption(new Option('--split <name>', 'queries').choices(['valid', 'test']).default('test'))
  .addOption(
    new Option(
      '--folder <path>',
      'a copy of jianguoz/Few-Shot-Intent-Detection (the folder that holds Datasets/)',
    )
      .env('KSHOT_INTENT_SETS')
      .makeOptionMandatory(),
  )
  .option('--head <name>', "the head that scores; the service's default if left out")
  .addHelpText(
    'after',
    '\nExample:\n  $ npm run evaluate -- --data banking77 --shots 10 --folder ~/Few-Shot-Intent-Detection',
  );
for (const option of settingOptions(['encoder', 'heads'])) served.addOption(option);

served.action(async (options: Options) => {
  const rows: Row[] = [];
  let model: ClassifyResult['model'] | undefined;
  for (const set of options.data) {
    const evaluated = await evaluateSet(set, options);
    rows.push(evaluated.row);
    model = evaluated.model;
  }
  process.stdout.write(report(rows, options, model!));
});

async function evaluateSet(
  set: IntentSetName,
  options: Options,
): Promise<{ row: Row; model: ClassifyResult['model'] }> {
  const support = await readIntentSplit(
    options.folder,
    set,
    options.shots === 'all' ? 'train' : `train_${options.shots}`,
  );
  const queries = await readIntentSplit(options.folder, set, options.split);
  const outside = await readOutOfScope(options.folder, set, options.split);

  const dataDir = await mkdtemp(join(tmpdir(), 'kshot-evaluate-'));
  const settings = readSettings(
    {
      ...served.opts(),
      dataDir,
      demo: 'false',
      port: '0',
      logLevel: 'warn',
      maxQueuedTexts: '100000',
      maxQueueMs: '3600000',
      maxExamplesPerIntent: '10000',
    },
    process.env,
  );
  const serving = await serve(settings);
  const { url, service } = serving;
  try {
    await service.putBot(BOT, options.head === undefined ? {} : { head: options.head });
    await service.putIntents(BOT, intentsOf(support));
    await adapted(service);

    const texts = [...queries.texts, ...(outside ?? [])];
    const served = await inChunks(texts, `${set}: served`, (chunk) => service.classify(BOT, chunk));
    const client = new Kshot({ url });
    const overHttp = await inChunks(texts, `${set}: over HTTP`, (chunk) => client.classify(BOT, chunk));

    const inside = served.slice(0, queries.texts.length);
    const right = inside.map((result, i) => result.ranking[0]!.intent === queries.labels[i]);
    const row: Row = {
      set,
      intents: new Set(support.labels).size,
      texts: inside.length,
      accuracy: proportion(count(right), inside.length),
      accepted: proportion(count(inside.map((result) => !result.out_of_scope)), inside.length),
      ece: expectedCalibrationError(
        inside.map(({ confidence }) => confidence),
        right,
      ),
      differing: count(served.map((result, i) => JSON.stringify(result) !== JSON.stringify(overHttp[i]))),
      ...(outside === undefined ? {} : { outOfScope: scope(inside, served.slice(queries.texts.length)) }),
    };
    return { row, model: served[0]!.model };
  } finally {
    await serving.close();
    await rm(dataDir, { recursive: true });
  }
}

function intentsOf({ texts, labels }: { texts: readonly string[]; labels: readonly string[] }) {
  const examples = new Map<string, string[]>();
  labels.forEach((label, i) => {
    examples.set(label, [...(examples.get(label) ?? []), texts[i]!]);
  });
  return [...examples].map(([name, list]) => ({ name, examples: list }));
}

/** Waits until the head has adapted, as a bot that has been left alone for a few seconds has. */
async function adapted(service: ClassifyService): Promise<void> {
  for (;;) {
    const [result] = await service.classify(BOT, ['is the head adapted?'], { explain: true });
    if (result!.explanation!.adapted && service.stats().adaptations === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function inChunks(
  texts: readonly string[],
  label: string,
  classify: (chunk: readonly string[]) => Promise<readonly ClassifyResult[]>,
): Promise<ClassifyResult[]> {
  const bar = startProgress(process.stderr, label, texts.length);
  const results: ClassifyResult[] = [];
  for (let from = 0; from < texts.length; from += TEXTS_A_REQUEST) {
    results.push(...(await classify(texts.slice(from, from + TEXTS_A_REQUEST))));
    bar.update(results.length);
  }
  bar.stop();
  return results;
}

function scope(
  inside: readonly ClassifyResult[],
  outside: readonly ClassifyResult[],
): NonNullable<Row['outOfScope']> {
  return {
    texts: outside.length,
    recall: proportion(count(outside.map((result) => result.out_of_scope)), outside.length),
    auroc: auroc(
      inside.map((result) => result.in_scope),
      outside.map((result) => result.in_scope),
    ),
  };
}

function count(flags: readonly boolean[]): number {
  return flags.filter(Boolean).length;
}

function report(
  rows: readonly Row[],
  { shots, split }: Options,
  { encoder, head }: ClassifyResult['model'],
): string {
  const percent = ({ value, low, high }: Proportion) =>
    `${(value * 100).toFixed(2)} (${(low * 100).toFixed(1)} to ${(high * 100).toFixed(1)})`;
  const table = [
    '| set | intents | queries | accuracy, % (95 % interval) | in scope accepted, % | ECE | differs over HTTP |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${row.set} | ${row.intents} | ${row.texts} | ${percent(row.accuracy)} | ${percent(row.accepted)} | ${row.ece.toFixed(3)} | ${row.differing} |`,
    ),
  ];
  const outside = rows.flatMap(({ set, outOfScope }) =>
    outOfScope === undefined
      ? []
      : `${set}: of ${outOfScope.texts} out-of-scope queries ${percent(outOfScope.recall)} % are refused; AUROC ${outOfScope.auroc.toFixed(4)}.`,
  );
  const title = `Encoder ${encoder}, head ${head}, ${shots === 'all' ? 'all of the training split' : `published ${shots}-shot support set`}, ${split} split, all intents at once. Accuracy is that of the best intent, in scope or not.`;
  return `\n${[title, '', ...table, '', ...outside].join('\n').trimEnd()}\n`;
}
