import type { TopLevelSpec } from 'vega-lite';
import type { OptimiserCurve } from '../diagnostics/learnedOptimiser.js';
import type { GateSpread, GateStep } from '../diagnostics/lstmMetaLearner.js';
import type { FastWeightAblation } from '../diagnostics/metaNetworks.js';
import type { Proportion } from '../../statistics/measures.js';
import { curvesChart } from './curvesChart.js';
import { markdownTable, percent } from './markdown.js';

/** What the papers look at, of one kind of tasks. */
export interface DomainDiagnostics {
  readonly name: string;
  /** MANN: accuracy at the first sight of a class, the second ...: `[K]`. */
  readonly instances: readonly Proportion[];
  /** The learned optimiser and those that were tuned. */
  readonly curves: readonly OptimiserCurve[];
  /** Steps that the learned optimiser was trained for; the curves go on. */
  readonly trainedSteps: number;
  /** The gates of the LSTM meta-learner. */
  readonly gates: readonly GateStep[];
  /** Meta Networks without the one or the other kind of fast weights. */
  readonly fastWeights: FastWeightAblation;
}

/** As they are written beside the page. */
export interface Diagnostics {
  readonly domains: DomainDiagnostics[];
}

/** The sights that the paper reports. */
const SIGHTS = [1, 2, 5, 10];

/** The page, in Markdown; made of the results alone. */
export function diagnosticsPage({ domains }: Diagnostics): string {
  const best = (curve: OptimiserCurve) => Math.min(...curve.losses.map(({ value }) => value));
  return `${[
    "# The papers' own diagnostics",
    'Written by `npm run diagnostics`; the figures are also in [diagnostics.json](diagnostics.json). All tasks are of classes that neither the heads nor the encoder were trained on: BANKING77 for heads that were trained on CLINC150 and HWU64, and `val_wiki` for those that were trained on 64 relations. ± is half of the 95 % interval over the tasks.',
    '## Memory-augmented network: accuracy by instance',
    'Sequences of 5 classes, 10 items of each in random order, each label told one step late (Santoro et al. 2016, table 1). At the first sight of a class nothing can be known; what comes after is the memory.',
    markdownTable(
      ['tasks', ...SIGHTS.map((sight) => `sight ${sight}, %`)],
      domains.map(({ name, instances }) => [name, ...SIGHTS.map((sight) => percent(instances[sight - 1]!))]),
    ).trimEnd(),
    '![Accuracy by instance](diagnostics-mann.svg)',
    '## Learned optimiser: loss curves',
    'Query loss along the inner loop, from the same start down the same support sets (Andrychowicz et al. 2016, figures 4 to 6), 10-way 5-shot. The rates of the others were chosen on 15 other tasks, out of ten; the curves go on for twice the steps that the learned optimiser was trained for.',
    markdownTable(
      ['tasks', 'optimiser', 'rate', 'lowest loss', 'at the last trained step', 'at the end'],
      domains.flatMap(({ name, curves, trainedSteps }) =>
        curves.map((curve) => [
          name,
          curve.optimiser,
          curve.rate === undefined ? '' : String(curve.rate),
          best(curve).toFixed(3),
          interval(curve.losses[trainedSteps]!),
          interval(curve.losses.at(-1)!),
        ]),
      ),
    ).trimEnd(),
    '![Loss curves](diagnostics-learned-optimiser.svg)',
    '## LSTM meta-learner: gates over steps',
    "The forget gate is the share of the learner that is kept, the input gate its rate (Ravi & Larochelle 2017, figure 2); over the coordinates of 20 tasks' learners.",
    '![Gates over steps](diagnostics-lstm-meta-learner.svg)',
    '## Meta Networks: which fast weights matter',
    'Accuracy, 10-way 5-shot, with the fast weights of one level taken away and no training anew. Without those of the examples all classes score the same.',
    markdownTable(
      ['tasks', 'both levels, %', 'example level alone, %', 'task level alone, %'],
      domains.map(({ name, fastWeights: { both, exampleLevel, taskLevel } }) => [
        name,
        percent(both),
        percent(exampleLevel),
        percent(taskLevel),
      ]),
    ).trimEnd(),
  ].join('\n\n')}\n`;
}

function interval({ value, high }: Proportion): string {
  return `${value.toFixed(3)} ± ${(high - value).toFixed(3)}`;
}

/** The charts, by the names of their files. */
export function diagnosticsCharts({ domains }: Diagnostics): Record<string, TopLevelSpec> {
  return {
    'diagnostics-mann': instanceChart(domains),
    'diagnostics-learned-optimiser': lossChart(domains),
    'diagnostics-lstm-meta-learner': gateChart(domains),
  };
}

function instanceChart(domains: readonly DomainDiagnostics[]): TopLevelSpec {
  const points = domains.flatMap(({ name, instances }) =>
    instances.map((value, i) => ({ panel: 'all', line: name, x: i + 1, value })),
  );
  return curvesChart(
    'MANN: accuracy by instance',
    'Bands: 95 % intervals over sequences',
    'Sight of the class',
    points,
  );
}

function lossChart(domains: readonly DomainDiagnostics[]): TopLevelSpec {
  const points = domains.flatMap(({ name, curves }) =>
    curves.flatMap(({ optimiser, losses }) =>
      losses.map((value, x) => ({ panel: name, line: optimiser, x, value })),
    ),
  );
  return curvesChart(
    'Learned optimiser: query loss on held-out tasks',
    'Bands: 95 % intervals over tasks',
    'Inner steps',
    points,
    { title: 'Query loss', factor: 1 },
  );
}

function gateChart(domains: readonly DomainDiagnostics[]): TopLevelSpec {
  const points = domains.flatMap(({ name, gates }) =>
    gates.flatMap(({ step, forget, input }) => [
      { panel: name, line: 'forget', x: step, value: proportionOf(forget) },
      { panel: name, line: 'input', x: step, value: proportionOf(input) },
    ]),
  );
  return curvesChart(
    'LSTM meta-learner: gates over steps',
    'Bands: 5th to 95th percentile over the coordinates',
    'Inner steps',
    points,
    { title: 'Gate', factor: 1 },
  );
}

function proportionOf({ mean, low, high }: GateSpread): Proportion {
  return { value: mean, low, high };
}
