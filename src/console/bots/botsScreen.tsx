import { useState } from 'react';
import { useBots } from '../api/queries.js';
import type { BotSummary } from '../../client/index.js';
import { ago, count, dateAndTime } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { Icon } from '../parts/icons.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { hrefOf } from '../routes.js';
import { useShortcuts } from '../state/shortcuts.js';
import { CreateBotDialog } from './createBotDialog.js';
import { DeleteBotDialog } from './deleteBotDialog.js';
import { FirstRun } from './firstRun.js';

const SHIPPED = 'demo';

/** All bots of the server. */
export function BotsScreen() {
  const bots = useBots();
  const [creates, setCreates] = useState(false);
  const [deletes, setDeletes] = useState<BotSummary>();
  const create = () => {
    setCreates(true);
  };
  useShortcuts({ n: create });
  const createButton = (
    <WriteButton look="primary" icon="plus" onClick={create}>
      New bot
    </WriteButton>
  );
  return (
    <Page
      title="Bots"
      lead="Each is a set of intents with examples, answered by itself."
      actions={createButton}
    >
      <Loaded query={bots} what="Loading the bots">
        {(list) => (
          <>
            {list.length === 0 ? (
              <Empty icon="try" title="No bots yet" action={createButton}>
                Create one, give it a few intents with a handful of examples each, and try a text.
              </Empty>
            ) : (
              <DataTable
                caption="Bots"
                columns={columnsOf(setDeletes)}
                rows={list}
                rowKey={({ name }) => name}
                sortedBy={{ id: 'name', desc: false }}
              />
            )}
            {list.every(({ name }) => name === SHIPPED) && <FirstRun hasDemo={list.length > 0} />}
          </>
        )}
      </Loaded>
      {creates && (
        <CreateBotDialog
          onClose={() => {
            setCreates(false);
          }}
        />
      )}
      {deletes && (
        <DeleteBotDialog
          bot={deletes}
          onClose={() => {
            setDeletes(undefined);
          }}
        />
      )}
    </Page>
  );
}

function columnsOf(remove: (bot: BotSummary) => void): Column<BotSummary>[] {
  return [
    {
      id: 'name',
      header: 'Bot',
      isHeader: true,
      value: ({ name }) => name,
      cell: ({ name }) => (
        <Link to={hrefOf({ screen: 'intents', bot: name })} className="strong wrap">
          {name}
        </Link>
      ),
    },
    {
      id: 'intents',
      header: 'Intents',
      align: 'end',
      value: ({ intents }) => intents,
      cell: ({ intents }) => count(intents),
    },
    {
      id: 'examples',
      header: 'Examples',
      align: 'end',
      value: ({ examples }) => examples,
      cell: ({ examples }) => count(examples),
    },
    {
      id: 'counterexamples',
      header: 'Counter-examples',
      align: 'end',
      wideOnly: true,
      value: ({ counterexamples }) => counterexamples,
      cell: ({ counterexamples }) => count(counterexamples),
    },
    {
      id: 'head',
      header: 'Head',
      wideOnly: true,
      value: ({ head }) => head.serving,
      cell: ({ head }) => (
        <span title={head.reason ?? undefined}>
          {head.serving}
          {head.reason !== null && (
            <span className="badge warning">
              <Icon name="warning" /> not {head.wanted}
            </span>
          )}
        </span>
      ),
    },
    {
      id: 'updated',
      header: 'Changed',
      wideOnly: true,
      value: ({ updated_at: time }) => time,
      cell: ({ updated_at: time }) => (
        <time dateTime={time} title={dateAndTime(time)}>
          {ago(time)}
        </time>
      ),
    },
    {
      id: 'actions',
      header: 'Actions',
      align: 'end',
      wideOnly: true,
      cell: (bot) => <DeleteButton bot={bot} onClick={remove} />,
    },
  ];
}

function DeleteButton({
  bot,
  onClick,
}: {
  readonly bot: BotSummary;
  readonly onClick: (bot: BotSummary) => void;
}) {
  return (
    <WriteButton
      look="quiet"
      small
      icon="trash"
      aria-label={`Delete ${bot.name}`}
      onClick={() => {
        onClick(bot);
      }}
    />
  );
}
