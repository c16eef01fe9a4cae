import { useCounterexamples } from '../api/queries.js';
import { Empty } from '../parts/empty.js';
import { Link } from '../parts/link.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { hrefOf } from '../routes.js';
import { ExamplesEditor } from './examplesEditor.js';

/** Texts that are none of the bot's business. */
export function CounterexamplesScreen({ bot }: { readonly bot: string }) {
  const examples = useCounterexamples(bot);
  return (
    <Page
      title="Counter-examples"
      back={<Link to={hrefOf({ screen: 'intents', bot })}>Intents</Link>}
      lead="Texts that are none of this bot’s business. What is nearer to one of them than to the intents is out of scope."
    >
      <Loaded query={examples} what="Loading the counter-examples">
        {(list) => (
          <>
            <ExamplesEditor place={{ bot, intent: null }} examples={list} />
            {list.length === 0 && (
              <Empty icon="outside" title="No counter-examples yet">
                Add what the bot took for one of its own and should not have. One is often enough for all of
                its like.
              </Empty>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
