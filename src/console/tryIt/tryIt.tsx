import { type ReactNode, useState } from 'react';
import { useClassification } from '../api/queries.js';
import type { ClassifyResult } from '../../client/index.js';
import { percent } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { TextArea } from '../parts/field.js';
import { IntentPicker } from '../parts/intentPicker.js';
import { ProblemNote } from '../parts/problem.js';
import { VersionPicker } from '../parts/versionPicker.js';
import { ChangeNote } from './changeNote.js';
import { useDebounced } from './debounced.js';
import { Evidence } from './evidence.js';
import { Ranking } from './ranking.js';
import { useResultChange } from './resultChange.js';
import { useTeach } from './teach.js';
import { Verdict } from './verdict.js';
import { Why } from './why.js';

/** Long enough not to ask at every letter, short enough to feel live. */
const PAUSE_MS = 150;

/** A box that classifies as one types, says why, and learns. */
export function TryIt({
  bot,
  text,
  onText,
  textId,
  empty,
}: {
  readonly bot: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly textId: string;
  /** What stands where no text is. */
  readonly empty: ReactNode;
}) {
  const [version, setVersion] = useState<string>();
  const asked = useDebounced(text.trim(), PAUSE_MS);
  const { data, error, isPlaceholderData, refetch } = useClassification(bot, asked, version);
  const result = asked === '' ? undefined : data;
  const isCurrent = result !== undefined && !isPlaceholderData && asked === text.trim();
  const change = useResultChange(isPlaceholderData ? undefined : result, version);
  const teach = useTeach(bot);
  const mayTeach = isCurrent && version === undefined && !teach.isPending;

  return (
    <div className="try">
      <div className="try-ask">
        <TextArea
          id={textId}
          label="Text"
          rows={2}
          placeholder="Type what a person might say"
          value={text}
          onChange={onText}
          data-autofocus
        />
        <VersionPicker label="Answered by" bot={bot} value={version} onChange={setVersion} />
      </div>
      <p className="visually-hidden" role="status">
        {isCurrent && announcement(result)}
      </p>
      <ProblemNote error={error} onRetry={() => void refetch()} />
      {result === undefined && error === null && empty}
      {result !== undefined && (
        <div className={`try-result${isCurrent ? '' : ' stale'}`} aria-busy={!isCurrent}>
          <div className="try-main">
            <Verdict bot={bot} result={result} />
            <ChangeNote change={isCurrent ? change : undefined} />
            <h3>Ranking</h3>
            <Ranking
              bot={bot}
              result={result}
              onTeach={
                mayTeach
                  ? (intent) => {
                      teach.mutate({ text: asked, intent });
                    }
                  : undefined
              }
            />
            {version === undefined && (
              <div className="correct">
                <h3>Was this wrong?</h3>
                <div className="correct-row">
                  <IntentPicker
                    bot={bot}
                    label="Make it an example of…"
                    onPick={(intent) => {
                      teach.mutate({ text: asked, intent });
                    }}
                  />
                  <WriteButton
                    icon="outside"
                    busy={teach.isPending}
                    title="Make this text a counter-example"
                    onClick={() => {
                      teach.mutate({ text: asked, intent: null });
                    }}
                  >
                    Out of scope
                  </WriteButton>
                </div>
              </div>
            )}
          </div>
          <div className="try-reasons">
            <h3>Why</h3>
            <Why result={result} />
            <h3>Nearest examples</h3>
            <Evidence bot={bot} result={result} />
          </div>
        </div>
      )}
    </div>
  );
}

function announcement({ intent, confidence, in_scope: inScope }: ClassifyResult): string {
  return intent === null
    ? `Out of scope, in scope with ${percent(inScope)}`
    : `${intent}, confidence ${percent(confidence)}`;
}
