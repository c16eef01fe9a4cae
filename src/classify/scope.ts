import { probabilityInScope, type ScopeJudgement, sigmoid } from '../heads/scopeDetector.js';

/** How sharply a counter-example that is nearer than the intents takes a text out of scope. */
const COUNTER_SLOPE = 40;

/**
 * Probability that a text is in scope.
 *
 * @param judgement by the detector, of the text against the bot's intents.
 * @param counterexample cosine to the nearest counter-example, where the bot has any. It counts when it is about as high
 *   as the similarity: a text that equals a counter-example is out of scope, whatever else it is like.
 */
export function inScope(judgement: ScopeJudgement, counterexample?: number): number {
  const near = probabilityInScope(judgement);
  if (counterexample === undefined) return near;
  return near * sigmoid(COUNTER_SLOPE * (judgement.similarity - counterexample));
}
