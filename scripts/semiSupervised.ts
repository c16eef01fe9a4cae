import { basename, join } from 'node:path';
import { Command } from 'commander';
import { wholeNumber } from '../src/cli/numbers.js';
import { startProgress } from '../src/cli/progress.js';
import { readSettings, settingOptions } from '../src/config.js';
import { initHeads } from '../src/heads/runtime.js';
import { EmbeddingCache } from '../src/learn/embeddingCache.js';
import {
  readSemiSupervised,
  semiSupervisedChart,
  semiSupervisedPage,
  type SemiSupervisedResults,
} from '../src/learn/report/semiSupervised.js';
import { evaluateUnlabelled, type SemiSupervisedPools } from '../src/learn/semiSupervised.js';
import { openSetLoader, type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';
import { writeStudy } from './writeStudy.js';

// What texts without labels are worth: accuracy by how many there are, and by how many of them are out of scope.

interface Options extends SetFlags {
  readonly set: string;
  readonly strangers: string;
  readonly draws: number;
  readonly out: string;
}

const program = new Command('semi-supervised')
  .description(
    'Accuracy of heads that read unlabelled texts, by the number of texts and by the share of them that is out of scope.',
  )
  .option('--set <name>', 'an intent set with the splits train, valid and test', 'banking77')
  .option('--strangers <name>', 'the set whose training texts are out of scope', 'hwu64')
  .option('--draws <n>', 'support sets of each size that are drawn', wholeNumber(), 5)
  .option(
    '--out <folder>',
    'where the page is written; draws that are there already are kept',
    'reports/semi-supervised',
  )
  .addHelpText(
    'after',
    `
Example:
  $ npm run semi-supervised -- --model data/encoders/without-banking77 --out docs/results`,
  );
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) program.addOption(option);

program.action(async (options: Options) => {
  const settings = readSettings(program.opts(), process.env, ['encoder']);
  await initHeads();
  const cache = new EmbeddingCache(options.cache);
  const loader = openSetLoader(settings.model, options, cache, settings);
  try {
    const load = async (set: string, split: string) => (await loader.load({ set, split }))[0]!;
    const pools: SemiSupervisedPools = {
      texts: await load(options.set, 'train'),
      strangers: (await load(options.strangers, 'train')).embeddings,
      valid: await load(options.set, 'valid'),
      test: await load(options.set, 'test'),
    };
    const setting = {
      set: options.set,
      strangers: options.strangers,
      encoder: basename(settings.model),
      queries: { valid: pools.valid.set.texts.length, test: pools.test.set.texts.length },
    };
    const results = await readSemiSupervised(join(options.out, 'semi-supervised.json'), setting);
    for (let draw = 1; draw <= options.draws; draw++) {
      if (results.draws[draw] !== undefined) continue;
      const bar = startProgress(process.stderr, `draw ${draw}`, 1);
      results.draws[draw] = evaluateUnlabelled(pools, draw, (done) => bar.update(done));
      bar.stop();
      await write(results, options.out);
    }
    await write(results, options.out);
    process.stderr.write(`The page is ${join(options.out, 'semi-supervised.md')}\n`);
  } finally {
    cache.close();
    await loader.close();
  }
});

function write(results: SemiSupervisedResults, folder: string): Promise<void> {
  return writeStudy(folder, 'semi-supervised', results, {
    markdown: semiSupervisedPage(results),
    charts: { 'semi-supervised': semiSupervisedChart(results) },
  });
}

await runProgram(program);
