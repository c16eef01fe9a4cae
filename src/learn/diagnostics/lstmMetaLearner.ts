import { tree } from '@jax-js/jax';
import type { Support } from '../../heads/head.js';
import type { StepRule } from '../../heads/innerLoop.js';
import { type Descent, descend } from '../../heads/learnedRule.js';
import type { LinearLearner } from '../../heads/linearLearner.js';
import {
  gatedSteps,
  type GateState,
  type LstmMetaLearnerParams,
  metaStart,
} from '../../heads/lstmMetaLearner.js';

/** A gate over the coordinates of all tasks. */
export interface GateSpread {
  readonly mean: number;
  /** The 5th and the 95th percentile. */
  readonly low: number;
  readonly high: number;
}

/** The gates of step t = 1, 2, ... */
export interface GateStep {
  readonly step: number;
  /** f_t, the share of the learner that is kept, and */
  readonly forget: GateSpread;
  /** i_t, the rate at which it goes down the gradient. */
  readonly input: GateSpread;
}

/**
 * What the LSTM meta-learner's gates do in the course of the inner loop (Ravi & Larochelle 2017, figure 2).
 *
 * @param params of a trained head, not consumed.
 * @param supports support sets that it was not trained on; consumed.
 * @param options that it was trained with.
 * @returns step by step; the coordinates of padded classes are left out.
 */
export function gatesBySteps(
  params: LstmMetaLearnerParams,
  supports: Iterable<Support>,
  options: Descent,
): GateStep[] {
  const seen = Array.from({ length: options.steps }, (_, t) => ({
    step: t + 1,
    forget: [] as number[],
    input: [] as number[],
  }));
  const rule = gatedSteps()(params);
  for (const support of supports) {
    const occupied = (support.mask.ref.max(1).dataSync() as Float32Array).map(Number);
    const watch = (state: GateState, t: number) => {
      for (const gate of ['forget', 'input'] as const) {
        const values = state[gate].ref.dataSync() as Float32Array;
        const perClass = values.length / occupied.length;
        for (const [i, value] of values.entries()) {
          if (occupied[Math.floor(i / perClass)] === 1) seen[t - 1]![gate].push(value);
        }
      }
    };
    const start = metaStart(params, tree.ref(support));
    tree.dispose(descend(support, start, watched(rule, watch), options));
  }
  return seen.map(({ step, forget, input }) => ({ step, forget: spread(forget), input: spread(input) }));
}

/** The same rule, its state looked at after every step. @param see must not consume. */
function watched(
  rule: StepRule<LinearLearner, GateState>,
  see: (state: GateState, t: number) => void,
): StepRule<LinearLearner, GateState> {
  return {
    init: (start) => rule.init(start),
    update: (at, slope, state, t) => {
      const next = rule.update(at, slope, state, t);
      see(next[1], t);
      return next;
    },
  };
}

function spread(values: readonly number[]): GateSpread {
  const sorted = Float32Array.from(values).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return { mean, low: quantile(0.05), high: quantile(0.95) };
}
