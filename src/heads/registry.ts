import { adaptedHead } from './adapted.js';
import type { Head } from './head.js';
import { matching } from './matching.js';
import { names } from './names.js';
import { prototypical, prototypicalEuclidean } from './prototypical.js';

/** Every head by its name; the first is the default. */
const HEADS = {
  adapted: () => adaptedHead(),
  prototypical: () => prototypical,
  'prototypical-euclidean': () => prototypicalEuclidean,
  matching: () => matching,
  names: () => names,
} satisfies Record<string, () => Head>;

export type HeadName = keyof typeof HEADS;

export const HEAD_NAMES = Object.keys(HEADS) as [HeadName, ...HeadName[]];

export function createHead(name: HeadName): Head {
  return HEADS[name]();
}
