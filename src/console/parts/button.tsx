import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { readOnly } from '../state/session.js';
import { useStore } from '../state/store.js';
import { Icon, type IconName } from './icons.js';
import { Link } from './link.js';

type Look = 'plain' | 'primary' | 'danger' | 'quiet';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: Look;
  readonly icon?: IconName;
  /** Whether what it began still runs. */
  readonly busy?: boolean;
  readonly small?: boolean;
}

function classes(look: Look, small: boolean, iconOnly: boolean): string {
  return `button ${look}${small ? ' small' : ''}${iconOnly ? ' icon-only' : ''}`;
}

export function Button({
  look = 'plain',
  icon,
  busy = false,
  small = false,
  children,
  disabled,
  className = '',
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      className={`${classes(look, small, children === undefined)} ${className}`}
      disabled={disabled === true || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

const READ_ONLY = 'This API key may read, not write';

/** A button that changes something: disabled, with the reason, where the key may only read. */
export function WriteButton(props: ButtonProps) {
  const mayNot = useStore(readOnly);
  return <Button {...props} {...(mayNot && { disabled: true, title: READ_ONLY })} />;
}

/** A link that looks like a button. */
export function LinkButton({
  to,
  icon,
  look = 'plain',
  small = false,
  children,
}: {
  readonly to: string;
  readonly icon?: IconName;
  readonly look?: Look;
  readonly small?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Link to={to} className={classes(look, small, false)}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  );
}
