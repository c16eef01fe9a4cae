import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { COMMITTEE_HEADS } from '../src/classify/committee.js';
import { wholeNumber } from '../src/cli/numbers.js';
import { startProgress } from '../src/cli/progress.js';
import { readSettings, settingOptions } from '../src/config.js';
import { KshotError } from '../src/errors.js';
import { STRATEGIES, type Strategy } from '../src/heads/strategies.js';
import { readCalibration, sharpnessOf } from '../src/heads/calibration.js';
import { HEAD_NAMES, type HeadName } from '../src/heads/registry.js';
import { initHeads } from '../src/heads/runtime.js';
import { temperatureOf } from '../src/heads/temperature.js';
import { type Judge, simulateLabelling } from '../src/learn/activeLearning.js';
import { EmbeddingCache } from '../src/learn/embeddingCache.js';
import { findHead } from '../src/learn/evaluation/evaluatedHead.js';
import {
  activeLearningChart,
  activeLearningPage,
  type ActiveLearningResults,
  type ActiveLearningSetting,
  readActiveLearning,
} from '../src/learn/report/activeLearning.js';
import { openSetLoader, type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';
import { writeStudy } from './writeStudy.js';

// Which texts to label first: strategies against choosing at random, on bots that are built label by label.

interface Options extends SetFlags {
  readonly set: string;
  readonly head: HeadName;
  readonly strategy: readonly Strategy[];
  readonly pool: number;
  readonly batch: number;
  readonly labels: number;
  readonly seeds: number;
  readonly calibration: string;
  readonly out: string;
}

const PACKAGE = new URL('../../', import.meta.url);

const program = new Command('active-learning')
  .description(
    'How many labels a bot needs where the texts to label are chosen by a strategy, against choosing at random.',
  )
  .option('--set <name>', 'an intent set with the splits train, valid and test', 'banking77')
  .addOption(new Option('--head <name>', "the bot's head").choices(HEAD_NAMES).default('adapted'))
  .addOption(
    new Option('--strategy <names...>', 'what is simulated').choices(STRATEGIES).default([...STRATEGIES]),
  )
  .option('--pool <n>', 'texts that can be labelled', wholeNumber(), 2000)
  .option('--batch <n>', 'labels between two suggestions', wholeNumber(), 60)
  .option('--labels <n>', 'labels at the end, those of the start among them', wholeNumber(), 1000)
  .option('--seeds <n>', 'pools that are drawn', wholeNumber(), 5)
  .option(
    '--calibration <file>',
    'what makes probabilities of scores',
    fileURLToPath(new URL('models/heads/calibration.json', PACKAGE)),
  )
  .option(
    '--out <folder>',
    'where the page is written; curves that are there already are kept',
    'reports/active-learning',
  )
  .addHelpText(
    'after',
    `
Examples:
  $ npm run active-learning -- --model data/encoders/without-banking77 --out docs/results
  $ npm run active-learning -- --strategy random margin --seeds 2 --labels 400`,
  );
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) program.addOption(option);

program.action(async (options: Options) => {
  const settings = readSettings(program.opts(), process.env, ['encoder']);
  await initHeads();
  const cache = new EmbeddingCache(options.cache);
  const loader = openSetLoader(settings.model, options, cache, settings);
  try {
    const load = async (split: string) => (await loader.load({ set: options.set, split }))[0]!;
    const [texts, valid, test] = [await load('train'), await load('valid'), await load('test')];
    const calibration = await readCalibration(options.calibration);
    const encoder = await loader.encoderOf();
    const judge = async (name: HeadName): Promise<Judge> => ({
      evaluated: (await findHead(name, encoder.fingerprint)).open(texts.dimension),
      temperature: (counts) => temperatureOf(sharpnessOf(calibration, name), counts),
    });
    const own = await judge(options.head);
    const committee = COMMITTEE_HEADS.filter((name) => name !== options.head);
    const others = await Promise.all(committee.map(judge));

    const setting: ActiveLearningSetting = {
      set: options.set,
      encoder: basename(settings.model),
      head: options.head,
      committee,
      pool: options.pool,
      batch: options.batch,
      queries: { valid: valid.set.texts.length, test: test.set.texts.length },
    };
    const results = await openResults(join(options.out, 'active-learning.json'), setting, options);
    const wanted = Array.from({ length: options.seeds }, (_, i) => i + 1).flatMap((seed) =>
      options.strategy
        .filter((strategy) => results.curves[strategy]?.[seed] === undefined)
        .map((strategy) => ({ strategy, seed })),
    );
    const bar = startProgress(process.stderr, 'bots', wanted.length);
    for (const [done, { strategy, seed }] of wanted.entries()) {
      const note = (labels: number) => bar.update(done, `${strategy}, seed ${seed}: ${labels} labels`);
      const curve = simulateLabelling(own, others, texts, [valid, test], strategy, seed, options, note);
      results.labels = [...curve.labels];
      const [ofValid, ofTest] = curve.hits;
      (results.curves[strategy] ??= {})[seed] = { valid: [...ofValid!], test: [...ofTest!] };
      await write(results, options.out);
    }
    bar.stop();
    await write(results, options.out);
    process.stderr.write(`The page is ${join(options.out, 'active-learning.md')}\n`);
  } finally {
    cache.close();
    await loader.close();
  }
});

/** @throws KshotError `invalid_configuration` where the folder holds results of another setting. */
async function openResults(
  file: string,
  setting: ActiveLearningSetting,
  { labels: end }: Options,
): Promise<ActiveLearningResults> {
  const found = await readActiveLearning(file);
  if (found === undefined) return { setting, labels: [], curves: {} };
  const last = found.labels.at(-1) ?? 0;
  if (isDeepStrictEqual(found.setting, setting) && last <= end && last + setting.batch > end) return found;
  throw new KshotError(
    'invalid_configuration',
    `${file} holds curves of another setting; name another folder, or remove it`,
  );
}

function write(results: ActiveLearningResults, folder: string): Promise<void> {
  // Without random there is nothing to compare with yet.
  const page = results.curves.random && {
    markdown: activeLearningPage(results),
    charts: { 'active-learning': activeLearningChart(results) },
  };
  return writeStudy(folder, 'active-learning', results, page);
}

await runProgram(program);
