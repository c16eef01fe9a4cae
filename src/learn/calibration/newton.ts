/** A convex function of P weights at a point: value, gradient `[P]`, Hessian `[P, P]`. */
export interface ConvexPoint {
  readonly value: number;
  readonly gradient: Float64Array;
  readonly hessian: Float64Array;
}

export interface NewtonOptions {
  /** The weights that may not fall below zero. */
  readonly nonNegative?: readonly number[];
  /** The Newton decrement, half of gradient · step, at which it ends. */
  readonly tolerance?: number;
  readonly maxSteps?: number;
}

/** Halvings of a step that does not lead down before the point is taken for the minimum. */
const MAX_HALVINGS = 40;
/** The share of the promised descent that a step must give (Armijo). */
const SUFFICIENT = 1e-4;

/**
 * Minimises a convex function by Newton's method with backtracking, within bounds by projection: a weight that lies on its
 * bound and would leave it downwards is left out of the step (Bertsekas 1982, projected Newton).
 *
 * @param start `[P]`, within the bounds.
 * @returns `[P]`.
 * @throws RangeError if it has not converged, or the Hessian of the free weights is singular.
 */
export function newton(
  evaluate: (weights: Float64Array) => ConvexPoint,
  start: Float64Array,
  { nonNegative = [], tolerance = 1e-10, maxSteps = 100 }: NewtonOptions = {},
): Float64Array {
  const bounded = new Set(nonNegative);
  let at: Float64Array = start.slice();
  let local = evaluate(at);
  for (let n = 0; n < maxSteps; n++) {
    const { gradient, hessian } = local;
    const free = [...at.keys()].filter((i) => !(bounded.has(i) && at[i] === 0 && gradient[i]! >= 0));
    const step = newtonStep(gradient, hessian, free);
    const decrement = free.reduce((sum, i) => sum + step[i]! * gradient[i]!, 0) / 2;
    if (decrement <= tolerance) return at;

    let next: Float64Array | undefined;
    let size = 1;
    for (let halving = 0; halving < MAX_HALVINGS && next === undefined; halving++, size /= 2) {
      const tried = at.map((w, i) =>
        bounded.has(i) ? Math.max(0, w - size * step[i]!) : w - size * step[i]!,
      );
      const there = evaluate(tried);
      const promised = tried.reduce((sum, w, i) => sum + (at[i]! - w) * gradient[i]!, 0);
      if (there.value <= local.value - SUFFICIENT * promised && promised > 0) {
        next = tried;
        local = there;
      }
    }
    if (next === undefined) return at; // rounding is all that is left to gain
    at = next;
  }
  throw new RangeError(`Newton's method has not converged in ${maxSteps} steps`);
}

/** hessian⁻¹ gradient over the free weights, zero elsewhere: `[P]`. */
function newtonStep(gradient: Float64Array, hessian: Float64Array, free: readonly number[]): Float64Array {
  const P = gradient.length;
  const solved = solve(
    free.map((i) => free.map((j) => hessian[i * P + j]!)),
    free.map((i) => gradient[i]!),
  );
  const step = new Float64Array(P);
  free.forEach((i, k) => (step[i] = solved[k]!));
  return step;
}

/** Solves A x = b for a symmetric positive definite A, by Cholesky's decomposition. Writes over both. */
function solve(A: number[][], b: number[]): number[] {
  const n = b.length;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let value = A[i]![j]!;
      for (let k = 0; k < j; k++) value -= A[i]![k]! * A[j]![k]!;
      if (i > j) A[i]![j] = value / A[j]![j]!;
      else if (value > 0) A[j]![j] = Math.sqrt(value);
      else throw new RangeError('the Hessian is singular: a feature says nothing, or repeats others');
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i]! -= A[i]![k]! * b[k]!;
    b[i]! /= A[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i]! -= A[k]![i]! * b[k]!;
    b[i]! /= A[i]![i]!;
  }
  return b;
}
