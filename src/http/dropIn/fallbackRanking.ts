import { rounded } from '../../classify/rounded.js';
import type { ClassifyResult, RankedIntent } from '../../classify/service.js';

/**
 * A result as services rank that have an intent for what is out of scope, which kshot has not.
 *
 * Out of scope that intent is put first, with the probability of being out of scope, `1 - in_scope`. The others are kept,
 * each with its probability whether in scope or not, `in_scope * confidence`: all are of one distribution then, so that a
 * client which takes the largest instead of the first takes the same. For the same reason the first is never given less
 * than the second, as would be possible with a threshold above 0.5.
 *
 * @param fallback the name of that intent; one that the bot itself has of this name is it, too.
 * @returns best first; in scope the ranking as it is.
 */
export function fallbackRanking(
  { out_of_scope, in_scope, ranking }: Pick<ClassifyResult, 'out_of_scope' | 'in_scope' | 'ranking'>,
  fallback: string,
): readonly RankedIntent[] {
  if (!out_of_scope) return ranking;
  const rest = ranking
    .filter(({ intent }) => intent !== fallback)
    .map(({ intent, confidence }) => ({ intent, confidence: rounded(in_scope * confidence) }));
  const confidence = Math.max(rounded(1 - in_scope), rest[0]?.confidence ?? 0);
  return [{ intent: fallback, confidence }, ...rest];
}
