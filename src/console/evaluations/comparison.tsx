import { useState } from 'react';
import type { ComparedRow, Evaluation, EvaluationComparison } from '../../client/index.js';
import { useComparison, useEvaluations } from '../api/queries.js';
import { count } from '../format.js';
import { Button } from '../parts/button.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Select } from '../parts/field.js';
import { Loaded } from '../parts/loaded.js';
import { Section } from '../parts/page.js';
import { titleOf } from './kinds.js';
import { Answer } from './wrongRows.js';

type Kind = 'fixed' | 'broken' | 'still_wrong';
const KINDS: readonly (readonly [Kind, string])[] = [
  ['fixed', 'Fixed'],
  ['broken', 'Broken'],
  ['still_wrong', 'Still wrong, but otherwise'],
];

/** What is different from an earlier evaluation, text by text. */
export function Comparison({
  bot,
  evaluation,
  onOpen,
}: {
  readonly bot: string;
  readonly evaluation: Evaluation;
  readonly onOpen: (id: number) => void;
}) {
  const [other, setOther] = useState('');
  const comparison = useComparison(bot, evaluation.id, other === '' ? undefined : Number(other));
  const { data: evaluations = [] } = useEvaluations(bot);
  const others = evaluations.filter(({ id, status }) => id !== evaluation.id && status === 'done');
  return (
    <Section
      title="Compared with"
      aside={
        others.length > 0 && (
          <Select label="Compared with" hidesLabel value={other} onChange={setOther}>
            <option value="">the one before</option>
            {others.map((one) => (
              <option key={one.id} value={one.id}>
                {titleOf(one)}
              </option>
            ))}
          </Select>
        )
      }
    >
      <Loaded query={comparison} what="Comparing">
        {(data) =>
          data === null ? (
            <p className="muted">
              There is no earlier one of its kind. Run another after a change to see what it does.
            </p>
          ) : (
            <Rows comparison={data} onOpen={onOpen} />
          )
        }
      </Loaded>
    </Section>
  );
}

function Rows({
  comparison,
  onOpen,
}: {
  readonly comparison: EvaluationComparison;
  readonly onOpen: (id: number) => void;
}) {
  const [kind, setKind] = useState<Kind>('fixed');
  const rows = comparison[kind];
  const { with: other, texts, only_in_this: news, only_in_other: gone } = comparison;
  return (
    <>
      <div className="toolbar" role="group" aria-label="Show">
        {KINDS.map(([name, words]) => (
          <button
            key={name}
            type="button"
            className={`chip ${name}`}
            aria-pressed={kind === name}
            onClick={() => {
              setKind(name);
            }}
          >
            {words} <span className="number">{count(comparison[name].length)}</span>
          </button>
        ))}
        <span className="muted small">
          {count(texts)} texts of both{news + gone > 0 && `; ${count(news)} new, ${count(gone)} gone`}
        </span>
        <Button
          small
          look="quiet"
          onClick={() => {
            onOpen(other.id);
          }}
        >
          Open {titleOf(other)}
        </Button>
      </div>
      {rows.length === 0 ? (
        <p className="muted">None.</p>
      ) : (
        <DataTable caption="Compared texts" columns={COLUMNS} rows={rows} rowKey={rowKey} pageSize={25} />
      )}
    </>
  );
}

function rowKey({ text, expected }: ComparedRow): string {
  return `${expected ?? ''}\n${text}`;
}

const COLUMNS: readonly Column<ComparedRow>[] = [
  {
    id: 'text',
    header: 'Text',
    isHeader: true,
    value: ({ text }) => text,
    cell: ({ text }) => <span className="wrap">{text}</span>,
  },
  {
    id: 'expected',
    header: 'Expected',
    wideOnly: true,
    value: ({ expected }) => expected ?? '',
    cell: ({ expected }) => <Answer intent={expected} />,
  },
  {
    id: 'before',
    header: 'Before',
    value: ({ before }) => before ?? '',
    cell: ({ before }) => <Answer intent={before} />,
  },
  { id: 'now', header: 'Now', value: ({ now }) => now ?? '', cell: ({ now }) => <Answer intent={now} /> },
];
