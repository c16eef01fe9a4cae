import { Icon } from '../parts/icons.js';
import { Link } from '../parts/link.js';
import { hrefOf, type Place } from '../routes.js';

const SCREENS = [
  { screen: 'bots', name: 'Bots', icon: 'intents' },
  { screen: 'jobs', name: 'Jobs', icon: 'evaluations' },
  { screen: 'keys', name: 'API keys', icon: 'key' },
] as const;

/** The navigation outside of any bot. */
export function ServerNav({ place }: { readonly place: Place }) {
  return (
    <nav className="side-nav" aria-label="Server">
      <ul>
        {SCREENS.map(({ screen, name, icon }) => (
          <li key={screen}>
            <Link to={hrefOf({ screen })} aria-current={screen === place.screen ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{name}</span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
