import { type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes, useId } from 'react';
import { Icon } from './icons.js';

interface Labelled {
  readonly label: string;
  readonly hint?: ReactNode;
  /** Whether the label is for screen readers only, as beside an obvious box. */
  readonly hidesLabel?: boolean;
}

function Field({
  id,
  label,
  hint,
  hidesLabel = false,
  children,
}: Labelled & { readonly id: string; readonly children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id} className={hidesLabel ? 'visually-hidden' : 'label'}>
        {label}
      </label>
      {children}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

interface Value {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

type TextFieldProps = Labelled & Value & Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'>;

export function TextField({ label, hint, hidesLabel, value, onChange, id: given, ...rest }: TextFieldProps) {
  const own = useId();
  const id = given ?? own;
  return (
    <Field id={id} {...{ label, hint, hidesLabel }}>
      <input
        id={id}
        className="input"
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        {...rest}
      />
    </Field>
  );
}

type TextAreaProps = Labelled &
  Value &
  Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'>;

export function TextArea({ label, hint, hidesLabel, value, onChange, id: given, ...rest }: TextAreaProps) {
  const own = useId();
  const id = given ?? own;
  return (
    <Field id={id} {...{ label, hint, hidesLabel }}>
      <textarea
        id={id}
        className="input"
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        {...rest}
      />
    </Field>
  );
}

export function Select({
  label,
  hint,
  hidesLabel,
  value,
  onChange,
  children,
}: Labelled & Value & { readonly children: ReactNode }) {
  const id = useId();
  return (
    <Field id={id} {...{ label, hint, hidesLabel }}>
      <select
        id={id}
        className="input select"
        value={value}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {children}
      </select>
    </Field>
  );
}

export function Checkbox({
  label,
  hint,
  checked,
  onChange,
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="checkbox">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => {
          onChange(event.target.checked);
        }}
      />
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

/** A box that narrows down what is below it. */
export function SearchField({ label, value, onChange }: { readonly label: string } & Value) {
  return (
    <div className="search">
      <Icon name="search" />
      <TextField
        type="search"
        label={label}
        hidesLabel
        placeholder={label}
        value={value}
        onChange={onChange}
      />
    </div>
  );
}
