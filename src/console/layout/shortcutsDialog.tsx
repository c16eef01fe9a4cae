import { Dialog } from '../parts/dialog.js';
import { BOT_SCREENS, SERVER_SCREENS } from '../routes.js';
import { SCREENS } from './screenNames.js';

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['/'], 'Try a text, wherever you are'],
  [['n'], 'Create: a bot, an intent, an example, a version, a key'],
  [['z'], 'Undo what can be undone'],
  [['Esc'], 'Give up an edit, close a dialog'],
  ...[...SERVER_SCREENS, ...BOT_SCREENS].map(
    (screen) => [['g', SCREENS[screen].key], `Go to ${SCREENS[screen].name}`] as const,
  ),
  [['?'], 'This list'],
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="key-list">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="muted small">
        They work while you are not typing. Review has keys of its own, shown there.
      </p>
    </Dialog>
  );
}
