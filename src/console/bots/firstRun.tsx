import { Link } from '../parts/link.js';
import { hrefOf } from '../routes.js';

/** For whoever is here for the first time. */
export function FirstRun({ hasDemo }: { readonly hasDemo: boolean }) {
  return (
    <section className="first-run" aria-label="Where to begin">
      <h2>Where to begin</h2>
      <ol>
        {hasDemo && (
          <li>
            <strong>Look around.</strong> The{' '}
            <Link to={hrefOf({ screen: 'intents', bot: 'demo' })}>demo bot</Link> is a bank&rsquo;s chat.{' '}
            <Link to={`${hrefOf({ screen: 'try', bot: 'demo' })}?text=can+i+use+apple+pay`}>
              Ask it something
            </Link>{' '}
            that it does not know, and teach it.
          </li>
        )}
        <li>
          <strong>Make a bot of your own.</strong> Press <kbd>n</kbd>, then import a file (CSV, JSON lines,
          Rasa, Dialogflow, CLU, Watson) or write the first intents by hand: five examples each are a good
          start.
        </li>
        <li>
          <strong>Keep it good.</strong> Checks says what makes answers worse and what to do; Review asks for
          the labels that help most; a saved version brings back what worked.
        </li>
      </ol>
    </section>
  );
}
