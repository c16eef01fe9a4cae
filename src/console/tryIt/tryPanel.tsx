import { useState } from 'react';
import { Button } from '../parts/button.js';
import { Dialog } from '../parts/dialog.js';
import { TryIt } from './tryIt.js';

/** The box to try a text in, beside any screen; where there is no room, over it. */
export function TryPanel({
  bot,
  asDialog,
  onClose,
}: {
  readonly bot: string;
  readonly asDialog: boolean;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const content = (
    <TryIt
      bot={bot}
      text={text}
      onText={setText}
      textId="try-panel-text"
      empty={<p className="muted small">It is classified as you type, by the bot as it is at that moment.</p>}
    />
  );
  if (asDialog) {
    return (
      <Dialog title="Try a text" side="right" onClose={onClose}>
        {content}
      </Dialog>
    );
  }
  return (
    <aside
      className="try-panel"
      aria-label="Try a text"
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
      ref={focusText}
    >
      <header className="dialog-header">
        <h2>Try a text</h2>
        <Button look="quiet" icon="close" aria-label="Close" onClick={onClose} />
      </header>
      {content}
    </aside>
  );
}

function focusText(panel: HTMLElement | null): void {
  panel?.querySelector('textarea')?.focus();
}
