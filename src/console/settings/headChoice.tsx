import { useId } from 'react';
import type { HeadSummary } from '../../client/index.js';

/** The heads to choose from, and why others cannot be. */
export function HeadChoice({
  heads,
  value,
  onChange,
}: {
  readonly heads: readonly HeadSummary[];
  readonly value: string | undefined;
  readonly onChange: (head: string | undefined) => void;
}) {
  const group = useId();
  const standard = heads.find((head) => head.default)?.name;
  return (
    <fieldset className="choices">
      <legend className="visually-hidden">Head</legend>
      <Choice
        group={group}
        name={`Default${standard === undefined ? '' : ` (${standard})`}`}
        note="The best one that the server knows; a better one reaches this bot by itself."
        checked={value === undefined}
        onChoose={() => {
          onChange(undefined);
        }}
      />
      {heads.map(({ name, kind, available, reason, training }) => (
        <Choice
          key={name}
          group={group}
          name={name}
          note={
            reason ??
            (kind === 'built-in' ? 'Built in.' : `Trained over ${training?.episodes ?? 'many'} episodes.`)
          }
          checked={value === name}
          disabled={!available}
          onChoose={() => {
            onChange(name);
          }}
        />
      ))}
    </fieldset>
  );
}

function Choice({
  group,
  name,
  note,
  checked,
  disabled = false,
  onChoose,
}: {
  readonly group: string;
  readonly name: string;
  readonly note: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChoose: () => void;
}) {
  return (
    <label className={`choice${disabled ? ' disabled' : ''}`}>
      <input type="radio" name={group} checked={checked} disabled={disabled} onChange={onChoose} />
      <span className="strong">{name}</span>
      <span className="muted small wrap">{note}</span>
    </label>
  );
}
