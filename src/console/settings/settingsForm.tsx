import { useState } from 'react';
import type { BotSettings, BotSummary, HeadSummary } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { useWrite } from '../api/queries.js';
import { percent } from '../format.js';
import { Button, WriteButton } from '../parts/button.js';
import { Checkbox } from '../parts/field.js';
import { Section } from '../parts/page.js';
import { ProblemNote } from '../parts/problem.js';
import { toast } from '../state/toasts.js';
import { DEFAULT_THRESHOLD } from './defaults.js';
import { HeadChoice } from './headChoice.js';
import { ThresholdField } from './thresholdField.js';

export function SettingsForm({
  bot,
  heads,
}: {
  readonly bot: BotSummary;
  readonly heads: readonly HeadSummary[];
}) {
  const [settings, setSettings] = useState<BotSettings>(bot.settings);
  const save = useWrite(bot.name, () => kshot().bots.put(bot.name, settings), {
    showsError: true,
    onDone: () => {
      toast('Settings saved');
    },
  });
  const change = (changed: BotSettings) => {
    setSettings(withoutUndefined({ ...settings, ...changed }));
  };
  const isChanged = JSON.stringify(settings) !== JSON.stringify(bot.settings);
  return (
    <form
      className="settings"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Section title="Head">
        <p className="muted">
          How a text is scored against the examples. Every head learns from them as they are written.
        </p>
        {bot.head.reason !== null && (
          <div className="note warning">
            {bot.head.serving} answers in the place of {bot.head.wanted}: {bot.head.reason}
          </div>
        )}
        <HeadChoice
          heads={heads}
          value={settings.head}
          onChange={(head) => {
            change({ head });
          }}
        />
      </Section>
      <Section title="Threshold">
        <ThresholdField
          value={settings.threshold}
          onChange={(threshold) => {
            change({ threshold });
          }}
        />
        <p className="hint">
          A text whose probability of being in scope is below it is out of scope. The default is{' '}
          {percent(DEFAULT_THRESHOLD)}; an evaluation shows what others would give.
        </p>
      </Section>
      <Section title="Texts">
        <Checkbox
          label="Keep the texts that are classified, to label them in Review"
          hint="Off by default: they are what people wrote. Turning it off deletes none."
          checked={settings.keep_texts ?? false}
          onChange={(keep) => {
            change({ keep_texts: keep });
          }}
        />
      </Section>
      <ProblemNote error={save.error} />
      <div className="button-row">
        <WriteButton look="primary" type="submit" busy={save.isPending} disabled={!isChanged}>
          Save
        </WriteButton>
        <Button
          disabled={!isChanged}
          onClick={() => {
            setSettings(bot.settings);
          }}
        >
          Reset
        </Button>
      </div>
    </form>
  );
}

function withoutUndefined(settings: BotSettings): BotSettings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
