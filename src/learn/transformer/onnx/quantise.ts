// Eight bits for a real number: r = scale * (q - zeroPoint).

/** The extremes of what is to be quantised. Zero is within: it must be met exactly, for it is what padding and ReLUs give. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Of unsigned 8-bit numbers. */
export interface Affine {
  readonly scale: number;
  /** Integer, 0 to 255. */
  readonly zeroPoint: number;
}

/** Spreads 0 to 255 over a range. */
export function affineOf({ min, max }: Range): Affine {
  // In float32, as the graph has it, so that the table's rounding and the graph's are one.
  const scale = Math.fround((max - min) / 255) || 1;
  return { scale, zeroPoint: Math.abs(Math.round(min / scale)) };
}

/** The extremes of the numbers and zero; a former range is widened. */
export function rangeOf(values: Float32Array, former: Range = { min: 0, max: 0 }): Range {
  let { min, max } = former;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

/** One scale for all, as an embedding table has it on the CPU. */
export function quantiseAffine(values: Float32Array): Affine & { readonly values: Uint8Array } {
  const affine = affineOf(rangeOf(values));
  const quantised = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    quantised[i] = clamp(Math.round(values[i]! / affine.scale) + affine.zeroPoint, 0, 255);
  }
  return { ...affine, values: quantised };
}

/** Rows with a scale each, around zero: `r = scale[row] * q`. */
export interface QuantisedRows {
  /** `[rows, columns]`, -largest to largest. */
  readonly values: Int8Array;
  /** `[rows]` */
  readonly scales: Float32Array;
}

/**
 * @param values `[rows, columns]`
 * @param largest that a quantised number is to be, 127 at the most.
 */
export function quantiseRows(values: Float32Array, rows: number, largest: number): QuantisedRows {
  const columns = values.length / rows;
  const quantised = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const { min, max } = rangeOf(values.subarray(row * columns, (row + 1) * columns));
    const scale = Math.fround(Math.max(max, -min) / largest) || 1;
    scales[row] = scale;
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      quantised[i] = clamp(Math.round(values[i]! / scale), -largest, largest);
    }
  }
  return { values: quantised, scales };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
