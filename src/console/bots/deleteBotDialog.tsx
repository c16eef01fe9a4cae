import { useQueryClient } from '@tanstack/react-query';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import type { BotSummary } from '../../client/index.js';
import { counted } from '../format.js';
import { ConfirmDialog } from '../parts/confirmDialog.js';
import { go, hrefOf } from '../routes.js';
import { toast } from '../state/toasts.js';

export function DeleteBotDialog({
  bot,
  onClose,
}: {
  readonly bot: BotSummary;
  readonly onClose: () => void;
}) {
  const client = useQueryClient();
  const remove = useWrite('', () => kshot().bots.delete(bot.name), {
    showsError: true,
    onDone() {
      onClose();
      go(hrefOf({ screen: 'bots' }));
      client.removeQueries({ queryKey: ['bot', bot.name] });
      toast(`Bot ${bot.name} is deleted`);
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${bot.name}?`}
      action="Delete the bot"
      typed={bot.name}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => {
        remove.mutate();
      }}
      onClose={onClose}
    >
      <p>
        {counted(bot.intents, 'intent')}, {counted(bot.examples, 'example')}, its versions and evaluations go
        for good. Export it first if you may want it back.
      </p>
    </ConfirmDialog>
  );
}
