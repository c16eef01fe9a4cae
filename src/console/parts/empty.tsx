import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.js';

/** Where there is nothing yet: what it is for, and what to do. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      <div className="muted">{children}</div>
      {action !== undefined && <div className="empty-action">{action}</div>}
    </div>
  );
}
