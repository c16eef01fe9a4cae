import { useState } from 'react';
import type { EvaluationSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { DropZone } from '../files/dropZone.js';
import { WriteButton } from '../parts/button.js';
import { Select, TextField } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { VersionPicker } from '../parts/versionPicker.js';
import { go, hrefOf } from '../routes.js';

const FOLDS = [2, 3, 4, 5, 6, 7, 8, 9, 10];
const USUAL_FOLDS = 5;

/** Begins an evaluation, and leads to it. */
export function NewEvaluation({ bot }: { readonly bot: string }) {
  const [folds, setFolds] = useState(String(USUAL_FOLDS));
  const [name, setName] = useState('');
  const [version, setVersion] = useState<string>();
  const follow = ({ id }: EvaluationSummary) => {
    go(hrefOf({ screen: 'evaluations', bot, item: String(id) }));
  };
  const called = name.trim() === '' ? undefined : name.trim();
  const crossValidate = useWrite(
    bot,
    () => kshot().evaluations.crossValidate(bot, { folds: Number(folds), name: called, version }),
    {
      showsError: true,
      onDone: follow,
    },
  );
  const testSet = useWrite(
    bot,
    (file: File) => kshot().evaluations.testSet(bot, file, { name: called ?? file.name, version }),
    {
      showsError: true,
      onDone: follow,
    },
  );
  return (
    <section className="new-evaluation" aria-label="New evaluation">
      <VersionPicker bot={bot} label="What is judged" value={version} onChange={setVersion} />
      <form
        className="panel form"
        onSubmit={(event) => {
          event.preventDefault();
          crossValidate.mutate();
        }}
      >
        <h2>Cross-validation</h2>
        <p className="muted">On the bot’s own examples; needs nothing but them.</p>
        <div className="inline-form">
          <TextField label="Name (optional)" value={name} onChange={setName} />
          <Select label="Folds" value={folds} onChange={setFolds}>
            {FOLDS.map((n) => (
              <option key={n}>{n}</option>
            ))}
          </Select>
          <WriteButton look="primary" type="submit" busy={crossValidate.isPending}>
            Run
          </WriteButton>
        </div>
        <ProblemNote error={crossValidate.error} />
      </form>
      <div className="panel form">
        <h2>Test set</h2>
        <DropZone
          label="Drop a file of labelled texts, or choose one"
          hint="Any format that is imported. Its counter-examples are out of scope."
          disabled={testSet.isPending}
          onFile={(file) => {
            testSet.mutate(file);
          }}
        />
        <ProblemNote error={testSet.error} />
      </div>
    </section>
  );
}
