import { useMemo } from 'react';
import type { EvaluationRow } from '../../client/index.js';
import { counted, percent } from '../format.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Link } from '../parts/link.js';
import { Section } from '../parts/page.js';
import { hrefOf } from '../routes.js';

/** The texts that were answered wrongly, the surest mistakes first. */
export function WrongRows({ bot, rows }: { readonly bot: string; readonly rows: readonly EvaluationRow[] }) {
  const wrong = useMemo(
    () => rows.filter(({ correct }) => !correct).map((row, i) => ({ ...row, key: String(i) })),
    [rows],
  );
  const columns = useMemo(() => columnsOf(bot), [bot]);
  return (
    <Section title={counted(wrong.length, 'wrong answer')}>
      {wrong.length === 0 ? (
        <p className="muted">Every text was answered rightly.</p>
      ) : (
        <DataTable
          caption="Wrong answers"
          columns={columns}
          rows={wrong}
          rowKey={({ key }) => key}
          sortedBy={{ id: 'confidence', desc: true }}
          pageSize={25}
        />
      )}
    </Section>
  );
}

function columnsOf(bot: string): Column<EvaluationRow & { readonly key: string }>[] {
  return [
    {
      id: 'text',
      header: 'Text',
      isHeader: true,
      value: ({ text }) => text,
      cell: ({ text }) => (
        <Link to={`${hrefOf({ screen: 'try', bot })}?text=${encodeURIComponent(text)}`} className="wrap">
          {text}
        </Link>
      ),
    },
    {
      id: 'expected',
      header: 'Expected',
      value: ({ expected }) => expected ?? '',
      cell: ({ expected }) => <Answer intent={expected} />,
    },
    {
      id: 'answered',
      header: 'Answered',
      value: ({ answered }) => answered ?? '',
      cell: ({ answered }) => <Answer intent={answered} />,
    },
    {
      id: 'confidence',
      header: 'Confidence',
      align: 'end',
      wideOnly: true,
      value: ({ confidence }) => confidence,
      cell: ({ confidence }) => percent(confidence),
    },
    {
      id: 'inScope',
      header: 'In scope',
      align: 'end',
      wideOnly: true,
      value: ({ in_scope: inScope }) => inScope,
      cell: ({ in_scope: inScope }) => percent(inScope),
    },
  ];
}

export function Answer({ intent }: { readonly intent: string | null }) {
  return intent === null ? (
    <span className="muted">out of scope</span>
  ) : (
    <span className="wrap">{intent}</span>
  );
}
