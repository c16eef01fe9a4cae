import { useAliases, useVersions } from '../api/queries.js';
import { Select } from '../parts/field.js';

/** Whom a text is put to: the bot as it is now, or one of its versions. Nothing where it has none. */
export function VersionPicker({
  bot,
  value,
  onChange,
}: {
  readonly bot: string;
  readonly value: string | undefined;
  readonly onChange: (version: string | undefined) => void;
}) {
  const { data: versions = [] } = useVersions(bot);
  const { data: aliases = [] } = useAliases(bot);
  if (versions.length === 0) return null;
  return (
    <Select
      label="Answered by"
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
