import { useShortcuts } from '../state/shortcuts.js';
import { useStore } from '../state/store.js';
import { dismiss, type Toast, toasts } from '../state/toasts.js';
import { Button } from './button.js';
import { Icon } from './icons.js';

/** Says what has just happened, to the eye and to screen readers; `z` undoes the latest of what can be undone. */
export function Toaster() {
  const shown = useStore(toasts);
  const undoable = shown.findLast(({ undo }) => undo !== undefined);
  useShortcuts({
    z:
      undoable &&
      (() => {
        takeBack(undoable);
      }),
  });
  return (
    <div className="toaster" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className={`toast ${toast.tone}`}>
          <Icon name={toast.tone === 'failed' ? 'error' : 'good'} />
          <span className="wrap">{toast.text}</span>
          {toast.undo && (
            <Button
              small
              icon="undo"
              onClick={() => {
                takeBack(toast);
              }}
            >
              Undo
            </Button>
          )}
          <Button
            look="quiet"
            small
            icon="close"
            aria-label="Dismiss"
            onClick={() => {
              dismiss(toast.id);
            }}
          />
        </div>
      ))}
    </div>
  );
}

function takeBack({ id, undo }: Toast): void {
  dismiss(id);
  undo?.();
}
