import { type EvaluationSummary, isOver } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { EndButton } from '../parts/endButton.js';
import { toast } from '../state/toasts.js';
import { titleOf } from './kinds.js';

/** Cancels an evaluation that waits or runs; removes one that has ended. */
export function DeleteEvaluation({
  bot,
  evaluation,
}: {
  readonly bot: string;
  readonly evaluation: EvaluationSummary;
}) {
  const runs = !isOver(evaluation);
  const title = titleOf(evaluation);
  const remove = useWrite(bot, () => kshot().evaluations.delete(bot, evaluation.id), {
    onDone: () => {
      toast(`${title} is ${runs ? 'cancelled' : 'deleted'}`);
    },
  });
  return (
    <EndButton
      status={evaluation.status}
      removing="Delete"
      what={title}
      busy={remove.isPending}
      onClick={() => {
        remove.mutate();
      }}
    />
  );
}
