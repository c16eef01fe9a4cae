import { useMemo } from 'react';
import type { MapPoint } from '../../client/index.js';
import { counted } from '../format.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** The same texts as a table, for whoever does not see the map. */
export function PointTable({ bot, points }: { readonly bot: string; readonly points: readonly MapPoint[] }) {
  const columns = useMemo(() => columnsOf(bot), [bot]);
  return (
    <details className="figures">
      <summary>The same as a table ({counted(points.length, 'text')})</summary>
      <DataTable
        caption="Texts on the map"
        columns={columns}
        rows={points}
        rowKey={({ id }) => String(id)}
        sortedBy={{ id: 'outlier', desc: false }}
        pageSize={50}
      />
    </details>
  );
}

function columnsOf(bot: string): Column<MapPoint>[] {
  return [
    {
      id: 'text',
      header: 'Text',
      isHeader: true,
      value: ({ text }) => text,
      cell: ({ text }) => <span className="wrap">{text}</span>,
    },
    {
      id: 'intent',
      header: 'Intent',
      value: ({ intent }) => intent ?? '',
      cell: ({ intent, id }) =>
        intent === null ? (
          <Link to={`${hrefOf({ screen: 'counterexamples', bot })}#example-${id}`}>counter-example</Link>
        ) : (
          <Link to={`${hrefOf({ screen: 'intents', bot, item: intent })}#example-${id}`}>{intent}</Link>
        ),
    },
    {
      id: 'outlier',
      header: 'Outlier',
      value: ({ outlier }) => (outlier ? 0 : 1),
      cell: ({ outlier }) => (outlier ? <span className="badge warning">outlier</span> : 'no'),
    },
  ];
}
