import { lax, numpy as np, random, tree } from '@jax-js/jax';
import { KshotError } from '../errors.js';
import type { Head, Support } from './head.js';
import {
  glorot,
  linear,
  type Linear,
  type LstmCell,
  lstmInput,
  lstmStep,
  project,
  scaledIdentity,
} from './layers.js';
import { crossEntropy } from './losses.js';
import { typicalFirst } from './matchingFce.js';
import { innerProducts, maskedMean, occupied, sigmoid, unit } from './ops.js';
import { collect, deal } from './sharedState.js';
import { type HeadOptions, resolveOptions, type TrainedHead } from './trainedHead.js';

export type MannOptions = {
  /** P, dimensions in which the memory holds an item. */
  readonly width: number;
  /** S, slots of the memory. */
  readonly slots: number;
  /** Rows, padding included, that a support set may have at most: they are read one after the other. */
  readonly maxRows: number;
};

const DEFAULTS: MannOptions = { width: 128, slots: 128, maxRows: 256 };

export type MannParams = {
  /** The controller, of H units; its input is [x_t ; y_{t-1}], and what recurs is [h ; r]. */
  controller: LstmCell;
  /** k_t of h_t, by which the memory is read: `[W, H]`. */
  key: np.Array;
  /** What is written, of h_t: `[W, H]`. */
  content: np.Array;
  /** alpha of h_t, the logit of the write gate: `[1, H]`, `[1]`. */
  gate: Linear;
  /** The letters' logits of [h_t ; r_t]: `[L, H + W]`, `[L]`. */
  output: Linear;
  /** Logarithm of beta, which sharpens the reading: `[1]`. */
  logSharpness: np.Array;
};

/** The memory of B sequences. */
export type Memory = {
  /** M: `[B, S, W]`. */
  slots: np.Array;
  /** w^u, how much each slot was used of late: `[B, S]`. */
  usage: np.Array;
  /** w^r, where it was read last: `[B, S]`. */
  read: np.Array;
};

/** What goes on from one item of B sequences to the next. */
type Going = Memory & {
  /** h and c of the controller: `[B, H]`. */
  hidden: np.Array;
  cell: np.Array;
  /** r, what was read: `[B, W]`. */
  found: np.Array;
  /** y of the last item: `[B, L]`. */
  label: np.Array;
};

/** Class state: each class's label, `[C, L]`, and the sequence as far as it goes, dealt out to the classes. */
type MannState = Going & { codes: np.Array };

/** A label is a string of five letters, out of five: five ones in `L` numbers, five for each place (section 4.1). */
const PLACES = 5;
const ALPHABET = 5;
const L = PLACES * ALPHABET;

/** gamma, what a step leaves of a slot's usage. */
const DECAY = 0.99;

/** Guards the division where all weights have vanished. */
const NOTHING = 1e-30;

/** Where beta starts, and how much a letter that is read counts. */
const START_SHARPNESS = 20;
const START_OUTPUT = 8;
/** How large a label stands in the memory, an item having about the length 1. */
const START_LABEL = 0.3;
/** Biases of gates that start open; the negative keeps one shut. */
const OPEN = 3;
/** Glorot's noise, which tells units apart, times this. */
const START_NOISE = 0.05;

/**
 * Memory-augmented network with least recently used access (Santoro et al. 2016, sections 3.1 and 3.2; LRUA, eq. 1 to 8 there):
 * items are read one after the other, the label of each one step late, (x_1, 0), (x_2, y_1), ... A controller LSTM writes them
 * to an external memory (`write`), reads from it (`readMemory`), and names the class of each item from [h_t ; r_t];
 * cross-entropy at every step, the first sight of a class included. The class state is the sequence after the support set; a
 * query is its next item.
 *
 * Labels are the paper's strings (section 4.1), so that any number of classes can be told apart; a class's logit is the
 * sum of its letters'. Unlike in the paper:
 *
 * - The paper shuffles sequences and labels. Scores shall not depend on an order, so both go by typicality: items as in
 *   `matching-fce`, and labels by the cosine of a class's mean to the mean of all. The sampler's classes are still random.
 * - What is written has a projection of its own, where the paper writes the key (the add vector of Graves et al. 2014, section
 *   3.2), and beta sharpens the reading (there, eq. 5): over 128 slots the softmax of cosines alone is next to uniform.
 * - One head reads, where the paper has four.
 * - It starts out storing and finding, which the paper's takes 100,000 episodes to learn: a part of the controller's units hold
 *   the item, a part pass on the item before, and a part hold that one's label; the last two are written, the first is what
 *   is looked for, and what is read of a label counts for its letters.
 */
