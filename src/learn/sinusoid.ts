import { grad, jit, numpy as np, random as jaxRandom, tree } from '@jax-js/jax';
import type { Params } from '../heads/head.js';
import { gradientDescent, innerLoop, type Slope } from '../heads/innerLoop.js';
import { glorot, type Linear } from '../heads/layers.js';
import { meanInterval, type Proportion } from '../statistics/measures.js';
import { adamW, rateAt, stepNumbers } from './optimiser.js';
import type { Random } from '../statistics/random.js';

/*
 * The toy of the MAML paper (Finn et al. 2017, section 5.1), the gentlest look at the inner loop there is: a task is a sine
 * wave of some amplitude and phase, its support set ten points of it, and what adapts is a small network.
 */

/** y = amplitude sin(x + phase). */
export interface Wave {
  /** In [0.1, 5]. */
  readonly amplitude: number;
  /** In [0, pi]. */
  readonly phase: number;
}

/**
 * x -> y through two hidden layers of ReLU: weights `[O, I]` and biases `[O]`, or, of several tasks at once, each with its own,
 * `[T, O, I]` and `[T, O]`.
 */
export type Network = { first: Linear; second: Linear; last: Linear };

export const SINUSOID = {
  /** K, points of a support set; and of a query set. */
  points: 10,
  /** Of x: [-5, 5]. */
  range: 5,
  hidden: 40,
  /** alpha */
  innerRate: 0.01,
  /** Inner steps while training, as in the paper; there may be more of them afterwards. */
  innerSteps: 1,
  /** Tasks whose gradients are averaged for a step of the outer loop. */
  batch: 25,
  /** beta, of Adam. */
  rate: 0.002,
} as const;

/** Points of T waves: `[T, K, 1]` each. */
export type Points = { x: np.Array; y: np.Array };

export function drawWave(random: Random): Wave {
  return { amplitude: 0.1 + 4.9 * random.next(), phase: Math.PI * random.next() };
}

export function valueAt({ amplitude, phase }: Wave, x: number): number {
  return amplitude * Math.sin(x + phase);
}

/** K points of each wave, x uniform. */
export function drawPoints(waves: readonly Wave[], random: Random, K: number = SINUSOID.points): Points {
  const x = waves.map(() => Array.from({ length: K }, () => SINUSOID.range * (2 * random.next() - 1)));
  const y = waves.map((wave, i) => x[i]!.map((at) => valueAt(wave, at)));
  const array = (values: readonly number[][]) =>
    np.array(Float32Array.from(values.flat()), { shape: [waves.length, K, 1] });
  return { x: array(x), y: array(y) };
}

export function initNetwork(seed: number): Network {
  const [one, two, three] = [...jaxRandom.split(jaxRandom.key(seed), 3)] as [np.Array, np.Array, np.Array];
  const layer = (key: np.Array, outputs: number, inputs: number): Linear => ({
    weight: glorot(key, [outputs, inputs]),
    bias: np.zeros([outputs]),
  });
  const { hidden } = SINUSOID;
  return { first: layer(one, hidden, 1), second: layer(two, hidden, hidden), last: layer(three, 1, hidden) };
}

/** Every task's own copy of a network. */
function dealt(network: Network, tasks: number): Network {
  const copies = (x: np.Array) => np.repeat(np.expandDims(x, 0), tasks, 0);
  return tree.map<np.Array, np.Array, Network>(copies, network);
}

/** W z + b, of every task its own: `[T, K, I]` to `[T, K, O]`. */
function layer({ weight, bias }: Linear, z: np.Array): np.Array {
  return np.matmul(z, np.transpose(weight, [0, 2, 1])).add(np.expandDims(bias, 1));
}

/** Each task's points through its own network: `[T, K, 1]` to `[T, K, 1]`. */
function predict({ first, second, last }: Network, x: np.Array): np.Array {
  return layer(last, relu(layer(second, relu(layer(first, x)))));
}

function relu(z: np.Array): np.Array {
  return np.maximum(z, 0);
}

/** Mean squared error of each task: `[T]`. */
function errorsOf(network: Network, { x, y }: Points): np.Array {
  return np.square(predict(network, x).sub(y)).mean([1, 2]);
}

/**
 * The sum of the tasks' errors and its gradient: each task's error depends on its own network alone. Back-propagation is
 * written out because the outer loop differentiates it (`linearSlope` says why).
 */
