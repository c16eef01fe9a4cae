import { softmax } from './calibrate.js';
import type { Scored } from './liveBot.js';
import { rounded } from './rounded.js';
import { inScope } from './scope.js';
import type { ClassifyResult, Explanation } from './service.js';

/** The part of a result that is decided here. */
export type Decision = Pick<
  ClassifyResult,
  'intent' | 'confidence' | 'out_of_scope' | 'in_scope' | 'ranking' | 'evidence' | 'explanation'
>;

/**
 * From scores to an answer: calibrated confidences, the decision on scope, and the evidence for both.
 *
 * @param threshold the in-scope probability below which a text is out of scope.
 * @param top how many intents the ranking holds.
 */
export function decide(scored: Scored, threshold: number, top: number, explain: boolean): Decision {
  const { intents, logits, nearest, counterexample, calibration } = scored;
  if (intents.length === 0) {
    return { intent: null, confidence: 0, out_of_scope: true, in_scope: 0, ranking: [], evidence: [] };
  }
  const probabilities = softmax(logits, calibration.temperature);
  const order = topIndices(probabilities, top);
  const best = order[0]!;
  const probability = inScope(scored.scope, counterexample?.similarity);
  const outOfScope = probability < threshold;
  const decision: Decision = {
    intent: outOfScope ? null : intents[best]!,
    confidence: rounded(probabilities[best]!),
    out_of_scope: outOfScope,
    in_scope: rounded(probability),
    ranking: order.map((c) => ({ intent: intents[c]!, confidence: rounded(probabilities[c]!) })),
    evidence: nearest
      .filter(({ text }) => text.kind === 'example')
      .map(({ text, similarity }) => ({
        example: text.text,
        intent: text.intent!,
        similarity: rounded(similarity),
      })),
  };
  return explain ? { ...decision, explanation: explanation(scored, decision, threshold) } : decision;
}

/** The best `count` positions, best first; the earlier of equals goes first. */
function topIndices(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (best.length === count && values[i]! <= values[best.at(-1)!]!) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]!]! < values[i]!) at--;
    best.splice(at, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

function explanation(scored: Scored, decision: Decision, threshold: number): Explanation {
  const { calibration, counterexample, scope } = scored;
  return {
    threshold,
    temperature: rounded(calibration.temperature),
    calibration: calibration.source,
    adapted: scored.adapted,
    similarity: rounded(scope.similarity),
    similarity_at_even_odds: rounded(scope.midpoint),
    nearest_counterexample:
      counterexample === undefined
        ? null
        : { example: counterexample.text.text, similarity: rounded(counterexample.similarity) },
    summary: summary(scored, decision, threshold),
  };
}

/** In words: what decided, and what would have to change for another answer. */
function summary({ counterexample, scope }: Scored, decision: Decision, threshold: number): string {
  const [first, second] = decision.ranking;
  const percent = (p: number) => `${Math.round(p * 100)} %`;
  if (decision.out_of_scope) {
    const near = counterexample !== undefined && counterexample.similarity >= scope.similarity - 0.05;
    const reason = near
      ? `it is nearer to the counter-example "${counterexample.text.text}" than to the intents`
      : 'it is not near enough to any example';
    return (
      `Out of scope: in scope with ${percent(decision.in_scope)}, below the threshold of ${percent(threshold)}, as ${reason}. ` +
      `The best guess is ${first!.intent}; an example like this text, or a lower threshold, would make it the answer.`
    );
  }
  const rival =
    second === undefined
      ? 'no other intent'
      : `${second.intent} (${percent(second.confidence)}), which an example like this text would favour`;
  return `${first!.intent} with ${percent(first!.confidence)}; next is ${rival}.`;
}
