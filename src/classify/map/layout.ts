/** Points in the plane, `[n]`. */
export type Layout = [x: number, y: number][];

/** The largest distance to either side of the middle, along the longer axis; 0 where all points are one. */
function reach(values: readonly number[]): { middle: number; half: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { middle: (least + most) / 2, half: (most - least) / 2 };
}

/**
 * Moves and scales points so that they just fill -size to size along the longer axis; distances keep their proportions. Points
 * that are all one come to lie in the middle.
 */
export function fitted(layout: Layout, size: number): Layout {
  const [x, y] = [reach(layout.map(([x]) => x)), reach(layout.map(([, y]) => y))];
  const half = Math.max(x.half, y.half);
  const scale = half > 0 ? size / half : 0;
  return layout.map(([px, py]) => [(px - x.middle) * scale, (py - y.middle) * scale]);
}
