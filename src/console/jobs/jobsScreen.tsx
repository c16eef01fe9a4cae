import type { JobSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useJobs, useServerWrite } from '../api/queries.js';
import { ago, count, dateAndTime } from '../format.js';
import { type Column, DataTable } from '../parts/dataTable.js';
import { Empty } from '../parts/empty.js';
import { EndButton } from '../parts/endButton.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { ProblemNote } from '../parts/problem.js';
import { StatusBadge } from '../parts/statusBadge.js';
import { hrefOf } from '../routes.js';
import { toast } from '../state/toasts.js';

/** What is done in the background, by whichever process takes it. */
export function JobsScreen() {
  const jobs = useJobs();
  return (
    <Page
      title="Jobs"
      lead="Evaluations, trainings and re-embeddings, which wait for their turn. The newest 500 that are over are kept."
    >
      <Loaded query={jobs} what="Loading the jobs">
        {(list) =>
          list.length === 0 ? (
            <Empty icon="evaluations" title="No jobs yet">
              An evaluation of a bot is one, and what is begun with <code>kshot jobs start</code>.
            </Empty>
          ) : (
            <DataTable
              caption="Jobs"
              columns={COLUMNS}
              rows={list}
              rowKey={({ id }) => String(id)}
              sortedBy={{ id: 'begun', desc: true }}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

const COLUMNS: Column<JobSummary>[] = [
  {
    id: 'kind',
    header: 'Job',
    isHeader: true,
    value: ({ kind }) => kind,
    cell: ({ id, kind, error }) => (
      <>
        <span className="strong">{kind}</span> <span className="muted small">{id}</span>
        {error !== null && <div className="muted small row-note">{error}</div>}
      </>
    ),
  },
  {
    id: 'bot',
    header: 'Bot',
    value: ({ bot }) => bot ?? '',
    cell: ({ bot }) => bot !== null && <Link to={hrefOf({ screen: 'evaluations', bot })}>{bot}</Link>,
  },
  { id: 'status', header: 'Status', value: ({ status }) => status, cell: (job) => <StatusBadge of={job} /> },
  {
    id: 'done',
    header: 'Done',
    align: 'end',
    wideOnly: true,
    value: ({ progress }) => progress.done,
    cell: ({ progress: { done, total } }) => (total === null ? '' : `${count(done)} of ${count(total)}`),
  },
  {
    id: 'begun',
    header: 'Asked for',
    wideOnly: true,
    value: ({ created_at: time }) => time,
    cell: ({ created_at: time }) => (
      <time dateTime={time} title={dateAndTime(time)}>
        {ago(time)}
      </time>
    ),
  },
  { id: 'actions', header: 'Actions', align: 'end', cell: (job) => <DeleteJob job={job} /> },
];

/** Cancels a job that waits or runs; removes one that is over. */
function DeleteJob({ job: { id, kind, status } }: { readonly job: JobSummary }) {
  const remove = useServerWrite(
    'jobs',
    () => kshot().jobs.delete(id),
    (outcome) => {
      toast(`Job ${id} is ${outcome}`);
    },
  );
  return (
    <>
      <EndButton
        status={status}
        removing="Remove"
        what={`job ${id}, ${kind}`}
        busy={remove.isPending}
        onClick={() => {
          remove.mutate();
        }}
      />
      <ProblemNote error={remove.error} />
    </>
  );
}
