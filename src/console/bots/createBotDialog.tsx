import { kshot } from '../api/kshot.js';
import { useBots, useWrite } from '../api/queries.js';
import { NameDialog } from '../parts/nameDialog.js';
import { go, hrefOf } from '../routes.js';

export function CreateBotDialog({ onClose }: { readonly onClose: () => void }) {
  const { data: bots = [] } = useBots();
  const create = useWrite(
    '',
    async (name: string) => {
      // PUT would give a bot that is there its default settings.
      if (bots.some((bot) => bot.name === name)) throw new Error(`There is a bot ${name} already.`);
      return kshot().bots.put(name, {});
    },
    {
      showsError: true,
      onDone: ({ name }) => {
        onClose();
        go(hrefOf({ screen: 'intents', bot: name }));
      },
    },
  );
  return (
    <NameDialog
      title="New bot"
      label="Name"
      hint="Letters, digits, dots, underscores and hyphens. It is part of the API's addresses."
      action="Create"
      busy={create.isPending}
      error={create.error}
      onSubmit={(name) => {
        create.mutate(name);
      }}
      onClose={onClose}
    />
  );
}
