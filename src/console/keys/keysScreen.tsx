import { useState } from 'react';
import type { KeySummary } from '../../client/index.js';
import { useKeys } from '../api/queries.js';
import { ago, dateAndTime } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { useShortcuts } from '../state/shortcuts.js';
import { NewKeyDialog } from './newKeyDialog.js';
import { RevokeKeyDialog } from './revokeKeyDialog.js';

/** The API keys that were made while the server runs; those of its settings are not the console's to change. */
export function KeysScreen() {
  const keys = useKeys();
  const [creates, setCreates] = useState(false);
  const [revokes, setRevokes] = useState<KeySummary>();
  const create = () => {
    setCreates(true);
  };
  useShortcuts({ n: create });
  const createButton = (
    <WriteButton look="primary" icon="plus" onClick={create}>
      New key
    </WriteButton>
  );
  return (
    <Page
      title="API keys"
      lead="For all bots or some, to read or to write. Keys that the server’s settings name are not listed."
      actions={createButton}
    >
      <Loaded query={keys} what="Loading the keys">
        {(list) =>
          list.length === 0 ? (
            <Empty icon="key" title="No keys yet" action={createButton}>
              Without any key, here or in the settings, whoever reaches the server may read and write. The
              first one closes it: from then on every request needs a key.
            </Empty>
          ) : (
            <DataTable
              caption="API keys"
              columns={columnsOf(setRevokes)}
              rows={list}
              rowKey={({ id }) => String(id)}
              sortedBy={{ id: 'created', desc: true }}
            />
          )
        }
      </Loaded>
      {creates && (
        <NewKeyDialog
          onClose={() => {
            setCreates(false);
          }}
        />
      )}
      {revokes && (
        <RevokeKeyDialog
          apiKey={revokes}
          onClose={() => {
            setRevokes(undefined);
          }}
        />
      )}
    </Page>
  );
}

function columnsOf(revoke: (key: KeySummary) => void): Column<KeySummary>[] {
  return [
    {
      id: 'name',
      header: 'Key',
      isHeader: true,
      value: ({ name }) => name,
      cell: ({ name, hint, revoked_at: revoked }) => (
        <>
          <span className="strong wrap">{name}</span>{' '}
          {revoked !== null && <span className="badge">revoked {ago(revoked)}</span>}
          <div className="muted small">
            <code>{hint}…</code>
          </div>
        </>
      ),
    },
    {
      id: 'access',
      header: 'May',
      value: ({ access }) => access,
      cell: ({ access }) => (access === 'write' ? 'read and write' : 'read'),
    },
    {
      id: 'bots',
      header: 'Bots',
      value: ({ bots }) => bots?.join() ?? '',
      cell: ({ bots }) => <span className="wrap">{bots === null ? 'all' : bots.join(', ')}</span>,
    },
    {
      id: 'rate',
      header: 'Requests a second',
      align: 'end',
      wideOnly: true,
      value: ({ rate }) => rate ?? Infinity,
      cell: ({ rate }) => rate ?? 'no limit',
    },
    {
      id: 'created',
      header: 'Made',
      wideOnly: true,
      value: ({ created_at: time }) => time,
      cell: ({ created_at: time }) => <Time time={time} />,
    },
    {
      id: 'used',
      header: 'Last used',
      wideOnly: true,
      value: ({ last_used_at: time }) => time ?? '',
      cell: ({ last_used_at: time }) => (time === null ? 'never' : <Time time={time} />),
    },
    {
      id: 'actions',
      header: 'Actions',
      align: 'end',
      cell: (key) =>
        key.revoked_at === null && (
          <WriteButton
            look="quiet"
            small
            icon="trash"
            aria-label={`Revoke ${key.name}`}
            onClick={() => {
              revoke(key);
            }}
          />
        ),
    },
  ];
}

function Time({ time }: { readonly time: string }) {
  return (
    <time dateTime={time} title={dateAndTime(time)}>
      {ago(time)}
    </time>
  );
}
