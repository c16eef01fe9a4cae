import { useBot } from '../api/queries.js';
import { Button } from '../parts/button.js';
import { Page } from '../parts/page.js';
import { useSearchParam } from '../searchParam.js';
import { TryIt } from './tryIt.js';

/** What people ask of any bot, and what is nobody's business. */
const STARTERS = ['i lost my card', 'can i use apple pay', 'what is the weather like'];

/** The box to try a text in, with room for the reasons. The text is part of the address, so that it can be passed on. */
export function TryScreen({ bot }: { readonly bot: string }) {
  const [text, setText] = useSearchParam('text');
  const { data: summary } = useBot(bot);
  return (
    <Page
      title="Try it"
      lead="Classified as you type. What you correct here is an example on the next request."
    >
      <TryIt
        bot={bot}
        text={text}
        onText={setText}
        textId="try-text"
        empty={
          <div className="starters">
            <span className="muted">
              {summary?.intents === 0
                ? 'The bot has no intents yet: every text is out of scope.'
                : 'For a start:'}
            </span>
            {summary?.intents !== 0 &&
              STARTERS.map((starter) => (
                <Button
                  key={starter}
                  small
                  onClick={() => {
                    setText(starter);
                  }}
                >
                  {starter}
                </Button>
              ))}
          </div>
        }
      />
    </Page>
  );
}
