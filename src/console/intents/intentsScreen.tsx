import { useMemo, useState } from 'react';
import type { IntentSummary } from '../../client/index.js';
import { useBot, useChecks, useIntents } from '../api/queries.js';
import { counted, count } from '../format.js';
import { LinkButton, WriteButton } from '../parts/button.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { Select, SearchField } from '../parts/field.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { HealthyBadge, SEVERITY_ORDER, SeverityBadge } from '../parts/severity.js';
import { hrefOf } from '../routes.js';
import { useShortcuts } from '../state/shortcuts.js';
import { DeleteIntentDialog } from './deleteIntentDialog.js';
import { type Health, healthByIntent, saysAll } from './health.js';
import { NewIntentDialog } from './newIntentDialog.js';
import { RenameIntentDialog } from './renameIntentDialog.js';

interface Row extends IntentSummary {
  readonly health: Health | undefined;
}

type Open = { readonly what: 'rename' | 'delete'; readonly intent: IntentSummary } | { readonly what: 'new' };
const FILTERS = ['all', 'findings', 'error', 'warning', 'info', 'good'] as const;
type Filter = (typeof FILTERS)[number];
const FILTER_NAMES: Readonly<Record<Filter, string>> = {
  all: 'Any health',
  findings: 'With findings',
  error: 'Errors',
  warning: 'Warnings',
  info: 'Hints',
  good: 'Good',
};

/** A bot's intents: how many examples each has, and how it is. */
export function IntentsScreen({ bot }: { readonly bot: string }) {
  const intents = useIntents(bot);
  const { data: summary } = useBot(bot);
  const { data: checks } = useChecks(bot);
  const [search, setSearch] = useState('');
  const [filter, setFilter] = useState<Filter>('all');
  const [open, setOpen] = useState<Open>();
  const close = () => {
    setOpen(undefined);
  };
  const create = () => {
    setOpen({ what: 'new' });
  };
  useShortcuts({ n: create });

  const isKnown = saysAll(checks);
  const columns = useMemo(() => columnsOf(bot, isKnown, setOpen), [bot, isKnown]);
  const rows = useMemo(() => {
    const health = healthByIntent(checks);
    return (intents.data ?? []).map((intent): Row => ({ ...intent, health: health.get(intent.name) }));
  }, [intents.data, checks]);
  const shown = useMemo(() => rows.filter((row) => matches(row, search, filter)), [rows, search, filter]);

  return (
    <Page
      title="Intents"
      lead={
        summary && (
          <>
            {counted(summary.intents, 'intent')}, {counted(summary.examples, 'example')},{' '}
            <Link to={hrefOf({ screen: 'counterexamples', bot })}>
              {counted(summary.counterexamples, 'counter-example')}
            </Link>
          </>
        )
      }
      actions={
        <WriteButton look="primary" icon="plus" onClick={create}>
          New intent
        </WriteButton>
      }
    >
      <Loaded query={intents} what="Loading the intents">
        {(list) =>
          list.length === 0 ? (
            <Empty
              icon="intents"
              title="No intents yet"
              action={
                <>
                  <WriteButton look="primary" icon="plus" onClick={create}>
                    New intent
                  </WriteButton>
                  <LinkButton to={hrefOf({ screen: 'files', bot })} icon="files">
                    Import a file
                  </LinkButton>
                </>
              }
            >
              An intent is a name and a few things that people say when they mean it. Five examples are a good
              start.
            </Empty>
          ) : (
            <>
              <div className="toolbar">
                <SearchField label="Search intents" value={search} onChange={setSearch} />
                <Select
                  label="Health"
                  hidesLabel
                  value={filter}
                  onChange={(value) => {
                    setFilter(FILTERS.find((name) => name === value) ?? 'all');
                  }}
                >
                  {FILTERS.map((name) => (
                    <option key={name} value={name}>
                      {FILTER_NAMES[name]}
                    </option>
                  ))}
                </Select>
                <span className="muted small" role="status">
                  {shown.length < rows.length && `${count(shown.length)} of ${count(rows.length)}`}
                </span>
              </div>
              {shown.length === 0 ? (
                <p className="muted">No intent is like that. Search for something shorter.</p>
              ) : (
                <DataTable
                  caption="Intents"
                  columns={columns}
                  rows={shown}
                  rowKey={({ name }) => name}
                  sortedBy={{ id: 'name', desc: false }}
                />
              )}
            </>
          )
        }
      </Loaded>
      {open?.what === 'new' && <NewIntentDialog bot={bot} onClose={close} />}
      {open?.what === 'rename' && <RenameIntentDialog bot={bot} intent={open.intent.name} onClose={close} />}
      {open?.what === 'delete' && <DeleteIntentDialog bot={bot} intent={open.intent.name} onClose={close} />}
    </Page>
  );
}

function matches({ name, description, health }: Row, search: string, filter: Filter): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${name} ${description ?? ''}`.toLowerCase();
  if (!words.every((word) => text.includes(word))) return false;
  if (filter === 'all') return true;
  if (filter === 'good' || filter === 'findings') return (health === undefined) === (filter === 'good');
  return health?.findings.some(({ severity }) => severity === filter) ?? false;
}

function columnsOf(bot: string, isKnown: boolean, open: (what: Open) => void): Column<Row>[] {
  return [
    {
      id: 'name',
      header: 'Intent',
      isHeader: true,
      value: ({ name }) => name,
      cell: ({ name, description }) => (
        <>
          <Link to={hrefOf({ screen: 'intents', bot, item: name })} className="strong wrap">
            {name}
          </Link>
          {description !== null && <div className="muted small row-note wide-only">{description}</div>}
        </>
      ),
    },
    {
      id: 'examples',
      header: 'Examples',
      align: 'end',
      value: ({ examples }) => examples,
      cell: ({ examples }) => count(examples),
    },
    {
      id: 'health',
      header: 'Health',
      value: ({ health }) => (health === undefined ? 9 : SEVERITY_ORDER[health.worst]),
      cell: ({ health }) =>
        health === undefined ? (
          isKnown ? (
            <HealthyBadge />
          ) : (
            <span className="muted">not known</span>
          )
        ) : (
          <SeverityBadge
            severity={health.worst}
            count={health.findings.filter(({ severity }) => severity === health.worst).length}
          />
        ),
    },
    {
      id: 'actions',
      header: 'Actions',
      align: 'end',
      wideOnly: true,
      cell: (intent) => (
        <span className="row-actions">
          <WriteButton
            look="quiet"
            small
            icon="pencil"
            aria-label={`Rename ${intent.name}`}
            onClick={() => {
              open({ what: 'rename', intent });
            }}
          />
          <WriteButton
            look="quiet"
            small
            icon="trash"
            aria-label={`Delete ${intent.name}`}
            onClick={() => {
              open({ what: 'delete', intent });
            }}
          />
        </span>
      ),
    },
  ];
}
