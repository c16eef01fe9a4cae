import type { ClassifyResult } from '../classify/service.js';
import type { Call } from './operation.js';

/** Puts into the request's log line how many texts were classified; with `logTexts` the texts and what they were taken for. */
export function noteClassified(
  note: Call['note'],
  results: readonly ClassifyResult[],
  logTexts: boolean,
): void {
  note({ texts: results.length });
  if (!logTexts) return;
  note({ classified: results.map(({ text, intent, confidence }) => ({ text, intent, confidence })) });
}
