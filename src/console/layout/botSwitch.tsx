import { useBots } from '../api/queries.js';
import { Select } from '../parts/field.js';
import { go, hrefOf } from '../routes.js';

/** Leads to the same place of another bot. */
export function BotSwitch({ bot }: { readonly bot: string }) {
  const { data } = useBots();
  const names = data?.map(({ name }) => name) ?? [];
  return (
    <div className="bot-switch">
      <Select
        label="Bot"
        hidesLabel
        value={bot}
        onChange={(name) => {
          go(hrefOf({ screen: 'intents', bot: name }));
        }}
      >
        {(names.includes(bot) ? names : [bot, ...names]).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
    </div>
  );
}