function slopeOf(support: Points) {
  return ({ first, second, last }: Network): Slope<Network> => {
    const { x, y } = tree.ref(support);
    const K = x.shape[1]!;
    const h1 = relu(layer(first, x.ref)); // [T, K, H]
    const h2 = relu(layer(tree.ref(second), h1.ref)); // [T, K, H]
    const miss = layer(tree.ref(last), h2.ref).sub(y); // [T, K, 1]
    const loss = np.square(miss.ref).mean([1, 2]).sum();
    const ofLast = miss.mul(2 / K);
    const ofSecond = np.matmul(ofLast.ref, last.weight).mul(h2.ref.greater(0).astype(np.float32)); // [T, K, H]
    const ofFirst = np.matmul(ofSecond.ref, second.weight).mul(h1.ref.greater(0).astype(np.float32)); // [T, K, H]
    tree.dispose([last.bias, second.bias]);
    /** Of a layer, from the slope of its output and from its input. */
    const gradientOf = (slope: np.Array, input: np.Array): Linear => ({
      weight: np.matmul(np.transpose(slope.ref, [0, 2, 1]), input), // [T, O, I]
      bias: slope.sum(1), // [T, O]
    });
    return {
      loss,
      gradient: {
        first: gradientOf(ofFirst, x),
        second: gradientOf(ofSecond, h1),
        last: gradientOf(ofLast, h2),
      },
    };
  };
}

/**
 * theta_k of every task: its network after k steps of gradient descent on its support set. Arguments are consumed.
 *
 * @param network of T tasks.
 * @param visit sees theta_1 to theta_k.
 */
function adapted(
  network: Network,
  support: Points,
  steps: number,
  visit?: (at: Network, t: number) => void,
): Network {
  const rates = tree.map((x: np.Array) => np.onesLike(x).mul(SINUSOID.innerRate), tree.ref(network));
  const end = innerLoop(
    network,
    slopeOf(support),
    gradientDescent<Network>(() => tree.ref(rates)),
    steps,
    visit,
  );
  tree.dispose([support, rates]);
  return end;
}

/** What an outer loop goes down: L^(1)(theta_1) of MAML, or plainly the error of one network on all waves. */
export type OuterLoss = 'maml' | 'pretrained';

const OUTER: Record<OuterLoss, (network: Network, support: Points, query: Points) => np.Array> = {
  maml: (network, support, query) =>
    errorsOf(adapted(dealt(network, SINUSOID.batch), support, SINUSOID.innerSteps), query).mean(),
  pretrained: (network, support, query) => {
    tree.dispose(support);
    return errorsOf(dealt(network, SINUSOID.batch), query).mean();
  },
};

/**
 * Trains a network over waves.
 *
 * @param steps of the outer loop.
 * @param report told how many steps are done.
 */
export function trainNetwork(
  loss: OuterLoss,
  steps: number,
  random: Random,
  report?: (done: number) => void,
): Network {
  const slope = jit((network: Network, support: Points, query: Points) =>
    grad((n: Network) => OUTER[loss](n, support, query))(network),
  );
  const update = jit(adamW.update);
  const plan = { rate: SINUSOID.rate, warmup: 0, schedule: 'cosine' } as const;
  let network = initNetwork(1) as Params;
  let state = adamW.init(tree.ref(network));
  for (let step = 1; step <= steps; step++) {
    const own = random.split(step);
    const waves = Array.from({ length: SINUSOID.batch }, () => drawWave(own));
    const gradient = slope(tree.ref(network) as Network, drawPoints(waves, own), drawPoints(waves, own));
    const rate = rateAt(plan, step, steps);
    const numbers = stepNumbers({ step, rate, weightDecay: 0, clip: 10, batch: 1 });
    ({ params: network, state } = update(network, gradient, state, numbers));
    // jax-js carries out what is pending when a value is read; left alone it would grow with every step.
    (network as Network).last.bias.ref.dataSync();
    report?.(step);
  }
  tree.dispose(state);
  slope.dispose();
  update.dispose();
  return network as Network;
}

/**
 * Mean squared error on fresh points of fresh waves, before any step and after each: `[steps + 1]`, with 95 % intervals over
 * the waves.
 *
 * @param network not consumed.
 */
export function errorBySteps(network: Network, steps: number, waves: number, random: Random): Proportion[] {
  const drawn = Array.from({ length: waves }, () => drawWave(random));
  // Compiled as one: otherwise jax-js keeps what every step has made until the end.
  const errors = jit((start: Network, support: Points, query: Points) => {
    const found = [errorsOf(tree.ref(start), tree.ref(query))];
    const end = adapted(start, support, steps, (at) => void found.push(errorsOf(at, tree.ref(query))));
    tree.dispose([end, query]);
    return np.stack(found);
  });
  const start = dealt(tree.ref(network), waves);
  const all = errors(
    start,
    drawPoints(drawn, random),
    drawPoints(drawn, random, 50),
  ).dataSync() as Float32Array;
  errors.dispose();
  return Array.from({ length: steps + 1 }, (_, t) => meanInterval(all.subarray(t * waves, (t + 1) * waves)));
}

/**
 * The curve of one wave's network after so many steps on its support set: y at each x.
 *
 * @param network not consumed.
 * @param support of one wave; consumed.
 */
export function curveAfter(network: Network, support: Points, steps: number, x: readonly number[]): number[] {
  const end = adapted(dealt(tree.ref(network), 1), support, steps);
  const at = np.array(Float32Array.from(x), { shape: [1, x.length, 1] });
  return [...(predict(end, at).dataSync() as Float32Array)];
}
