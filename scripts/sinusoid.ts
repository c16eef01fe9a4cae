import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tree } from '@jax-js/jax';
import { Command } from 'commander';
import type { TopLevelSpec } from 'vega-lite';
import { wholeNumber } from '../src/cli/numbers.js';
import { startProgress } from '../src/cli/progress.js';
import { initHeads } from '../src/heads/runtime.js';
import { Random } from '../src/statistics/random.js';
import { renderSvg } from '../src/learn/report/svg.js';
import {
  type SinusoidFit,
  sinusoidErrorChart,
  sinusoidFitChart,
} from '../src/learn/report/sinusoidCharts.js';
import {
  curveAfter,
  drawPoints,
  errorBySteps,
  initNetwork,
  type Network,
  type OuterLoss,
  SINUSOID,
  trainNetwork,
  valueAt,
} from '../src/learn/sinusoid.js';

/*
 * MAML's own toy (docs/inner-loop.md): trains a network to be adapted and one that is just trained on everything, and draws
 * how each takes to a wave that it has not seen.
 */

const program = new Command('sinusoid')
  .description('Trains the sinusoid example of docs/inner-loop.md and draws its charts.')
  .option('--steps <n>', 'steps of the outer loop', wholeNumber(), 1000)
  .option('--waves <n>', 'waves that the errors are measured on', wholeNumber(), 600)
  .option('--out <folder>', 'where the charts go', join('docs', 'results'))
  .option('--seed <n>', 'seed of everything that is drawn', wholeNumber(), 1)
  .action(run);

await program.parseAsync();

async function run(options: { steps: number; waves: number; out: string; seed: number }): Promise<void> {
  await initHeads();
  const random = new Random(options.seed);
  const train = (loss: OuterLoss): Network => {
    const bar = startProgress(process.stderr, loss, options.steps);
    const network = trainNetwork(loss, options.steps, random.split('training'), (done) => bar.update(done));
    bar.stop();
    return network;
  };
  const networks: [string, Network][] = [
    ['MAML', train('maml')],
    ['trained on all waves', train('pretrained')],
    ['untrained', initNetwork(options.seed)],
  ];

  const STEPS = 10;
  const errors = networks.map(([name, network]) => ({
    name,
    errors: errorBySteps(network, STEPS, options.waves, random.split('test')),
  }));
  for (const { name, errors: own } of errors) {
    const at = (t: number) => `${own[t]!.value.toFixed(2)} ± ${(own[t]!.high - own[t]!.value).toFixed(2)}`;
    process.stdout.write(
      `${name.padEnd(22)} squared error ${at(0)}, after 1 step ${at(1)}, 5 steps ${at(5)}, 10 steps ${at(10)}\n`,
    );
  }
  const wave = { amplitude: 3.5, phase: 0.6 };
  const x = Array.from({ length: 101 }, (_, i) => SINUSOID.range * (i / 50 - 1));
  const fits = networks.slice(0, 2).map(([name, network]): SinusoidFit => {
    const support = () => drawPoints([wave], random.split('picture'));
    const after = (steps: number) => ({ steps, y: curveAfter(network, support(), steps, x) });
    return { name, curves: [0, 1, STEPS].map(after) };
  });
  const points = drawPoints([wave], random.split('picture'));
  const picture = {
    x,
    truth: x.map((at) => valueAt(wave, at)),
    points: { x: [...(points.x.dataSync() as Float32Array)], y: [...(points.y.dataSync() as Float32Array)] },
    fits,
  };
  const charts: [string, TopLevelSpec][] = [
    ['sinusoid-fit', sinusoidFitChart(picture)],
    ['sinusoid-error', sinusoidErrorChart(errors, options.waves)],
  ];
  for (const [name, chart] of charts) {
    const file = join(options.out, `${name}.svg`);
    await writeFile(file, await renderSvg(chart));
    process.stdout.write(`${file}\n`);
  }
  tree.dispose(networks.map(([, network]) => network));
}
