import { useMemo } from 'react';
import type { IntentMeasures } from '../../client/index.js';
import { count, percentOrNone } from '../format.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** Which intents do badly, and what they are taken for. */
export function IntentTable({
  bot,
  intents,
}: {
  readonly bot: string;
  readonly intents: readonly IntentMeasures[];
}) {
  const columns = useMemo(() => columnsOf(bot), [bot]);
  return (
    <DataTable
      caption="Measures by intent"
      columns={columns}
      rows={intents}
      rowKey={({ intent }) => intent}
      sortedBy={{ id: 'f1', desc: false }}
    />
  );
}

function columnsOf(bot: string): Column<IntentMeasures>[] {
  const measure = (
    id: 'recall' | 'precision' | 'f1',
    header: string,
    wideOnly?: true,
  ): Column<IntentMeasures> => ({
    id,
    header,
    align: 'end',
    ...(wideOnly && { wideOnly }),
    value: (row) => row[id] ?? 2,
    cell: (row) => percentOrNone(row[id]),
  });
  return [
    {
      id: 'intent',
      header: 'Intent',
      isHeader: true,
      value: ({ intent }) => intent,
      cell: ({ intent }) => (
        <Link to={hrefOf({ screen: 'intents', bot, item: intent })} className="wrap">
          {intent}
        </Link>
      ),
    },
    {
      id: 'texts',
      header: 'Texts',
      align: 'end',
      value: ({ texts }) => texts,
      cell: ({ texts }) => count(texts),
    },
    measure('recall', 'Found', true),
    measure('precision', 'Precise', true),
    measure('f1', 'F1'),
    {
      id: 'confused',
      header: 'Taken for',
      cell: ({ confused_with: confused }) =>
        confused.length === 0 ? (
          <span className="muted">–</span>
        ) : (
          <span className="wrap">
            {confused.map(({ intent, texts }) => `${intent ?? 'out of scope'} (${texts})`).join(', ')}
          </span>
        ),
    },
  ];
}
