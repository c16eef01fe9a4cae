import { type FormEvent, type ReactNode, useEffect, useId, useRef } from 'react';
import { Button } from './button.js';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** How it stands: in the middle, or as a drawer at a side. */
  readonly side?: 'middle' | 'left' | 'right';
}

/** A modal dialog of the browser's own: it keeps the focus, Escape closes it, and focus goes back where it was. */
export function Dialog({ title, onClose, children, side = 'middle' }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    if (dialog !== null && !dialog.open) dialog.showModal();
    dialog?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // The click is on the backdrop; the keyboard has Escape, which the browser sends as `cancel`.
    <dialog
      ref={element}
      className={`dialog ${side}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="dialog-content">
        <header className="dialog-header">
          <h2 id={heading}>{title}</h2>
          <Button look="quiet" icon="close" aria-label="Close" onClick={onClose} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A dialog that is a form; its buttons are at its end. */
export function FormDialog({
  onSubmit,
  children,
  actions,
  ...dialog
}: DialogProps & { readonly onSubmit: () => void; readonly actions: ReactNode }) {
  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit();
  }
  return (
    <Dialog {...dialog}>
      <form className="form" onSubmit={submit}>
        {children}
        <footer className="dialog-actions">
          <Button onClick={dialog.onClose}>Cancel</Button>
          {actions}
        </footer>
      </form>
    </Dialog>
  );
}
