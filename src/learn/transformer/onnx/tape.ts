import type { Attribute, GraphBuilder } from './graphBuilder.js';

/** Parameters of a linear map, or of a normalisation: names in the graph. */
export interface NamedPair {
  readonly weight: string;
  readonly bias: string;
}

/** Guards the division by the length of a row that is zero. */
const SHORTEST_SQUARED = 1e-12;

/**
 * Reverse-mode differentiation that writes an ONNX graph: each method adds an operation and keeps the way back through it, and
 * `backward` adds the ways back, the last first. Values are names in the graph. Only what depends on a `parameter` has a slope.
 */
export class Tape {
  readonly #graph: GraphBuilder;
  readonly #ways: (() => void)[] = [];
  /** What flows back into a value; its sum is its slope. */
  readonly #slopes = new Map<string, string[]>();
  /** What has a slope. */
  readonly #tracked = new Set<string>();
  #count = 0;

  constructor(graph: GraphBuilder) {
    this.#graph = graph;
  }

  /** An input that slopes are asked of. */
  parameter(name: string, shape: readonly number[]): string {
    this.#tracked.add(name);
    return this.#graph.input(name, 'float32', shape);
  }

  /** x Wᵀ + b: `[M, I]` by `[O, I]` to `[M, O]`. */
  linear(x: string, { weight, bias }: NamedPair): string {
    const y = this.#node('Gemm', [x, weight, bias], { transB: { int: 1 } });
    return this.#record(y, [x, weight, bias], (slope) => {
      this.#flow(x, () => this.#node('Gemm', [slope, weight]));
      this.#flow(weight, () => this.#node('Gemm', [slope, x], { transA: { int: 1 } }));
      this.#flow(bias, () => this.#sum(slope, 0));
    });
  }

  /** a + b, of one shape. */
  add(a: string, b: string): string {
    return this.#record(this.#node('Add', [a, b]), [a, b], (slope) => {
      this.#flow(a, () => slope);
      this.#flow(b, () => slope);
    });
  }

  /** x times a number. */
  scale(x: string, factor: number): string {
    const times = (value: string) => this.#node('Mul', [value, this.#number(factor)]);
    return this.#record(times(x), [x], (slope) => this.#flow(x, () => times(slope)));
  }

  /** x Φ(x) (Hendrycks & Gimpel 2016, the exact one), whose slope is Φ(x) + x φ(x). */
  gelu(x: string): string {
    const erf = this.#node('Erf', [this.#node('Mul', [x, this.#number(Math.SQRT1_2)])]);
    const below = this.#node('Mul', [this.#node('Add', [erf, this.#number(1)]), this.#number(0.5)]); // Φ
    return this.#record(this.#node('Mul', [x, below]), [x], (slope) => {
      const exponent = this.#node('Mul', [this.#node('Mul', [x, x]), this.#number(-0.5)]);
      const density = this.#node('Mul', [
        this.#node('Exp', [exponent]),
        this.#number(1 / Math.sqrt(2 * Math.PI)),
      ]);
      const steepness = this.#node('Add', [below, this.#node('Mul', [x, density])]);
      this.#flow(x, () => this.#node('Mul', [slope, steepness]));
    });
  }

  /** Layer normalisation (Ba et al. 2016) of rows: `[M, D]`. */
  layerNorm(x: string, { weight, bias }: NamedPair, epsilon: number): string {
    const [y, mean, inverse] = this.#names(3);
    this.#graph.node('LayerNormalization', [x, weight, bias], [y!, mean!, inverse!], {
      axis: { int: -1 },
      epsilon: { float: epsilon },
    });
    return this.#record(y!, [x, weight, bias], (slope) => {
      const normal = this.#node('Mul', [this.#node('Sub', [x, mean!]), inverse!]);
      this.#flow(weight, () => this.#sum(this.#node('Mul', [slope, normal]), 0));
      this.#flow(bias, () => this.#sum(slope, 0));
      this.#flow(x, () => {
        const weighed = this.#node('Mul', [slope, weight]);
        const along = this.#mean(this.#node('Mul', [weighed, normal]));
        const centred = this.#node('Sub', [weighed, this.#mean(weighed)]);
        return this.#node('Mul', [
          this.#node('Sub', [centred, this.#node('Mul', [normal, along])]),
          inverse!,
        ]);
      });
    });
  }

  /** Softmax over the last axis of x + bias, a constant. */
  softmax(x: string, bias: string): string {
    const y = this.#node('Softmax', [this.#node('Add', [x, bias])], { axis: { int: -1 } });
    return this.#record(y, [x], (slope) => {
      this.#flow(x, () => {
        const product = this.#node('Mul', [slope, y]);
        return this.#node('Sub', [product, this.#node('Mul', [y, this.#sum(product, -1)])]);
      });
    });
  }

  /** Batched products of matrices, which are the last two of so many axes. */
  multiply(a: string, b: string, axes: number): string {
    const order = Array.from({ length: axes }, (_, axis) => axis);
    const perm = { ints: [...order.slice(0, -2), axes - 1, axes - 2] };
    const turned = (x: string) => this.#node('Transpose', [x], { perm });
    return this.#record(this.#node('MatMul', [a, b]), [a, b], (slope) => {
      this.#flow(a, () => this.#node('MatMul', [slope, turned(b)]));
      this.#flow(b, () => this.#node('MatMul', [turned(a), slope]));
    });
  }

  /** The axes in another order. */
  transpose(x: string, order: readonly number[]): string {
    const back = order.map((_, axis) => order.indexOf(axis));
    return this.#record(this.#node('Transpose', [x], { perm: { ints: order } }), [x], (slope) =>
      this.#flow(x, () => this.#node('Transpose', [slope], { perm: { ints: back } })),
    );
  }

  /** The same numbers in another shape, 0 for a size that stays, -1 for one that follows. */
  reshape(x: string, shape: readonly number[]): string {
    return this.#reshapeTo(x, this.#integers(shape));
  }

  /** As another value is shaped. */
  shapedAs(x: string, like: string): string {
    return this.#reshapeTo(x, this.#node('Shape', [like]));
  }

  /** Rows to unit length, over the last axis; a zero row stays zero. */
  unit(x: string): string {
    const squared = this.#sum(this.#node('Mul', [x, x]), -1);
    const length = this.#node('Sqrt', [this.#node('Add', [squared, this.#number(SHORTEST_SQUARED)])]);
    const y = this.#node('Div', [x, length]);
    return this.#record(y, [x], (slope) => {
      const along = this.#sum(this.#node('Mul', [slope, y]), -1);
      const across = this.#node('Sub', [slope, this.#node('Mul', [y, along])]);
      this.#flow(x, () => this.#node('Div', [across, length]));
    });
  }

  /**
   * Adds the way back from a value.
   *
   * @param slope of a loss with respect to the value.
   * @returns the slope of a parameter, by its name.
   */
  backward(value: string, slope: string): (parameter: string) => string {
    this.#slopes.set(value, [slope]);
    for (const way of this.#ways.reverse()) way();
    this.#ways.length = 0;
    return (parameter) => this.#slopeOf(parameter)!;
  }

  #reshapeTo(x: string, shape: string): string {
    return this.#record(this.#node('Reshape', [x, shape]), [x], (slope) =>
      this.#flow(x, () => this.#node('Reshape', [slope, this.#node('Shape', [x])])),
    );
  }

  #record(y: string, inputs: readonly string[], way: (slope: string) => void): string {
    if (!inputs.some((input) => this.#tracked.has(input))) return y;
    this.#tracked.add(y);
    this.#ways.push(() => {
      const slope = this.#slopeOf(y);
      if (slope !== undefined) way(slope);
    });
    return y;
  }

  #flow(into: string, slope: () => string): void {
    if (!this.#tracked.has(into)) return;
    const known = this.#slopes.get(into);
    if (known === undefined) this.#slopes.set(into, [slope()]);
    else known.push(slope());
  }

  #slopeOf(value: string): string | undefined {
    const parts = this.#slopes.get(value);
    if (parts === undefined || parts.length === 1) return parts?.[0];
    const sum = this.#node('Sum', parts);
    this.#slopes.set(value, [sum]);
    return sum;
  }

  #sum(x: string, axis: number): string {
    return this.#node('ReduceSum', [x, this.#integers([axis])], { keepdims: { int: axis === -1 ? 1 : 0 } });
  }

  /** Over the last axis. */
  #mean(x: string): string {
    return this.#node('ReduceMean', [x], { axes: { ints: [-1] }, keepdims: { int: 1 } });
  }

  #number(value: number): string {
    return this.#graph.constant(`number ${value}`, 'float32', [], Float32Array.of(value));
  }

  #integers(values: readonly number[]): string {
    const bits = BigInt64Array.from(values, BigInt);
    return this.#graph.constant(`integers ${values.join(' ')}`, 'int64', [values.length], bits);
  }

  #node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    return this.#graph.node(operator, inputs, this.#names(1)[0]!, attributes);
  }

  #names(count: number): string[] {
    return Array.from({ length: count }, () => `${++this.#count}`);
  }
}