export function mann(given: HeadOptions = {}): TrainedHead {
  const options = resolveOptions('mann', DEFAULTS, given);
  const { width: P, slots: S } = options;
  /** Reads a support set; params are not consumed. */
  const readSupport = (params: MannParams, support: Support) => {
    const [C, K] = support.mask.shape as [number, number];
    if (C * K > options.maxRows) {
      throw new KshotError(
        'invalid_configuration',
        `The head mann reads the support set row by row, and at most ${options.maxRows} rows: ` +
          `${C} classes of up to ${K} rows are too many.`,
      );
    }
    const { items, classes, present, codes } = inReadingOrder(support);
    const labels = np.matmul(classes.ref, codes.ref); // [T, L]
    return { ...readItems(params, startOf(P, S), items, labels, present.ref), classes, present, codes };
  };

  const head: Head = {
    name: 'mann',
    contextual: true,

    init: (key, D): MannParams => initParams(key, D, P),

    induce: (params: MannParams, support): MannState => {
      const { going, letters, classes, present, codes } = readSupport(params, support);
      tree.dispose([params, letters, classes, present]);
      const C = codes.shape[0]!;
      return { ...mapGoing(going, (x) => deal(x, C)), codes };
    },

    score: (params: MannParams, { codes, ...dealt }: MannState, queries) => {
      const shapes = mapGoing(startOf(P, S), shapeOf);
      const going = mapGoing(dealt, (x, part) => collect(x, shapes[part]));
      const logits = innerProducts(nextItems(params, going, queries), codes);
      tree.dispose(params);
      return logits;
    },
  };

  return {
    ...head,
    options,
    loss: (params: MannParams, { support, queries, targets, weights }) => {
      const there = occupied(support.mask.ref);
      const { going, letters, classes, present, codes } = readSupport(params, support);
      const all = np.concatenate([letters, nextItems(params, going, queries)], 0); // [T + Q, L]
      tree.dispose(params);
      return crossEntropy(
        innerProducts(all, codes),
        np.concatenate([classes, targets], 0),
        np.concatenate([present, weights], 0),
        there,
      );
    },
  };
}

/** A sequence before its first item, the memory empty. */
function startOf(P: number, S: number): Going {
  const H = 2 * P + L;
  const W = P + L;
  return {
    slots: np.zeros([1, S, W]),
    usage: np.zeros([1, S]),
    read: np.zeros([1, S]),
    hidden: np.zeros([1, H]),
    cell: np.zeros([1, H]),
    found: np.zeros([1, W]),
    label: np.zeros([1, L]),
  };
}

function mapGoing<T>(going: Going, f: (x: np.Array, part: keyof Going) => T): Record<keyof Going, T> {
  const parts = Object.entries(going) as [keyof Going, np.Array][];
  return Object.fromEntries(parts.map(([part, x]) => [part, f(x, part)])) as Record<keyof Going, T>;
}

function shapeOf(x: np.Array): number[] {
  const { shape } = x;
  x.dispose();
  return shape;
}

function initParams(key: np.Array, D: number, P: number): MannParams {
  const H = 2 * P + L;
  const W = P + L;
  const keys = [...random.split(key, 7)] as np.Array[];
  const noise = (...shape: number[]) => glorot(keys.pop()!, shape).mul(START_NOISE);
  // Units in three groups: P of the item, P of the item before, L of that one's label.
  const items = scaledIdentity(keys.pop()!, P, D);
  const ofItem = np.concatenate([items, np.zeros([P, L])], 1); // [P, D + L]
  const ofLabel = np.concatenate([np.zeros([L, D]), np.eye(L).mul(START_LABEL)], 1); // [L, D + L]
  const candidate = np.concatenate([ofItem, np.zeros([P, D + L]), ofLabel], 0); // [H, D + L]
  const fill = (value: number) => np.full([H], value);
  return {
    controller: {
      input: noise(4 * H, D + L).add(
        np.pad(candidate, [
          [2 * H, H],
          [0, 0],
        ]),
      ),
      recurrent: noise(4 * H, H + W).add(placed(4 * H, H + W, 2 * H + P, 0, P)),
      bias: np.concatenate([fill(OPEN), fill(-OPEN), fill(0), fill(OPEN)]),
    },
    key: noise(W, H).add(placed(W, H, 0, 0, P)),
    content: noise(W, H).add(placed(W, H, 0, P, P + L)),
    gate: { weight: noise(1, H), bias: np.full([1], -OPEN) },
    output: {
      weight: noise(L, H + W).add(placed(L, H + W, 0, H + P, L).mul(START_OUTPUT)),
      bias: np.zeros([L]),
    },
    logSharpness: np.full([1], Math.log(START_SHARPNESS)),
  };
}

