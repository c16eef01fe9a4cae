import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tree } from '@jax-js/jax';
import { Command } from 'commander';
import { readSettings, settingOptions } from '../src/config.js';
import { loadCheckpoint } from '../src/heads/checkpoint.js';
import type { LearnedOptimiserParams } from '../src/heads/learnedOptimiser.js';
import type { RuleOptions } from '../src/heads/learnedRule.js';
import type { LstmMetaLearnerParams } from '../src/heads/lstmMetaLearner.js';
import type { MetaNetworksParams } from '../src/heads/metaNetworks.js';
import { initHeads } from '../src/heads/runtime.js';
import { compareOptimisers } from '../src/learn/diagnostics/learnedOptimiser.js';
import { gatesBySteps } from '../src/learn/diagnostics/lstmMetaLearner.js';
import { accuracyByInstance } from '../src/learn/diagnostics/mann.js';
import { ablateFastWeights } from '../src/learn/diagnostics/metaNetworks.js';
import { EmbeddingCache } from '../src/learn/embeddingCache.js';
import type { EpisodeShape } from '../src/learn/episodes.js';
import { EpisodeStream } from '../src/learn/episodeStream.js';
import { headEpisode, supportOf } from '../src/learn/headEpisode.js';
import { Random } from '../src/statistics/random.js';
import {
  type Diagnostics,
  diagnosticsCharts,
  diagnosticsPage,
  type DomainDiagnostics,
} from '../src/learn/report/diagnosticsPage.js';
import type { SetSpec } from '../src/learn/setLoader.js';
import { Validator } from '../src/learn/validator.js';
import { openSetLoader, type SetFlags, setOptions } from './sets.js';
import { runProgram } from './runProgram.js';
import { writeStudy } from './writeStudy.js';

/*
 * What the papers of the memory networks and of the learned optimisers look at, on tasks of classes that neither head nor
 * encoder has seen: docs/results/diagnostics.md.
 */

const DOCS = fileURLToPath(new URL('../../docs/results', import.meta.url));
const SHIPPED = fileURLToPath(new URL('../../models/encoder', import.meta.url));

interface Options extends SetFlags {
  readonly checkpoints: string;
  readonly encoders: string;
  readonly out: string;
}

const program = new Command('diagnostics')
  .description(
    "Draws the papers' own diagnostics of the trained heads, and writes docs/results/diagnostics.md.",
  )
  .option('--checkpoints <folder>', 'where fewrel/<head> and without-banking77/<head> are', 'data/heads')
  .option('--encoders <folder>', 'where the encoder without-banking77 is', 'data/encoders')
  .option('--out <folder>', 'where diagnostics.md, .json and the charts go', DOCS)
  .action(run);
for (const option of [...setOptions(), ...settingOptions(['encoder'])]) program.addOption(option);
await runProgram(program);

async function run(options: Options): Promise<void> {
  await initHeads();
  const { checkpoints, encoders } = options;
  const cache = new EmbeddingCache(options.cache);
  const domains: readonly (readonly [name: string, encoder: string, spec: SetSpec, folder: string])[] = [
    [
      'intents (BANKING77)',
      join(encoders, 'without-banking77'),
      { set: 'banking77' },
      join(checkpoints, 'without-banking77'),
    ],
    [
      'relations (FewRel)',
      SHIPPED,
      { set: 'fewrel', split: 'val_wiki', entities: true },
      join(checkpoints, 'fewrel'),
    ],
  ];
  const found: Diagnostics = { domains: [] };
  try {
    for (const [name, encoder, spec, folder] of domains) {
      const loader = openSetLoader(encoder, options, cache, readSettings({ ...options }, process.env));
      try {
        const [embedded] = await loader.load(spec);
        const { fingerprint } = await loader.encoderOf(spec);
        const tasks = (shape: EpisodeShape, nameRows: boolean) =>
          new EpisodeStream([{ embedded: embedded! }], shape, { nameRows, random: new Random(1) });
        found.domains.push({ name, ...(await diagnose(folder, fingerprint, tasks)) });
      } finally {
        await loader.close();
      }
    }
  } finally {
    cache.close();
  }
  await writeStudy(options.out, 'diagnostics', found, {
    markdown: diagnosticsPage(found),
    charts: diagnosticsCharts(found),
  });
}

async function diagnose(
  folder: string,
  encoder: string,
  tasks: (shape: EpisodeShape, nameRows: boolean) => EpisodeStream,
): Promise<Omit<DomainDiagnostics, 'name'>> {
  const load = (head: string) => loadCheckpoint(join(folder, head), { encoder });
  const say = (what: string) => process.stderr.write(`${folder}: ${what}\n`);

  const mann = await load('mann');
  const instances = accuracyByInstance(
    mann.head,
    mann.params,
    tasks({ ways: 5, shots: 10, queries: 1 }, false),
    {
      episodes: 200,
      random: new Random(2),
    },
  );
  tree.dispose(mann.params);
  say('mann');

  const optimiser = await load('learned-optimiser');
  const few = tasks({ ways: 10, shots: 5, queries: 5 }, false);
  const episodes = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => headEpisode(few.at(from + i)));
  const ruleOptions = optimiser.head.options as RuleOptions;
  const [tuning, held] = [episodes(0, 15), episodes(15, 65)];
  const curves = compareOptimisers({
    params: optimiser.params as LearnedOptimiserParams,
    options: { ...ruleOptions, steps: 2 * ruleOptions.steps },
    tuning,
    held,
  });
  tree.dispose([optimiser.params, tuning, held] as Parameters<typeof tree.dispose>[0]);
  say('learned-optimiser');

  const lstm = await load('lstm-meta-learner');
  const supports = Array.from({ length: 20 }, (_, i) => supportOf(few.at(i)));
  const gates = gatesBySteps(
    lstm.params as LstmMetaLearnerParams,
    supports,
    lstm.head.options as RuleOptions,
  );
  tree.dispose(lstm.params);
  say('lstm-meta-learner');

  const meta = await load('meta-networks');
  const fastWeights = ablateFastWeights(
    meta.head,
    meta.params as MetaNetworksParams,
    new Validator(tasks({ ways: 10, shots: 5, queries: 5 }, false), 200),
  );
  tree.dispose(meta.params);
  say('meta-networks');
  return { instances, curves, trainedSteps: ruleOptions.steps, gates, fastWeights };
}
