/*
 * How little a classifier knows about texts: probabilities `[U, C]` to one number a text, the larger the less it knows
 * (Settles 2009, section 3.1).
 */

/** 1 - P(y1 | x), y1 the most probable class: `[U]`. */
export function leastConfidence(probabilities: Float32Array, rows: number): Float64Array {
  return eachRow(probabilities, rows, (own) => 1 - topTwo(own)[0]);
}

/** 1 - (P(y1 | x) - P(y2 | x)), y1 and y2 the most probable classes: `[U]`, from 0 to 1. */
export function smallestMargin(probabilities: Float32Array, rows: number): Float64Array {
  return eachRow(probabilities, rows, (own) => {
    const [first, second] = topTwo(own);
    return 1 - (first - second);
  });
}

/** H(P) = -sum_c P(c | x) ln P(c | x), in nats: `[U]`. */
export function entropy(probabilities: Float32Array, rows: number): Float64Array {
  return eachRow(probabilities, rows, entropyOf);
}

/**
 * How much a committee disagrees: the mean divergence of its members from what they say together, (1/M) sum_m
 * KL(P_m || P) with P their mean (McCallum & Nigam 1998, section 3.2; the Jensen-Shannon divergence), in nats. It is
 * H(P) - mean_m H(P_m): what all are unsure about alike does not count.
 *
 * @param members each `[U, C]`; one alone agrees with itself.
 * @returns `[U]`, from 0 to ln M.
 */
export function disagreement(members: readonly Float32Array[], rows: number): Float64Array {
  const mean = new Float32Array(members[0]!.length);
  for (const member of members) {
    for (let i = 0; i < mean.length; i++) mean[i]! += member[i]! / members.length;
  }
  const together = entropy(mean, rows);
  for (const member of members) {
    entropy(member, rows).forEach((own, row) => (together[row]! -= own / members.length));
  }
  return together.map((value) => Math.max(0, value)); // rounding may go below
}

function eachRow(
  probabilities: Float32Array,
  rows: number,
  measure: (own: Float32Array) => number,
): Float64Array {
  const classes = probabilities.length / rows;
  return Float64Array.from({ length: rows }, (_, row) =>
    measure(probabilities.subarray(row * classes, (row + 1) * classes)),
  );
}

/** The two largest; 0 for what is not there. */
function topTwo(own: Float32Array): [number, number] {
  let [first, second] = [0, 0];
  for (const value of own) {
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
  }
  return [first, second];
}

function entropyOf(own: Float32Array): number {
  let sum = 0;
  for (const p of own) if (p > 0) sum -= p * Math.log(p);
  return sum;
}
