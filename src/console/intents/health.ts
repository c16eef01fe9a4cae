import type { BotChecks, Finding, Severity } from '../../client/index.js';
import { SEVERITY_ORDER } from '../parts/severity.js';

/** Whether an intent of which no finding is listed is well: not while the checks run, nor where more was found than is listed. */
export function saysAll(checks: BotChecks | undefined): boolean {
  return checks !== undefined && checks.left_out === 0;
}

/** What the checks say of one intent. */
export interface Health {
  readonly worst: Severity;
  readonly findings: readonly Finding[];
}

/** The findings by intent, gravest first; an intent that is not in it is well, if the checks say all. */
export function healthByIntent(checks: BotChecks | undefined): ReadonlyMap<string, Health> {
  const found = new Map<string, Finding[]>();
  for (const finding of checks?.checks ?? []) {
    for (const intent of finding.intents) found.set(intent, [...(found.get(intent) ?? []), finding]);
  }
  return new Map(
    [...found].map(([intent, findings]) => {
      const sorted = [...findings].sort((a, b) => SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity]);
      return [intent, { worst: sorted[0]?.severity ?? 'info', findings: sorted }];
    }),
  );
}
