import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../parts/button.js';
import { Dialog } from '../parts/dialog.js';
import { TextField } from '../parts/field.js';
import { keyWanted, takeKey } from '../state/session.js';
import { useStore } from '../state/store.js';

/** Asks for the API key while the server wants one. */
export function KeyDialog() {
  const reason = useStore(keyWanted);
  const client = useQueryClient();
  const [key, setKey] = useState('');
  if (reason === undefined) return null;
  return (
    <Dialog
      title="API key"
      onClose={() => {
        keyWanted.set(undefined);
      }}
    >
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          takeKey(key.trim());
          setKey('');
          void client.resetQueries();
        }}
      >
        <p>{reason}</p>
        <TextField
          label="Key"
          type="password"
          autoComplete="off"
          hint="Kept in this tab until you close it, or forget it in the menu. It is sent in a header, never in an address."
          value={key}
          onChange={setKey}
          data-autofocus
        />
        <footer className="dialog-actions">
          <Button look="primary" type="submit" disabled={key.trim() === ''}>
            Use this key
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
