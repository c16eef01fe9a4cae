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

/** What every box has in common: its name, its value, and the hint that it is described by. */
function useBox({
  label,
  hint,
  hidesLabel,
  value,
  onChange,
  id: given,
}: Labelled & Value & { id?: string | undefined }) {
  const own = useId();
  const id = given ?? own;
  return {
    field: { id, label, hint, hidesLabel },
    box: {
      id,
      value,
      'aria-describedby': hint === undefined ? undefined : `${id}-hint`,
      onChange: (event: { readonly target: { readonly value: string } }) => {
        onChange(event.target.value);
      },
    },
  };
}

type TextFieldProps = Labelled & Value & Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange'>;

export function TextField({ label, hint, hidesLabel, value, onChange, id, ...rest }: TextFieldProps) {
  const { field, box } = useBox({ label, hint, hidesLabel, value, onChange, id });
  return (
    <Field {...field}>
      <input className="input" {...box} {...rest} />
    </Field>
  );
}

type TextAreaProps = Labelled &
  Value &
  Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'value' | 'onChange'>;

export function TextArea({ label, hint, hidesLabel, value, onChange, id, ...rest }: TextAreaProps) {
  const { field, box } = useBox({ label, hint, hidesLabel, value, onChange, id });
  return (
    <Field {...field}>
      <textarea className="input" {...box} {...rest} />
    </Field>
  );
}

export function Select({ children, ...named }: Labelled & Value & { readonly children: ReactNode }) {
  const { field, box } = useBox(named);
  return (
    <Field {...field}>
      <select className="input select" {...box}>
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
