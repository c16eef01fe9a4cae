/** Ways of choosing which texts to label; `random` is what experiments compare with. */
export const STRATEGIES = [
  'least-confidence',
  'margin',
  'entropy',
  'k-centre',
  'committee',
  'mix',
  'random',
] as const;

export type Strategy = (typeof STRATEGIES)[number];

export const DEFAULT_STRATEGY: Strategy = 'mix';
