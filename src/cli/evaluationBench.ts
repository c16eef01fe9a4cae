import type { Evaluation, EvaluationSummary } from '../classify/evaluationTypes.js';
import type { CrossValidationOptions, EvaluationOptions } from '../classify/service.js';
import type { BotDocument } from '../formats/document.js';

/** Where a bot is evaluated: on a server, or in this process. */
export interface Bench {
  crossValidate(asked: CrossValidationOptions): Promise<EvaluationSummary>;
  evaluateTestSet(document: BotDocument, asked: EvaluationOptions): Promise<EvaluationSummary>;
  /** How far it is, and what it found. */
  get(id: number): Promise<Evaluation>;
  sleep(milliseconds: number): Promise<unknown>;
}
