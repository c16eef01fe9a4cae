import { Icon } from '../parts/icons.js';
import { Link } from '../parts/link.js';
import { hrefOf, type Place, SERVER_SCREENS } from '../routes.js';
import { SCREENS } from './screenNames.js';

/** The navigation outside of any bot. */
export function ServerNav({ place }: { readonly place: Place }) {
  return (
    <nav className="side-nav" aria-label="Server">
      <ul>
        {SERVER_SCREENS.map((screen) => (
          <li key={screen}>
            <Link to={hrefOf({ screen })} aria-current={screen === place.screen ? 'page' : undefined}>
              <Icon name={SCREENS[screen].icon} />
              <span>{SCREENS[screen].name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
