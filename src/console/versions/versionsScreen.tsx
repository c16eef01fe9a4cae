import { useMemo, useState } from 'react';
import type { VersionSummary } from '../../client/index.js';
import { useAliases, useBot, useVersions } from '../api/queries.js';
import { ago, count, dateAndTime } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { hrefOf } from '../routes.js';
import { useShortcuts } from '../state/shortcuts.js';
import { AliasList } from './aliasList.js';
import { RestoreDialog } from './restoreDialog.js';
import { SaveVersionDialog } from './saveVersionDialog.js';

/** What a bot was, kept under names; and the aliases that clients ask for. */
export function VersionsScreen({ bot }: { readonly bot: string }) {
  const versions = useVersions(bot);
  const aliases = useAliases(bot);
  const { data: summary } = useBot(bot);
  const [saves, setSaves] = useState(false);
  const [restores, setRestores] = useState<string>();
  const save = () => {
    setSaves(true);
  };
  useShortcuts({ n: save });
  const revision = summary?.revision;
  const columns = useMemo(() => columnsOf(bot, revision, setRestores), [bot, revision]);
  const saveButton = (
    <WriteButton look="primary" icon="plus" onClick={save}>
      Save a version
    </WriteButton>
  );
  return (
    <Page
      title="Versions"
      lead={`A version never changes. Clients ask for one, or for an alias that points at one, in the field “version”.`}
      actions={saveButton}
    >
      <Loaded query={versions} what="Loading the versions">
        {(list) =>
          list.length === 0 ? (
            <Empty icon="versions" title="No versions yet" action={saveButton}>
              Save one before a larger change: it brings the bot back as it is now, settings and all.
            </Empty>
          ) : (
            <>
              <Loaded query={aliases} what="Loading the aliases">
                {(named) => <AliasList bot={bot} aliases={named} versions={list} />}
              </Loaded>
              <Section title="Saved">
                <DataTable
                  caption="Versions"
                  columns={columns}
                  rows={list}
                  rowKey={({ name }) => name}
                  sortedBy={{ id: 'created', desc: true }}
                />
              </Section>
            </>
          )
        }
      </Loaded>
      {saves && (
        <SaveVersionDialog
          bot={bot}
          onClose={() => {
            setSaves(false);
          }}
        />
      )}
      {restores !== undefined && (
        <RestoreDialog
          bot={bot}
          version={restores}
          onClose={() => {
            setRestores(undefined);
          }}
        />
      )}
    </Page>
  );
}

function columnsOf(
  bot: string,
  present: number | undefined,
  restore: (version: string) => void,
): Column<VersionSummary>[] {
  return [
    {
      id: 'name',
      header: 'Version',
      isHeader: true,
      value: ({ name }) => name,
      cell: ({ name, note, aliases }) => (
        <>
          <Link to={hrefOf({ screen: 'versions', bot, item: name })} className="strong wrap">
            {name}
          </Link>{' '}
          {aliases.map((alias) => (
            <span key={alias} className="badge info">
              {alias}
            </span>
          ))}
          {note !== null && <div className="muted small row-note">{note}</div>}
        </>
      ),
    },
    {
      id: 'created',
      header: 'Saved',
      value: ({ created_at: time }) => time,
      cell: ({ created_at: time }) => (
        <time dateTime={time} title={dateAndTime(time)}>
          {ago(time)}
        </time>
      ),
    },
    {
      id: 'intents',
      header: 'Intents',
      align: 'end',
      wideOnly: true,
      value: ({ intents }) => intents,
      cell: ({ intents }) => count(intents),
    },
    {
      id: 'examples',
      header: 'Examples',
      align: 'end',
      wideOnly: true,
      value: ({ examples }) => examples,
      cell: ({ examples }) => count(examples),
    },
    {
      id: 'revision',
      header: 'Revision',
      align: 'end',
      wideOnly: true,
      value: ({ revision }) => revision,
      cell: ({ revision }) =>
        revision === present ? <span className="badge good">{revision}, as now</span> : count(revision),
    },
    {
      id: 'actions',
      header: 'Actions',
      align: 'end',
      cell: ({ name }) => (
        <WriteButton
          small
          icon="undo"
          onClick={() => {
            restore(name);
          }}
        >
          Restore
        </WriteButton>
      ),
    },
  ];
}
