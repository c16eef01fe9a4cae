import { DEFAULT_STRATEGY as PRESET, STRATEGIES, type Strategy } from '../heads/strategies.js';

/** What clients may ask for; a random choice is for experiments. */
export type SuggestionStrategy = Exclude<Strategy, 'random'>;
export const SUGGESTION_STRATEGIES: readonly SuggestionStrategy[] = STRATEGIES.filter(
  (name) => name !== 'random',
);
export const DEFAULT_STRATEGY = PRESET as SuggestionStrategy;
