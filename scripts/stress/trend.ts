export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Trend {
  /** Of y for one of x. */
  readonly slope: number;
  /** Half the width of its 95 % interval, the points being taken for independent; NaN of fewer than three. */
  readonly halfWidth: number;
}

/** The normal's 97.5 % quantile: for the dozens of points that there are, near enough to Student's. */
const QUANTILE = 1.96;

/** The line that fits best by least squares; its slope is NaN where all points are at one x. */
export function trend(points: readonly Point[]): Trend {
  const sum = (value: (point: Point) => number) => points.reduce((all, point) => all + value(point), 0);
  const n = points.length;
  const x = sum((point) => point.x) / n;
  const y = sum((point) => point.y) / n;
  const spread = sum((point) => (point.x - x) ** 2);
  const slope = sum((point) => (point.x - x) * (point.y - y)) / spread;
  const residuals = sum((point) => (point.y - y - slope * (point.x - x)) ** 2);
  return { slope, halfWidth: QUANTILE * Math.sqrt(residuals / (n - 2) / spread) };
}
