import type { EmbeddedSet } from '../embeddedSet.js';
import { argmax } from '../../statistics/measures.js';
import type { Report } from './episodic.js';
import type { EvaluatedHead } from './evaluatedHead.js';
import type { Strata } from './outcomes.js';
import { scoreTask, taskOf } from './task.js';

/** A task with a support set and queries of its own, embedded. */
export interface EmbeddedTask {
  readonly name: string;
  readonly support: EmbeddedSet;
  readonly queries: EmbeddedSet;
}

/**
 * The protocol of ARSC (Yu et al. 2018): each task's support set is given, every query is asked, and the tasks' accuracies
 * are averaged. Class names are not shown.
 *
 * @returns one stratum a task, one unit a query.
 */
export function evaluateTasks(
  evaluated: EvaluatedHead,
  tasks: readonly EmbeddedTask[],
  report?: Report,
): Strata {
  const entries = tasks.map(({ name, support, queries }, done) => {
    const task = taskOf(support, queries, false);
    const winners = argmax(scoreTask(evaluated, task.support, task.queries), task.classes.length);
    report?.(done + 1, tasks.length);
    return [name, { of: 1, hits: winners.map((winner, q) => Number(winner === task.labels[q])) }] as const;
  });
  return Object.fromEntries(entries);
}
