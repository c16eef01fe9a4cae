import { useBot, useChecks, useUnlabelledCount } from '../api/queries.js';
import { count } from '../format.js';
import { Icon } from '../parts/icons.js';
import { Link } from '../parts/link.js';
import { BOT_SCREENS, type BotScreen, hrefOf, type Place } from '../routes.js';
import { BotSwitch } from './botSwitch.js';
import { SCREENS } from './screenNames.js';

/** The navigation inside a bot, with how much there is behind each. */
export function BotNav({ bot, place }: { readonly bot: string; readonly place: Place }) {
  const current = place.screen === 'counterexamples' ? 'intents' : place.screen;
  const { data: summary } = useBot(bot);
  const { data: checks } = useChecks(bot);
  const { data: unlabelled } = useUnlabelledCount(bot);
  const found = checks && checks.counts.error + checks.counts.warning;
  const badges: Partial<Record<BotScreen, { n: number | undefined; says: string }>> = {
    intents: { n: summary?.intents, says: 'intents' },
    review: { n: unlabelled, says: 'texts to label' },
    checks: { n: found, says: 'errors and warnings' },
  };
  return (
    <nav className="side-nav" aria-label={`Bot ${bot}`}>
      <BotSwitch bot={bot} />
      <ul>
        {BOT_SCREENS.map((screen) => {
          const { name, icon } = SCREENS[screen];
          const { n, says } = badges[screen] ?? {};
          return (
            <li key={screen}>
              <Link to={hrefOf({ screen, bot })} aria-current={screen === current ? 'page' : undefined}>
                <Icon name={icon} />
                <span>{name}</span>
                {n !== undefined && n > 0 && (
                  <span className={`count${screen === 'checks' ? ' attention' : ''}`}>
                    {count(n)}
                    <span className="visually-hidden"> {says}</span>
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
