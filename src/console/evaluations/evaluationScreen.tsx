import { lazy, Suspense } from 'react';
import type { Evaluation } from '../../client/index.js';
import { useEvaluation } from '../api/queries.js';
import { count, dateAndTime, percent } from '../format.js';
import { Link } from '../parts/link.js';
import { Loaded, Loading } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { go, hrefOf } from '../routes.js';
import { Comparison } from './comparison.js';
import { DeleteEvaluation } from './deleteEvaluation.js';
import { Headline } from './headline.js';
import { IntentTable } from './intentTable.js';
import { subjectOf, titleOf } from './kinds.js';
import { WrongRows } from './wrongRows.js';

const ReliabilityChart = lazy(() => import('./reliabilityChart.js'));
const ThresholdPanel = lazy(() => import('./thresholdPanel.js'));

/** One evaluation: while it runs how far it is, then what it found. */
export default function EvaluationScreen({ bot, id }: { readonly bot: string; readonly id: string }) {
  const evaluation = useEvaluation(bot, Number(id));
  const back = hrefOf({ screen: 'evaluations', bot });
  return (
    <Page
      title={evaluation.data ? titleOf(evaluation.data) : `Evaluation ${id}`}
      back={<Link to={back}>Evaluations</Link>}
      lead={evaluation.data && leadOf(evaluation.data)}
      actions={evaluation.data && <DeleteEvaluation bot={bot} evaluation={evaluation.data} />}
    >
      <Loaded query={evaluation} what="Loading the evaluation">
        {(data) =>
          data.measures === null ? <Unfinished evaluation={data} /> : <Measures bot={bot} evaluation={data} />
        }
      </Loaded>
    </Page>
  );
}

function leadOf(evaluation: Evaluation): string {
  const { threshold, created_at: time } = evaluation;
  return `Of ${subjectOf(evaluation)} · threshold ${percent(threshold)} · ${dateAndTime(time)}`;
}

function Unfinished({ evaluation: { status, progress, error } }: { readonly evaluation: Evaluation }) {
  if (status === 'failed') {
    return (
      <div className="note error" role="alert">
        It failed: {error}
      </div>
    );
  }
  if (status === 'queued') return <p role="status">It waits for its turn.</p>;
  if (status !== 'running') return <p className="muted">It was cancelled before it had judged all texts.</p>;
  return (
    <div className="progress" role="status">
      <progress aria-label="Texts judged" max={Math.max(1, progress.total)} value={progress.done} />
      <p className="muted number">
        {count(progress.done)} of {count(progress.total)} texts judged
      </p>
    </div>
  );
}

function Measures({ bot, evaluation }: { readonly bot: string; readonly evaluation: Evaluation }) {
  const { measures, rows } = evaluation;
  if (measures === null) return null;
  return (
    <>
      <Headline measures={measures} />
      <div className="columns even">
        <Section title="What other thresholds would give">
          <Suspense fallback={<Loading />}>
            <ThresholdPanel bot={bot} points={measures.thresholds} present={evaluation.threshold} />
          </Suspense>
        </Section>
        <Section title="Does confidence mean something?">
          <Suspense fallback={<Loading />}>
            <ReliabilityChart reliability={measures.reliability} />
          </Suspense>
        </Section>
      </div>
      <Comparison
        bot={bot}
        evaluation={evaluation}
        onOpen={(other) => {
          go(hrefOf({ screen: 'evaluations', bot, item: String(other) }));
        }}
      />
      <Section title="Intents">
        <IntentTable bot={bot} intents={measures.intents} />
      </Section>
      <WrongRows bot={bot} rows={rows} />
    </>
  );
}
