import { useWrite } from '../api/queries.js';
import type { Example } from '../../client/index.js';
import { counted } from '../format.js';
import { toast } from '../state/toasts.js';
import { addTo, type ExamplePlace, moveTo, nameOf, removeFrom, rewrite } from './examplePlace.js';

/** What can be done with the examples of a place. What goes can be undone for a while. */
export function useExampleWrites(place: ExamplePlace) {
  const { bot } = place;
  const putBack = useWrite(bot, ({ text }: Example) => addTo(place, [text]));
  const add = useWrite(bot, (texts: readonly string[]) => addTo(place, texts), {
    onDone: ({ added }, texts) => {
      const known = texts.length - added.length;
      const note = known > 0 ? `; ${counted(known, 'was', 'were')} there already` : '';
      toast(`${counted(added.length, 'example')} added${note}`);
    },
  });
  const remove = useWrite(bot, ({ id }: Example) => removeFrom(place, id), {
    onDone: (_, example) => {
      toast(`Deleted “${example.text}”`, {
        undo: () => {
          putBack.mutate(example);
        },
      });
    },
  });
  const edit = useWrite(bot, ({ id, text }: Example) => rewrite(place, id, text), {
    onDone: () => {
      toast('Saved');
    },
  });
  const moveBack = useWrite(
    bot,
    ({ example, from }: { readonly example: Example; readonly from: string | null }) =>
      moveTo({ bot, intent: from }, example, place.intent),
  );
  const move = useWrite(
    bot,
    ({ example, to }: { readonly example: Example; readonly to: string | null }) =>
      moveTo(place, example, to),
    {
      onDone: ({ added }, { example, to }) => {
        // Moved within one write, the example keeps its id or is told as added; copied, only its text is known.
        const [moved] = added;
        toast(`Moved to ${nameOf({ intent: to })}`, {
          ...(to !== null &&
            place.intent !== null && {
              undo: () => {
                moveBack.mutate({ example: moved ?? example, from: to });
              },
            }),
        });
      },
    },
  );
  return { add, remove, edit, move };
}
