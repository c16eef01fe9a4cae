import { useState } from 'react';
import { DeleteBotDialog } from '../bots/deleteBotDialog.js';
import { useBot, useHeads } from '../api/queries.js';
import { WriteButton } from '../parts/button.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { SettingsForm } from './settingsForm.js';

/** What a bot's owner sets. */
export function SettingsScreen({ bot }: { readonly bot: string }) {
  const summary = useBot(bot);
  const heads = useHeads();
  const [deletes, setDeletes] = useState(false);
  return (
    <Page title="Settings" lead="What is not set follows the server’s defaults.">
      <Loaded query={summary} what="Loading the settings">
        {(data) => (
          <>
            <Loaded query={heads} what="Loading the heads">
              {(list) => <SettingsForm key={JSON.stringify(data.settings)} bot={data} heads={list} />}
            </Loaded>
            <Section title="Delete this bot">
              <p className="muted">With its intents, versions and evaluations, for good.</p>
              <WriteButton
                look="danger"
                icon="trash"
                onClick={() => {
                  setDeletes(true);
                }}
              >
                Delete {bot}
              </WriteButton>
            </Section>
            {deletes && (
              <DeleteBotDialog
                bot={data}
                onClose={() => {
                  setDeletes(false);
                }}
              />
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
