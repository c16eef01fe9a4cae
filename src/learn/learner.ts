import type { Params } from '../heads/head.js';
import type { Proportion } from '../statistics/measures.js';

/** What is trained, by the groups that learn at a rate of their own: a head, and the encoder's layers that learn with it. */
export type LearnedParams = { head: Params; encoder?: Params };

/** What a trainer needs of what it trains: the loss of a task and its gradient, and how good it is. */
export interface Learner {
  /** Parameters of the shapes that are learned, whatever their values; the caller's own. */
  template(): LearnedParams;
  /**
   * The loss of episode i and its gradient.
   *
   * @param params not consumed.
   * @param progress share of the training that is over, for losses that change on the way.
   */
  slope(
    params: LearnedParams,
    episode: number,
    progress: number,
  ): Promise<{ loss: number; gradient: LearnedParams }>;
  /** Mean accuracy over the episodes of the validation. @param params not consumed. */
  accuracy(params: LearnedParams): Promise<Proportion>;
  /** The same of the untrained prototypes (`prototypical`), before anything is learned. */
  baseline(): Promise<Proportion>;
  dispose(): void;
}
