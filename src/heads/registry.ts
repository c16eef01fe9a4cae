import { adaptedHead } from './adapted.js';
import type { Head } from './head.js';
import { matching } from './matching.js';
import { names } from './names.js';
import { prototypical, prototypicalEuclidean } from './prototypical.js';
import { semiSupervisedHead } from './semiSupervised.js';

/** Every head that learns nothing offline, by its name. */
const HEADS = {
  adapted: () => adaptedHead(),
  'semi-supervised': () => semiSupervisedHead(),
  prototypical: () => prototypical,
  'prototypical-euclidean': () => prototypicalEuclidean,
  matching: () => matching,
  names: () => names,
} satisfies Record<string, () => Head>;

export type HeadName = keyof typeof HEADS;

export const HEAD_NAMES = Object.keys(HEADS) as [HeadName, ...HeadName[]];

/** The head that answers where another cannot: it serves every bot, with every encoder. */
export const FALLBACK_HEAD: HeadName = 'adapted';

export function isHeadName(name: string): name is HeadName {
  return Object.hasOwn(HEADS, name);
}

export function createHead(name: HeadName): Head {
  return HEADS[name]();
}
