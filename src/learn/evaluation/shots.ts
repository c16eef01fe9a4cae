import type { EmbeddedSet } from '../embeddedSet.js';
import { Random } from '../../statistics/random.js';
import { argmax } from '../../statistics/measures.js';
import type { Report } from './episodic.js';
import type { EvaluatedHead } from './evaluatedHead.js';
import type { Outcomes } from './outcomes.js';
import { rowsByClass, scoreTask, taskOf } from './task.js';

/** Examples of each class: a number of them, or as real bots have them, unevenly. */
export type Shots = number | 'uneven';

/** Uneven bots: from 1 to 40 examples a class, their logarithm uniform. */
const UNEVEN = { min: 1, max: 40 };

/** Support sets drawn at random from a set's training texts; all that decides which they are. */
export interface ShotsProtocol {
  readonly shots: Shots;
  /** Support sets that are drawn. */
  readonly draws: number;
  readonly seed: number;
  readonly nameRows: boolean;
}

/**
 * Accuracy by the number of examples, all classes of a set at once. Draw i is the same for every head, and of one draw's
 * texts those for fewer shots are among those for more.
 *
 * @param texts what support sets are drawn from; a class with fewer texts gives what it has.
 * @returns one unit a draw.
 * @throws what `scoreTask` throws.
 */
export function evaluateShots(
  evaluated: EvaluatedHead,
  texts: EmbeddedSet,
  queries: EmbeddedSet,
  { shots, draws, seed, nameRows }: ShotsProtocol,
  report?: Report,
): Outcomes {
  const random = new Random(seed);
  const byClass = rowsByClass(texts);
  const hits: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const rows = byClass.map((own, c) => drawRows(own, shots, random.split(draw).split(c)));
    const task = taskOf(texts, queries, nameRows, rows);
    const winners = argmax(scoreTask(evaluated, task.support, task.queries), task.classes.length);
    hits.push(winners.filter((winner, q) => winner === task.labels[q]).length);
    report?.(draw + 1, draws);
  }
  return { of: queries.set.texts.length, hits };
}

function drawRows(rows: readonly number[], shots: Shots, random: Random): number[] {
  const wanted = shots === 'uneven' ? random.split('shots').logUniform(UNEVEN.min, UNEVEN.max) : shots;
  return random.sample(rows, rows.length).slice(0, wanted);
}
