import { type KeyboardEvent, useId, useMemo, useState } from 'react';
import { useIntents } from '../api/queries.js';

/** As many as can be looked over; typing narrows them down. */
const MOST_OPTIONS = 8;

/** Chooses one of a bot's intents by typing a part of its name: arrows and Enter, or a click. */
export function IntentPicker({
  bot,
  label,
  without,
  autoFocus = false,
  onPick,
  onEscape,
}: {
  readonly bot: string;
  readonly label: string;
  /** The one that it is now. */
  readonly without?: string;
  readonly autoFocus?: boolean;
  readonly onPick: (intent: string) => void;
  readonly onEscape?: () => void;
}) {
  const id = useId();
  const { data } = useIntents(bot);
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const options = useMemo(() => {
    const words = text
      .toLowerCase()
      .split(/[\s_]+/)
      .filter(Boolean);
    return (data ?? [])
      .map(({ name }) => name)
      .filter((name) => name !== without && words.every((word) => name.toLowerCase().includes(word)))
      .slice(0, MOST_OPTIONS);
  }, [data, text, without]);

  function pick(intent: string | undefined) {
    if (intent === undefined) return;
    setText('');
    setOpen(false);
    onPick(intent);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setOpen(true);
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + step + options.length) % Math.max(1, options.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (isOpen) pick(options[active]);
    } else if (event.key === 'Escape' && (isOpen || onEscape)) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
      onEscape?.();
    }
  }

  return (
    <div className="picker">
      <input
        className="input"
        role="combobox"
        aria-label={label}
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && options.length > 0 ? `${id}-${active}` : undefined}
        placeholder={label}
        autoComplete="off"
        data-autofocus={autoFocus || undefined}
        ref={autoFocus ? focusOnce : undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => {
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={label} hidden={!isOpen} className="picker-list">
        {options.map((name, i) => (
          <li
            key={name}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === active}
            // The box would lose the focus, and the list close, before the click.
            onMouseDown={(event) => {
              event.preventDefault();
              pick(name);
            }}
          >
            {name}
          </li>
        ))}
        {options.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled="true" className="muted">
            No intent of that name
          </li>
        )}
      </ul>
    </div>
  );
}

function focusOnce(element: HTMLInputElement | null): void {
  element?.focus();
}
