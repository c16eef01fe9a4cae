import { useMemo } from 'react';
import type { EvaluationSummary } from '../../client/index.js';
import { useEvaluations } from '../api/queries.js';
import { ago, count, dateAndTime, percentOrNone } from '../format.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { StatusBadge } from '../parts/statusBadge.js';
import { hrefOf } from '../routes.js';
import { DeleteEvaluation } from './deleteEvaluation.js';
import { NewEvaluation } from './newEvaluation.js';
import { subjectOf, titleOf } from './kinds.js';

/** How well a bot does, and did. */
export default function EvaluationsScreen({ bot }: { readonly bot: string }) {
  const evaluations = useEvaluations(bot);
  const columns = useMemo(() => columnsOf(bot), [bot]);
  return (
    <Page
      title="Evaluations"
      lead="A cross-validation judges every example by a bot that was not shown it; a test set is a file of labelled texts of your own."
    >
      <NewEvaluation bot={bot} />
      <Section title="Kept">
        <Loaded query={evaluations} what="Loading the evaluations">
          {(list) =>
            list.length === 0 ? (
              <Empty icon="evaluations" title="None yet">
                Run a cross-validation before and after a change: the comparison says which texts it fixed,
                and which it broke.
              </Empty>
            ) : (
              <DataTable
                caption="Evaluations"
                columns={columns}
                rows={list}
                rowKey={({ id }) => String(id)}
                sortedBy={{ id: 'begun', desc: true }}
              />
            )
          }
        </Loaded>
      </Section>
    </Page>
  );
}

function columnsOf(bot: string): Column<EvaluationSummary>[] {
  return [
    {
      id: 'name',
      header: 'Evaluation',
      isHeader: true,
      value: titleOf,
      cell: (evaluation) => (
        <>
          <Link
            to={hrefOf({ screen: 'evaluations', bot, item: String(evaluation.id) })}
            className="strong wrap"
          >
            {titleOf(evaluation)}
          </Link>
          <div className="muted small row-note">{subjectOf(evaluation)}</div>
        </>
      ),
    },
    { id: 'status', header: 'Status', cell: (evaluation) => <StatusBadge of={evaluation} /> },
    {
      id: 'accuracy',
      header: 'Accuracy',
      align: 'end',
      value: ({ headline }) => headline?.accuracy ?? -1,
      cell: ({ headline }) => percentOrNone(headline?.accuracy ?? null, 1),
    },
    {
      id: 'texts',
      header: 'Texts',
      align: 'end',
      wideOnly: true,
      value: ({ progress }) => progress.total,
      cell: ({ progress }) => count(progress.total),
    },
    {
      id: 'oos',
      header: 'Out of scope found',
      align: 'end',
      wideOnly: true,
      value: ({ headline }) => headline?.out_of_scope_recall ?? -1,
      cell: ({ headline }) => percentOrNone(headline?.out_of_scope_recall ?? null),
    },
    {
      id: 'begun',
      header: 'Begun',
      wideOnly: true,
      value: ({ id }) => id,
      cell: ({ created_at: time }) => (
        <time dateTime={time} title={dateAndTime(time)}>
          {ago(time)}
        </time>
      ),
    },
    {
      id: 'actions',
      header: 'Actions',
      align: 'end',
      cell: (evaluation) => <DeleteEvaluation bot={bot} evaluation={evaluation} />,
    },
  ];
}
