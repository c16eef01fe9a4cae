import type { Evaluation, EvaluationComparison, EvaluationSummary } from '../classify/evaluationTypes.js';
import type { ImportFormat } from '../formats/formatNames.js';
import { botPath } from './botPath.js';
import type { CallOptions, FileContent, Transport } from './transport.js';
import { finished, type FinishedOptions } from './finished.js';

interface EvaluationOptions extends CallOptions {
  /** What it is to be called. */
  readonly name?: string | undefined;
  /** The name of a version or an alias; left out: the bot as it is now. */
  readonly version?: string | undefined;
}

export interface CrossValidationOptions extends EvaluationOptions {
  /** From 2 to 10, default 5. */
  readonly folds?: number | undefined;
  /** Of the folds; default 0. */
  readonly seed?: number | undefined;
}

export interface TestSetOptions extends EvaluationOptions {
  /** What the file is; its content tells where it is left out. */
  readonly format?: ImportFormat | undefined;
  /** The one to read of a file in several. */
  readonly language?: string | undefined;
}

/** How well a bot does. An evaluation is begun, waits for its turn, and is kept by the server. */
export class Evaluations {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Newest first. */
  list(bot: string, options?: CallOptions): Promise<EvaluationSummary[]> {
    const path = botPath(bot, 'evaluations');
    return this.#transport.member('evaluations', { method: 'GET', path, options });
  }

  /** With its measures and rows, once it is done. */
  get(bot: string, id: number, options?: CallOptions): Promise<Evaluation> {
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'evaluations', id), options });
  }

  /** Begins one on the bot's own examples, each judged by what was learnt without it. */
  crossValidate(
    bot: string,
    { folds, seed, name, version, ...options }: CrossValidationOptions = {},
  ): Promise<EvaluationSummary> {
    const path = botPath(bot, 'evaluations', 'cross-validation');
    const json = { folds, seed, name, version };
    return this.#transport.json({ method: 'POST', path, json, options });
  }

  /** Begins one on a file of labelled texts, in any format that is imported; its counter-examples are out of scope. */
  testSet(
    bot: string,
    file: FileContent,
    { name, version, format, language, ...options }: TestSetOptions = {},
  ): Promise<EvaluationSummary> {
    const path = botPath(bot, 'evaluations', 'test-set');
    const query = { name, version, format, language };
    return this.#transport.json({ method: 'POST', path, query, file, options });
  }

  /** Waits until one has ended, however it did: its `status` says. */
  finished(bot: string, id: number, options?: FinishedOptions<EvaluationSummary>): Promise<Evaluation> {
    return finished((how) => this.get(bot, id, how), this.#transport, options);
  }

  /** Text by text. @param other an earlier one; left out: the latest of the same kind before it. */
  compare(
    bot: string,
    id: number,
    { with: other, ...options }: CallOptions & { readonly with?: number | undefined } = {},
  ): Promise<EvaluationComparison> {
    const path = botPath(bot, 'evaluations', id, 'comparison');
    return this.#transport.json({ method: 'GET', path, query: { with: other }, options });
  }

  /** Cancels one that waits or runs; removes one that has ended. */
  async delete(bot: string, id: number, options?: CallOptions): Promise<void> {
    await this.#transport.json({ method: 'DELETE', path: botPath(bot, 'evaluations', id), options });
  }
}