/** `[rows, columns]` of zeros, and from a row and column on the identity of a size. */
function placed(rows: number, columns: number, row: number, column: number, size: number): np.Array {
  return np.pad(np.eye(size), [
    [row, rows - row - size],
    [column, columns - column - size],
  ]);
}

/**
 * The labels of N classes: strings as numbers, `[N, L]`. They are words of a Reed-Solomon code, n = a + 5 b + 25 c standing at
 * the places x = 0 ... 4 for the letters a + b x + c x^2 (mod 5): of 25 classes no two share more than one letter, of 125 no
 * more than two. From the 126th on the c x^2 goes on as a cubic, and from the 626th as a polynomial of degree 4.
 */
export function labelStrings(N: number): Float32Array {
  const strings = new Float32Array(N * L);
  for (let n = 0; n < N; n++) {
    for (let x = 0; x < PLACES; x++) {
      let letter = 0;
      for (let rest = n, power = 1; rest > 0; rest = Math.floor(rest / ALPHABET), power *= x) {
        letter += (rest % ALPHABET) * power;
      }
      strings[n * L + x * ALPHABET + (letter % ALPHABET)] = 1;
    }
  }
  return strings;
}

/**
 * A support set as a sequence of T = C K items, the most typical first and padding last.
 *
 * @returns items `[T, D]`, the class of each `[T, C]`, one-hot, `[T]` a 1 for an item or a 0 for padding, and the classes'
 *   labels `[C, L]`.
 */
function inReadingOrder({ rows, mask, names }: Support) {
  names.dispose();
  const [C, K, D] = rows.shape as [number, number, number];
  const T = C * K;
  const means = maskedMean(rows.ref, mask.ref); // [C, D]
  const there = occupied(mask.ref); // [C]
  const strings = np.array(labelStrings(C), { shape: [C, L] });
  const codes = np.matmul(np.transpose(typicalFirst(means, there)), strings); // [C, L]
  const set = rows.reshape([T, D]);
  const present = mask.reshape([T]);
  const order = typicalFirst(set.ref, present.ref); // [T, T]
  return {
    items: np.matmul(order.ref, set),
    classes: np.matmul(order.ref, np.repeat(np.eye(C), K, 0).mul(np.expandDims(present.ref, 1))),
    present: np.matmul(order, present),
    codes,
  };
}

/**
 * A sequence in an order of the caller's choice, each item classified before its label is seen. Arguments are consumed.
 *
 * @param items `[T, D]`
 * @param classes `[T, C]`, one-hot.
 * @returns `[T, C]` logits.
 */
export function sequenceLogits(
  { options }: Pick<TrainedHead, 'options'>,
  params: MannParams,
  items: np.Array,
  classes: np.Array,
): np.Array {
  const [T, C] = classes.shape as [number, number];
  const { width, slots } = options as MannOptions;
  const codes = np.array(labelStrings(C), { shape: [C, L] });
  const labels = np.matmul(classes, codes.ref);
  const { going, letters } = readItems(params, startOf(width, slots), items, labels, np.ones([T]));
  tree.dispose([params, going]);
  return innerProducts(letters, codes);
}

/**
 * Reads one sequence on; parameters are not consumed.
 *
 * @param going of one sequence.
 * @param items `[T, D]`
 * @param labels `[T, L]`
 * @param present `[T]`: what is 0 is passed over; nothing but such may follow it.
 * @returns where it goes on, and the letters' logits at each item, before its label was seen: `[T, L]`.
 */
function readItems(
  params: MannParams,
  going: Going,
  items: np.Array,
  labels: np.Array,
  present: np.Array,
): { going: Going; letters: np.Array } {
  const T = items.shape[0]!;
  const late = np.concatenate([going.label.ref, labels.ref], 0).slice([0, T]); // y_{t-1}: [T, L]
  const gates = np.split(lstmInput(inputOf(params), np.concatenate([items, late], 1)), T, 0); // T of [1, 4 H]
  const masks = np.split(present.reshape([T, 1]), T, 0); // T of [1, 1]
  const known = np.split(labels, T, 0); // T of [1, L]
  const letters: np.Array[] = [];
  gates.forEach((gate, t) => {
    const { label, ...before } = going;
    const { logits, ...after } = step(params, tree.ref(before), gate);
    const [mask, passed] = [masks[t]!, np.ones([1, 1]).sub(masks[t]!.ref)];
    const next: Going = { ...after, label: known[t]! };
    const former: Going = { ...before, label };
    going = mapGoing(next, (x, part) => {
      const shape = x.shape.map(() => 1);
      return x.mul(mask.ref.reshape(shape)).add(former[part].mul(passed.ref.reshape(shape)));
    });
    tree.dispose([mask, passed]);
    letters.push(logits);
  });
  return { going, letters: np.concatenate(letters, 0) };
}

