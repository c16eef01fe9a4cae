import type { TextSet } from '../../../src/learn/datasets/textSet.js';
import type { EmbeddedSet } from '../../../src/learn/embeddedSet.js';

/** Unit vectors of the plane by their angle in degrees. */
export function direction(degrees: number): [number, number] {
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

/** A set in two dimensions: the angles of each class's texts, of its name where it has one, and out of scope. */
export function planeSet(
  name: string,
  classes: Readonly<Record<string, readonly number[]>>,
  { names = {}, outOfScope = [] }: { names?: Record<string, number>; outOfScope?: readonly number[] } = {},
): EmbeddedSet {
  const labels = Object.keys(classes).sort();
  const rows = labels.flatMap((label, c) => classes[label]!.map((angle) => ({ c, angle })));
  const set: TextSet = {
    name,
    texts: rows.map(({ c, angle }, i) => `${name} ${labels[c]} ${i} at ${angle}`),
    labels: Int32Array.from(rows, ({ c }) => c),
    classes: labels.map((label) => ({ name: label })),
    outOfScope: outOfScope.map((angle, i) => `${name} outside ${i} at ${angle}`),
  };
  return {
    set,
    dimension: 2,
    embeddings: Float32Array.from(rows.flatMap(({ angle }) => direction(angle))),
    names: Float32Array.from(
      labels.flatMap((label) => (names[label] === undefined ? [0, 0] : direction(names[label]))),
    ),
    outOfScope: Float32Array.from(outOfScope.flatMap(direction)),
  };
}
