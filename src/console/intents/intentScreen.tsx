import { useMemo, useState } from 'react';
import { useChecks, useIntent } from '../api/queries.js';
import { FindingCard } from '../checks/findingCard.js';
import { WriteButton } from '../parts/button.js';
import { Empty } from '../parts/empty.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { go, hrefOf } from '../routes.js';
import { DeleteIntentDialog } from './deleteIntentDialog.js';
import { Description } from './description.js';
import { ExamplesEditor } from './examplesEditor.js';
import { healthByIntent, saysAll } from './health.js';
import { RenameIntentDialog } from './renameIntentDialog.js';

/** One intent: its examples, what it means, and what is the matter with it. */
export function IntentScreen({ bot, intent: name }: { readonly bot: string; readonly intent: string }) {
  const intent = useIntent(bot, name);
  const { data: checks } = useChecks(bot);
  const findings = useMemo(() => healthByIntent(checks).get(name)?.findings ?? [], [checks, name]);
  const [open, setOpen] = useState<'rename' | 'delete'>();
  const close = () => {
    setOpen(undefined);
  };
  return (
    <Page
      title={name}
      back={<Link to={hrefOf({ screen: 'intents', bot })}>Intents</Link>}
      lead={intent.data && <Description bot={bot} intent={intent.data} />}
      actions={
        <>
          <WriteButton
            icon="pencil"
            onClick={() => {
              setOpen('rename');
            }}
          >
            Rename
          </WriteButton>
          <WriteButton
            icon="trash"
            onClick={() => {
              setOpen('delete');
            }}
          >
            Delete
          </WriteButton>
        </>
      }
    >
      <Loaded query={intent} what={`Loading ${name}`}>
        {({ examples }) => (
          <div className="columns">
            <div>
              <ExamplesEditor place={{ bot, intent: name }} examples={examples} findings={findings} />
              {examples.length === 0 && (
                <Empty icon="intents" title="No examples yet">
                  Write what people say when they mean this, each in words of its own. Five are a good start.
                </Empty>
              )}
            </div>
            <Section title="Findings">
              {findings.length === 0 ? (
                <p className="muted">
                  {saysAll(checks) ? 'Nothing is the matter with this intent.' : 'None is listed yet.'}
                </p>
              ) : (
                <ul className="findings">
                  {findings.map((finding, i) => (
                    <li key={i}>
                      <FindingCard bot={bot} finding={finding} />
                    </li>
                  ))}
                </ul>
              )}
            </Section>
          </div>
        )}
      </Loaded>
      {open === 'rename' && (
        <RenameIntentDialog
          bot={bot}
          intent={name}
          onClose={close}
          onRenamed={(now) => {
            go(hrefOf({ screen: 'intents', bot, item: now }), { replace: true });
          }}
        />
      )}
      {open === 'delete' && (
        <DeleteIntentDialog
          bot={bot}
          intent={name}
          onClose={close}
          onDeleted={() => {
            go(hrefOf({ screen: 'intents', bot }), { replace: true });
          }}
        />
      )}
    </Page>
  );
}