/**
 * Each query as the next item of one sequence; parameters are not consumed.
 *
 * @param queries `[Q, D]`
 * @returns the letters' logits: `[Q, L]`.
 */
function nextItems(params: MannParams, going: Going, queries: np.Array): np.Array {
  const Q = queries.shape[0]!;
  const { label, ...before } = mapGoing(going, (x) => np.broadcastTo(x, [Q, ...x.shape.slice(1)]));
  const gates = lstmInput(inputOf(params), np.concatenate([queries, label], 1)); // [Q, 4 H]
  const { logits, ...after } = step(params, before, gates);
  tree.dispose(after);
  return logits;
}

function inputOf({ controller: { input, bias } }: MannParams): Pick<LstmCell, 'input' | 'bias'> {
  return { input: input.ref, bias: bias.ref };
}

/**
 * One item of B sequences: the controller, the memory written and then read (section 3.2), and the letters' logits `[B, L]`.
 * Parameters are not consumed.
 *
 * @param gates the part that the item and the label before decide, `[B, 4 H]`.
 */
function step(params: MannParams, before: Omit<Going, 'label'>, gates: np.Array) {
  const { controller, key, content, gate, output, logSharpness } = params;
  const recurring = np.concatenate([before.hidden, before.found], 1); // [B, H + W]
  const [hidden, cell] = lstmStep(controller.recurrent.ref, gates, recurring, before.cell);
  const alpha = sigmoid(linear(tree.ref(gate), hidden.ref)); // [B, 1]
  const { slots, usage, read } = before;
  const written = write({ slots, usage, read }, project(content.ref, hidden.ref), alpha);
  const { found, ...memory } = readMemory(written, project(key.ref, hidden.ref), np.exp(logSharpness.ref));
  const logits = linear(tree.ref(output), np.concatenate([hidden.ref, found.ref], 1));
  return { ...memory, found, hidden, cell, logits };
}

/**
 * Writes to the slot that was used least, after it was emptied, and to where was read last (section 3.2, eq. 6 to 8):
 * w^w_t = sigma(alpha) w^r_{t-1} + (1 - sigma(alpha)) w^lu_{t-1}; M_t(i) = M_{t-1}(i) + w^w_t(i) v_t; of the usage,
 * gamma w^u_{t-1} + w^w_t. Where several slots were used equally little, the first is taken.
 *
 * @param content v_t: `[B, W]`.
 * @param gate sigma(alpha): `[B, 1]`.
 */
export function write(
  { slots, usage, read }: Memory,
  content: np.Array,
  gate: np.Array,
): Omit<Memory, 'read'> {
  const S = usage.shape[1]!;
  const least = np.expandDims(np.argmin(lax.stopGradient(usage.ref), 1), 1); // [B, 1]
  const leastUsed = np.arange(S).equal(least).astype(np.float32); // w^lu_{t-1}: [B, S]
  const shut = np.ones([1, 1]).sub(gate.ref);
  const weights = read.mul(gate).add(leastUsed.ref.mul(shut)); // w^w_t: [B, S]
  const emptied = slots.mul(np.expandDims(np.ones([1, 1]).sub(leastUsed), 2));
  return {
    slots: emptied.add(np.expandDims(weights.ref, 2).mul(np.expandDims(content, 1))),
    usage: usage.mul(DECAY).add(weights),
  };
}

/**
 * Reads by similarity (section 3.1, eq. 2 to 4): w^r_t(i) = softmax_i(beta cos(k_t, M_t(i))), r_t = sum_i w^r_t(i) M_t(i); the
 * usage grows by w^r_t (eq. 5).
 *
 * @param key k_t: `[B, W]`.
 * @param sharpness beta: `[1]`.
 * @returns the memory, and r_t as `found`: `[B, W]`.
 */
export function readMemory(
  { slots, usage }: Omit<Memory, 'read'>,
  key: np.Array,
  sharpness: np.Array,
): Memory & { found: np.Array } {
  const [B, S, W] = slots.shape as [number, number, number];
  const cosines = np.matmul(unit(slots.ref), np.expandDims(unit(key), 2)).reshape([B, S]);
  const weights = np.exp(cosines.sub(1).mul(sharpness)); // shifted by beta, which no logit exceeds
  const read = weights.ref.div(np.maximum(weights.sum(1, { keepdims: true }), NOTHING)); // w^r_t: [B, S]
  const found = np.matmul(np.expandDims(read.ref, 1), slots.ref).reshape([B, W]);
  return { slots, usage: usage.add(read.ref), read, found };
}
