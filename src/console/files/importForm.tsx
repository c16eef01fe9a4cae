import { useState } from 'react';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { counted } from '../format.js';
import { Button, LinkButton, WriteButton } from '../parts/button.js';
import { ChangeTable } from '../parts/changeTable.js';
import { Checkbox } from '../parts/field.js';
import { Loading } from '../parts/loaded.js';
import { Section } from '../parts/page.js';
import { ProblemNote } from '../parts/problem.js';
import { hrefOf } from '../routes.js';
import { DropZone } from './dropZone.js';
import { usePreview } from './preview.js';

/** Takes a file, shows what it would change, and does it. */
export function ImportForm({ bot }: { readonly bot: string }) {
  const [file, setFile] = useState<File>();
  const [prune, setPrune] = useState(false);
  const preview = usePreview(bot, file, prune);
  const apply = useWrite(bot, (given: File) => kshot().import(bot, given, { prune }), {
    showsError: true,
    onDone: () => {
      setFile(undefined);
    },
  });
  const nothing = preview.data && changesNothing(preview.data.totals);
  return (
    <Section title="Import">
      {file === undefined ? (
        <>
          {apply.data && (
            <div className="note good" role="status">
              <div>
                <p>
                  Imported: {counted(apply.data.totals.intents.added, 'intent')} added,{' '}
                  {apply.data.totals.intents.changed} changed, {apply.data.totals.intents.removed} removed.
                  The next request is answered by them.
                </p>
                <p className="finding-links">
                  <LinkButton small to={hrefOf({ screen: 'intents', bot })}>
                    See the intents
                  </LinkButton>
                  <LinkButton small to={hrefOf({ screen: 'checks', bot })}>
                    See the checks
                  </LinkButton>
                </p>
              </div>
            </div>
          )}
          <DropZone
            label="Drop a file here, or choose one"
            hint="CSV, JSON lines, kshot, Rasa NLU, Dialogflow ES or CX (ZIP), Azure CLU, Watson, semantic-router. The content tells the format; you see what it changes before it does."
            onFile={(given) => {
              apply.reset();
              setFile(given);
            }}
          />
        </>
      ) : (
        <>
          <div className="file-line">
            <strong className="wrap">{file.name}</strong>
            {preview.data && (
              <span className="muted">
                read as {preview.data.format}
                {preview.data.language !== null && `, ${preview.data.language}`}
              </span>
            )}
          </div>
          <Checkbox
            label="Remove what the file does not have"
            hint="Otherwise intents that the file does not name stay as they are."
            checked={prune}
            onChange={setPrune}
          />
          {preview.isFetching && <Loading what="Reading the file" />}
          <ProblemNote error={preview.error ?? apply.error} />
          {preview.data && (
            <>
              {preview.data.notes.length > 0 && (
                <ul className="bullets muted">
                  {preview.data.notes.map((note) => (
                    <li key={note}>{note}</li>
                  ))}
                </ul>
              )}
              <ChangeTable {...preview.data} />
            </>
          )}
          <div className="button-row">
            <WriteButton
              look="primary"
              busy={apply.isPending}
              disabled={preview.data === undefined || nothing === true}
              onClick={() => {
                apply.mutate(file);
              }}
            >
              {nothing ? 'Nothing to import' : 'Apply'}
            </WriteButton>
            <Button
              onClick={() => {
                apply.reset();
                setFile(undefined);
              }}
            >
              Choose another file
            </Button>
          </div>
        </>
      )}
    </Section>
  );
}

function changesNothing({
  intents,
  counterexamples,
}: {
  readonly intents: { readonly added: number; readonly changed: number; readonly removed: number };
  readonly counterexamples: { readonly added: number; readonly removed: number };
}): boolean {
  return (
    intents.added + intents.changed + intents.removed + counterexamples.added + counterexamples.removed === 0
  );
}
