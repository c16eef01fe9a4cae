import { useState } from 'react';
import type { VersionSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useVersionChanges, useVersions, useWrite } from '../api/queries.js';
import { counted, dateAndTime } from '../format.js';
import { WriteButton } from '../parts/button.js';
import { ChangeTable } from '../parts/changeTable.js';
import { ConfirmDialog } from '../parts/confirmDialog.js';
import { Select } from '../parts/field.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { go, hrefOf } from '../routes.js';
import { toast } from '../state/toasts.js';
import { RestoreDialog } from './restoreDialog.js';

/** One version: what it holds, and what is different since. */
export function VersionScreen({ bot, version }: { readonly bot: string; readonly version: string }) {
  const versions = useVersions(bot);
  const [to, setTo] = useState('');
  const changes = useVersionChanges(bot, version, to === '' ? undefined : to);
  const [open, setOpen] = useState<'restore' | 'delete'>();
  const close = () => {
    setOpen(undefined);
  };
  const list = `${hrefOf({ screen: 'versions', bot })}`;
  const remove = useWrite(bot, () => kshot().versions.delete(bot, version), {
    showsError: true,
    onDone: () => {
      toast(`Version ${version} is deleted`);
      go(list, { replace: true });
    },
  });
  const summary = versions.data?.find(({ name }) => name === version);
  return (
    <Page
      title={version}
      back={<Link to={list}>Versions</Link>}
      lead={summary && leadOf(summary)}
      actions={
        <>
          <WriteButton
            look="primary"
            icon="undo"
            onClick={() => {
              setOpen('restore');
            }}
          >
            Restore
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
      <Section
        title="What is different"
        aside={
          <Select label="Compared with" hidesLabel value={to} onChange={setTo}>
            <option value="">in the bot as it is now</option>
            {versions.data
              ?.filter(({ name }) => name !== version)
              .map(({ name }) => (
                <option key={name} value={name}>
                  in {name}
                </option>
              ))}
          </Select>
        }
      >
        <Loaded query={changes} what="Comparing">
          {(data) => <ChangeTable {...data} />}
        </Loaded>
      </Section>
      {open === 'restore' && <RestoreDialog bot={bot} version={version} onClose={close} />}
      {open === 'delete' && (
        <ConfirmDialog
          title={`Delete ${version}?`}
          action="Delete the version"
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => {
            remove.mutate();
          }}
          onClose={close}
        >
          <p>The bot stays as it is; what it was in {version} cannot be brought back.</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function leadOf({ note, created_at: time, intents, examples, revision, head }: VersionSummary): string {
  const words = note === null ? '' : `${note} · `;
  return `${words}${dateAndTime(time)} · revision ${revision} · ${counted(intents, 'intent')}, ${counted(examples, 'example')} · head ${head}`;
}
