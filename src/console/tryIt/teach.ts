import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import type { WriteResult } from '../../client/index.js';
import { toast } from '../state/toasts.js';

export interface Lesson {
  readonly text: string;
  /** Null: out of scope. */
  readonly intent: string | null;
}

/** Makes a text an example of an intent, or a counter-example; can be undone. */
export function useTeach(bot: string) {
  const untaught = useWrite(bot, ({ intent, id }: { readonly intent: string | null; readonly id: number }) =>
    intent === null ? kshot().counterexamples.delete(bot, id) : kshot().examples.delete(bot, intent, id),
  );
  return useWrite(
    bot,
    ({ text, intent }: Lesson): Promise<WriteResult> =>
      intent === null ? kshot().counterexamples.add(bot, [text]) : kshot().examples.add(bot, intent, [text]),
    {
      onDone({ added }, { intent }) {
        const [example] = added;
        const place = intent === null ? 'a counter-example' : `an example of ${intent}`;
        if (example === undefined) toast(`It is ${place} already`);
        else {
          toast(`Now ${place}`, {
            undo: () => {
              untaught.mutate({ intent, id: example.id });
            },
          });
        }
      },
    },
  );
}
