import { useAliases, useVersions } from '../api/queries.js';
import { Select } from './field.js';

/** What is asked, or judged: the bot as it is now, or one of its versions. Nothing where it has none. */
export function VersionPicker({
  bot,
  label,
  value,
  onChange,
}: {
  readonly bot: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly onChange: (version: string | undefined) => void;
}) {
  const { data: versions = [] } = useVersions(bot);
  const { data: aliases = [] } = useAliases(bot);
  if (versions.length === 0) return null;
  return (
    <Select
      label={label}
      value={value ?? ''}
      onChange={(name) => {
        onChange(name === '' ? undefined : name);
      }}
    >
      <option value="">The bot as it is now</option>
      {aliases.length > 0 && (
        <optgroup label="Aliases">
          {aliases.map(({ name, version }) => (
            <option key={name} value={name}>
              {name} ({version})
            </option>
          ))}
        </optgroup>
      )}
      <optgroup label="Versions">
        {versions.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </optgroup>
    </Select>
  );
}
