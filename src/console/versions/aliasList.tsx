import { useState } from 'react';
import type { AliasSummary, VersionSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { ago } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { Select } from '../parts/field.js';
import { Link } from '../parts/link.js';
import { Section } from '../parts/page.js';
import { hrefOf } from '../routes.js';
import { toast } from '../state/toasts.js';
import { NewAliasDialog } from './newAliasDialog.js';

/** The aliases: what each points at, moved by choosing, rolled back by one click. */
export function AliasList({
  bot,
  aliases,
  versions,
}: {
  readonly bot: string;
  readonly aliases: readonly AliasSummary[];
  readonly versions: readonly VersionSummary[];
}) {
  const [creates, setCreates] = useState(false);
  return (
    <Section
      title="Aliases"
      aside={
        <WriteButton
          small
          icon="plus"
          onClick={() => {
            setCreates(true);
          }}
        >
          New alias
        </WriteButton>
      }
    >
      {aliases.length === 0 ? (
        <p className="muted">
          None yet. An alias such as <code>production</code> is what clients ask for; you move it from version
          to version.
        </p>
      ) : (
        <ul className="aliases">
          {aliases.map((alias) => (
            <li key={alias.name}>
              <Alias bot={bot} alias={alias} versions={versions} />
            </li>
          ))}
        </ul>
      )}
      {creates && (
        <NewAliasDialog
          bot={bot}
          versions={versions}
          onClose={() => {
            setCreates(false);
          }}
        />
      )}
    </Section>
  );
}

function Alias({
  bot,
  alias: { name, version, moved_at: movedAt, history },
  versions,
}: {
  readonly bot: string;
  readonly alias: AliasSummary;
  readonly versions: readonly VersionSummary[];
}) {
  const done = (alias: AliasSummary) => {
    toast(`${name} points at ${alias.version}`);
  };
  const move = useWrite(bot, (to: string) => kshot().aliases.set(bot, name, to), { onDone: done });
  const rollBack = useWrite(bot, () => kshot().aliases.rollback(bot, name), { onDone: done });
  const remove = useWrite(bot, () => kshot().aliases.delete(bot, name), {
    onDone: () => {
      toast(`Alias ${name} is deleted`, {
        undo: () => {
          move.mutate(version);
        },
      });
    },
  });
  const [former] = history;
  return (
    <div className="alias">
      <strong className="wrap">{name}</strong>
      <Select
        label={`${name} points at`}
        hidesLabel
        value={version}
        onChange={(to) => {
          move.mutate(to);
        }}
      >
        {versions.map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
      </Select>
      <span className="muted small">since {ago(movedAt)}</span>
      <span className="row-actions">
        <WriteButton
          small
          icon="undo"
          busy={rollBack.isPending}
          disabled={former === undefined}
          onClick={() => {
            rollBack.mutate();
          }}
        >
          {former === undefined ? 'Roll back' : `Roll back to ${former.version}`}
        </WriteButton>
        <WriteButton
          look="quiet"
          small
          icon="trash"
          aria-label={`Delete the alias ${name}`}
          onClick={() => {
            remove.mutate();
          }}
        />
      </span>
      {history.length > 0 && (
        <details className="small alias-history">
          <summary>History</summary>
          <ol>
            {history.map((target, i) => (
              <li key={i}>
                <Link to={hrefOf({ screen: 'versions', bot, item: target.version })}>{target.version}</Link>{' '}
                <span className="muted">from {ago(target.moved_at)}</span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
