import type { Bert } from '../../../src/learn/transformer/bert.js';

/*
 * BERT's forward pass (Devlin et al. 2019; Vaswani et al. 2017, section 3) in float64, one text at a time, from the equations:
 * what other implementations are held to.
 */

type Row = readonly number[];
type Rows = readonly Row[];

/** The states `[T, D]` of a text after the first `layers` layers, all by default. */
export function forwardPass(bert: Bert, ids: readonly number[], layers = bert.shape.layers): Rows {
  const { epsilon, heads } = bert.shape;
  const vector = (name: string): Row => [...bert.tensors.get(name)!.data];
  const matrix = (name: string): Rows => {
    const { shape, data } = bert.tensors.get(name)!;
    const columns = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, row) => [
      ...data.subarray(row * columns, (row + 1) * columns),
    ]);
  };
  const normalise = (rows: Rows, name: string): Rows => {
    const [weight, bias] = [vector(`${name}.weight`), vector(`${name}.bias`)];
    return rows.map((row) => {
      const mean = sum(row) / row.length;
      const variance = sum(row.map((x) => (x - mean) ** 2)) / row.length;
      return row.map((x, d) => ((x - mean) / Math.sqrt(variance + epsilon)) * weight[d]! + bias[d]!);
    });
  };
  const linear = (rows: Rows, name: string): Rows => {
    const [weight, bias] = [matrix(`${name}.weight`), vector(`${name}.bias`)];
    return rows.map((row) => weight.map((w, o) => dot(w, row) + bias[o]!));
  };

  const [word, position, type] = ['word', 'position', 'token_type'].map((kind) =>
    matrix(`embeddings.${kind}_embeddings.weight`),
  );
  let x = normalise(
    ids.map((id, t) => plus(plus(word![id]!, position![t]!), type![0]!)),
    'embeddings.LayerNorm',
  );
  for (let i = 0; i < layers; i++) {
    const layer = `encoder.layer.${i}.`;
    const [q, k, v] = ['query', 'key', 'value'].map((name) => linear(x, `${layer}attention.self.${name}`));
    const context = attention(q!, k!, v!, heads);
    const projected = linear(context, `${layer}attention.output.dense`);
    const attended = normalise(rowsPlus(projected, x), `${layer}attention.output.LayerNorm`);
    const inner = linear(attended, `${layer}intermediate.dense`).map((row) => row.map(gelu));
    x = normalise(rowsPlus(linear(inner, `${layer}output.dense`), attended), `${layer}output.LayerNorm`);
  }
  return x;
}

/** The mean of the states `[T, D]`, of unit length. */
export function unitMean(states: Rows): Row {
  const mean = states[0]!.map((_, d) => sum(states.map((row) => row[d]!)) / states.length);
  const length = Math.sqrt(dot(mean, mean));
  return mean.map((x) => x / length);
}

/** softmax(Q Kᵀ / √d) V in each head, the heads side by side. */
function attention(q: Rows, k: Rows, v: Rows, heads: number): Rows {
  const d = q[0]!.length / heads;
  const part = (row: Row, head: number) => row.slice(head * d, (head + 1) * d);
  return q.map((query) =>
    Array.from({ length: heads }, (_, head) => {
      const scores = k.map((key) => Math.exp(dot(part(query, head), part(key, head)) / Math.sqrt(d)));
      const total = sum(scores);
      return Array.from({ length: d }, (_, at) =>
        sum(scores.map((s, t) => (s / total) * part(v[t]!, head)[at]!)),
      );
    }).flat(),
  );
}

/** x Φ(x) */
function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** By its series, which has converged to 1e-9 in 100 terms where the function is not yet 1. */
function erf(x: number): number {
  if (Math.abs(x) > 4.5) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function sum(row: Row): number {
  return row.reduce((total, x) => total + x, 0);
}

function dot(a: Row, b: Row): number {
  return sum(a.map((x, i) => x * b[i]!));
}

function plus(a: Row, b: Row): Row {
  return a.map((x, i) => x + b[i]!);
}

function rowsPlus(a: Rows, b: Rows): Rows {
  return a.map((row, i) => plus(row, b[i]!));
}
