import { useState } from 'react';
import type { KeyRequest, NewKey } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useBots, useKeys, useServerWrite } from '../api/queries.js';
import { Button, WriteButton } from '../parts/button.js';
import { Dialog, FormDialog } from '../parts/dialog.js';
import { Checkbox, Select, TextField } from '../parts/field.js';
import { ProblemNote } from '../parts/problem.js';
import { apiKey, takeKey } from '../state/session.js';
import { toast } from '../state/toasts.js';

/** Asks what a key is to be, makes it, and shows its secret, which is told this once. */
export function NewKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const { data: bots = [] } = useBots();
  const { data: keys = [] } = useKeys();
  // Of an open server the first key has to be one that manages keys; the tab goes on with it.
  const isFirst = apiKey.get() === undefined && keys.every(({ revoked_at: revoked }) => revoked !== null);
  const [name, setName] = useState('');
  const [access, setAccess] = useState<KeyRequest['access']>(isFirst ? 'write' : 'read');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [rate, setRate] = useState('');
  const [result, setResult] = useState<{ readonly made: NewKey; readonly isUsedHere: boolean }>();
  const create = useServerWrite(
    'keys',
    () =>
      kshot().keys.create({
        name: name.trim(),
        access,
        bots: chosen.length === 0 ? null : chosen,
        rate: rate.trim() === '' ? null : Number(rate),
      }),
    (made) => {
      if (isFirst) takeKey(made.secret);
      setResult({ made, isUsedHere: isFirst });
    },
  );
  if (result !== undefined) return <Secret {...result} onClose={onClose} />;
  return (
    <FormDialog
      title={isFirst ? 'First API key' : 'New API key'}
      onClose={onClose}
      onSubmit={() => {
        if (name.trim() !== '') create.mutate();
      }}
      actions={
        <WriteButton look="primary" type="submit" busy={create.isPending} disabled={name.trim() === ''}>
          Create
        </WriteButton>
      }
    >
      {isFirst && (
        <p>
          From its answer on every request needs a key. This one writes to all bots and manages keys; this tab
          goes on with it.
        </p>
      )}
      <TextField
        label="What it is for"
        hint="The support chat, say"
        value={name}
        onChange={setName}
        autoComplete="off"
        data-autofocus
      />
      {!isFirst && (
        <>
          <Select
            label="It may"
            value={access}
            onChange={(to) => {
              setAccess(to === 'write' ? 'write' : 'read');
            }}
          >
            <option value="read">read and classify</option>
            <option value="write">write, too</option>
          </Select>
          <fieldset className="bare">
            <legend className="label">Bots</legend>
            {bots.map(({ name: bot }) => (
              <Checkbox
                key={bot}
                label={bot}
                checked={chosen.includes(bot)}
                onChange={(isChosen) => {
                  setChosen(isChosen ? [...chosen, bot] : chosen.filter((other) => other !== bot));
                }}
              />
            ))}
            <p className="hint">
              None chosen: all bots, those to come too.{' '}
              {access === 'write' && chosen.length === 0 && 'Such a key manages keys.'}
            </p>
          </fieldset>
          <TextField
            label="Requests a second"
            hint="Empty: as many as come"
            type="number"
            min="0"
            step="any"
            value={rate}
            onChange={setRate}
          />
        </>
      )}
      <ProblemNote error={create.error} />
    </FormDialog>
  );
}

function Secret({
  made,
  isUsedHere,
  onClose,
}: {
  readonly made: NewKey;
  readonly isUsedHere: boolean;
  readonly onClose: () => void;
}) {
  const [isCopied, setIsCopied] = useState(false);
  return (
    <Dialog title={`The key ${made.name}`} onClose={onClose}>
      <div className="form">
        <p>
          Keep it now: it is told this once, and kept nowhere.
          {isUsedHere && ' This tab uses it until you close it.'}
        </p>
        <p>
          <code className="secret">{made.secret}</code>
        </p>
        {made.notice !== null && <p className="muted small">{made.notice}</p>}
        <footer className="dialog-actions">
          {/* A browser copies for pages that came encrypted, or from this machine. */}
          {window.isSecureContext && (
            <Button
              onClick={() => {
                navigator.clipboard.writeText(made.secret).then(
                  () => {
                    setIsCopied(true);
                  },
                  () => {
                    toast('The browser does not allow it: select the key and copy it', { tone: 'failed' });
                  },
                );
              }}
            >
              {isCopied ? 'Copied' : 'Copy'}
            </Button>
          )}
          <Button look="primary" onClick={onClose} data-autofocus>
            Done
          </Button>
        </footer>
      </div>
    </Dialog>
  );
}
