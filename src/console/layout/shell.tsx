import { type ReactNode, useState } from 'react';
import { Button } from '../parts/button.js';
import { Dialog } from '../parts/dialog.js';
import { Link } from '../parts/link.js';
import { BOT_SCREENS, go, hrefOf, type Place, SERVER_SCREENS } from '../routes.js';
import { useShortcuts } from '../state/shortcuts.js';
import { TryPanel } from '../tryIt/tryPanel.js';
import { BotNav } from './botNav.js';
import { useMediaQuery } from './mediaQuery.js';
import { ReadOnlyNote } from './readOnlyNote.js';
import { SCREENS } from './screenNames.js';
import { ServerNav } from './serverNav.js';
import { ShortcutsDialog } from './shortcutsDialog.js';
import { SideFoot } from './sideFoot.js';

/** As layout.css has them. */
const NARROW = '(max-width: 800px)';
const MIDDLING = '(max-width: 1180px)';

/** The frame around every screen: navigation at the left, the screen, and the box to try a text in at the right. */
export function Shell({ place, children }: { readonly place: Place; readonly children: ReactNode }) {
  const bot = 'bot' in place ? place.bot : undefined;
  const isNarrow = useMediaQuery(NARROW);
  const isMiddling = useMediaQuery(MIDDLING);
  const [showsMenu, setShowsMenu] = useState(false);
  const [showsKeys, setShowsKeys] = useState(false);
  const [tries, setTries] = useState(false);
  const mayTry = bot !== undefined && place.screen !== 'try';

  const showKeys = () => {
    setShowsKeys(true);
  };
  const toggleTry = () => {
    setTries(!tries);
  };
  useShortcuts({
    '?': showKeys,
    '/': mayTry
      ? () => {
          setTries(true);
          document.getElementById('try-panel-text')?.focus();
        }
      : undefined,
    ...Object.fromEntries(
      SERVER_SCREENS.map((screen) => [
        `g ${SCREENS[screen].key}`,
        () => {
          go(hrefOf({ screen }));
        },
      ]),
    ),
    ...Object.fromEntries(
      BOT_SCREENS.map((screen) => [
        `g ${SCREENS[screen].key}`,
        bot === undefined
          ? undefined
          : () => {
              go(hrefOf({ screen, bot }));
            },
      ]),
    ),
  });

  const tryButton = mayTry && (
    <Button icon="try" small={isNarrow} aria-expanded={tries} onClick={toggleTry}>
      Try a text {!isNarrow && <kbd aria-hidden="true">/</kbd>}
    </Button>
  );
  const side = (
    <>
      <Link to={hrefOf({ screen: 'bots' })} className="brand">
        <img src="/favicon.svg" alt="" width="22" height="22" />
        kshot
      </Link>
      {bot === undefined ? <ServerNav place={place} /> : <BotNav bot={bot} place={place} />}
      {!isNarrow && tryButton}
      <SideFoot onShowKeys={showKeys} />
    </>
  );
  const showsTry = mayTry && tries;
  return (
    <div className={`shell${showsTry && !isMiddling ? ' with-aside' : ''}`}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      {isNarrow ? (
        <header className="top-bar">
          <Button
            look="quiet"
            icon="menu"
            aria-label="Menu"
            aria-expanded={showsMenu}
            onClick={() => {
              setShowsMenu(true);
            }}
          />
          <span className="top-bar-name wrap">{bot ?? 'kshot'}</span>
          {tryButton}
        </header>
      ) : (
        <header className="rail">{side}</header>
      )}
      <main id="main" tabIndex={-1}>
        <ReadOnlyNote />
        {children}
      </main>
      {showsTry && (
        <TryPanel
          key={bot}
          bot={bot}
          asDialog={isMiddling}
          onClose={() => {
            setTries(false);
          }}
        />
      )}
      {isNarrow && showsMenu && (
        <Dialog
          title="Menu"
          side="left"
          onClose={() => {
            setShowsMenu(false);
          }}
        >
          {/* Any link in it leads away. */}
          <div
            className="drawer-nav"
            onClick={(event) => {
              if (event.target instanceof Element && event.target.closest('a')) setShowsMenu(false);
            }}
          >
            {side}
          </div>
        </Dialog>
      )}
      {showsKeys && (
        <ShortcutsDialog
          onClose={() => {
            setShowsKeys(false);
          }}
        />
      )}
    </div>
  );
}
