import { Button } from '../parts/button.js';
import { apiKey, forgetKey } from '../state/session.js';
import { useStore } from '../state/store.js';
import { chooseTheme, theme, type Theme } from '../state/theme.js';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const;

/** What is at hand on every screen: the theme, the keys, the API's page, the API key. */
export function SideFoot({ onShowKeys }: { readonly onShowKeys: () => void }) {
  const chosen = useStore(theme);
  const key = useStore(apiKey);
  return (
    <div className="side-foot small">
      <Button
        look="quiet"
        small
        icon={ICONS[chosen]}
        aria-label={`Theme: ${chosen}. Change to ${NEXT[chosen]}`}
        title={`Theme: ${chosen}`}
        onClick={() => {
          chooseTheme(NEXT[chosen]);
        }}
      />
      <Button
        look="quiet"
        small
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts"
        onClick={onShowKeys}
      >
        <kbd aria-hidden="true">?</kbd>
      </Button>
      {key !== undefined && (
        <Button look="quiet" small icon="key" onClick={forgetKey}>
          Forget key
        </Button>
      )}
      <a href="/docs">API</a>
    </div>
  );
}
