import { useState } from 'react';
import { useIntents, useUnlabelledCount } from '../api/queries.js';
import { count, counted } from '../format.js';
import { Button, LinkButton } from '../parts/button.js';
import { Empty } from '../parts/empty.js';
import { Loaded } from '../parts/loaded.js';
import { Page } from '../parts/page.js';
import { hrefOf } from '../routes.js';
import { AddTexts } from './addTexts.js';
import { usePile } from './pile.js';
import { ReviewCard } from './reviewCard.js';

/** Texts whose intent is not known, the ones that teach the bot most first; one at a time, by the keyboard alone. */
export function ReviewScreen({ bot }: { readonly bot: string }) {
  const pile = usePile(bot);
  const { data: waiting } = useUnlabelledCount(bot);
  useIntents(bot); // so that they are there when one is searched
  const [adds, setAdds] = useState(false);
  const labelled = pile.decisions.filter(({ takeBack }) => takeBack !== undefined).length;
  const last = pile.decisions.at(-1);
  return (
    <Page
      title="Review"
      lead="Say what these texts mean. They come in the order in which a label teaches the bot most."
      actions={
        <Button
          icon="plus"
          onClick={() => {
            setAdds(true);
          }}
        >
          Add texts
        </Button>
      }
    >
      {waiting !== undefined && waiting + labelled > 0 && (
        <div className="progress">
          <progress aria-label="Decided in this sitting" max={waiting + labelled} value={labelled} />
          <p className="small muted number">
            {count(labelled)} decided, {count(waiting)} to go
          </p>
        </div>
      )}
      <p className="review-last small" role="status">
        {last && `${last.done}: “${last.text.text}”`}
      </p>
      <Loaded query={pile.query} what="Choosing the texts">
        {() =>
          pile.current === undefined ? (
            pile.query.isFetching ? null : (
              <Empty
                icon="review"
                title={pile.decisions.length > 0 ? 'That was all' : 'No texts to label'}
                action={
                  <>
                    <Button
                      look="primary"
                      icon="plus"
                      onClick={() => {
                        setAdds(true);
                      }}
                    >
                      Add texts
                    </Button>
                    <LinkButton to={hrefOf({ screen: 'settings', bot })}>Keep what is classified</LinkButton>
                  </>
                }
              >
                Add what people wrote, one text a line, or have the bot keep the texts that it classifies. The
                ones that it is least sure of come first.
                {waiting !== undefined &&
                  waiting > 0 &&
                  ` ${counted(waiting, 'text')} that you passed over are still there.`}
              </Empty>
            )
          ) : (
            <ReviewCard key={pile.current.id} bot={bot} text={pile.current} pile={pile} />
          )
        }
      </Loaded>
      {adds && (
        <AddTexts
          bot={bot}
          onClose={() => {
            setAdds(false);
          }}
          onAdded={pile.refresh}
        />
      )}
    </Page>
  );
}
