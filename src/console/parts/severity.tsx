import type { Severity } from '../../client/index.js';
import { Icon } from './icons.js';

export const SEVERITY_ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

const WORDS: Readonly<Record<Severity, string>> = { error: 'Error', warning: 'Warning', info: 'Hint' };

/** By shape, colour and word, so that none of them is needed. */
export function SeverityBadge({ severity, count }: { readonly severity: Severity; readonly count?: number }) {
  return (
    <span className={`badge ${severity}`}>
      <Icon name={severity} />
      {count === undefined || count === 1 ? WORDS[severity] : `${count} ${WORDS[severity].toLowerCase()}s`}
    </span>
  );
}

export function HealthyBadge() {
  return (
    <span className="badge good">
      <Icon name="good" />
      Good
    </span>
  );
}
