import { useState } from 'react';
import type { BotChecks, CheckCode, Finding, Severity } from '../../client/index.js';
import { useChecks } from '../api/queries.js';
import { count, counted } from '../format.js';
import { Empty } from '../parts/empty.js';
import { Loaded } from '../parts/loaded.js';
import { Page, Section } from '../parts/page.js';
import { SeverityBadge } from '../parts/severity.js';
import { CHECK_NAMES } from './checkNames.js';
import { FindingCard } from './findingCard.js';

const SEVERITIES: readonly Severity[] = ['error', 'warning', 'info'];

/** What in the examples makes answers worse, and the buttons that mend it. */
export function ChecksScreen({ bot }: { readonly bot: string }) {
  const checks = useChecks(bot);
  const [hidden, setHidden] = useState<ReadonlySet<Severity>>(new Set());
  function toggle(severity: Severity) {
    const next = new Set(hidden);
    if (!next.delete(severity)) next.add(severity);
    setHidden(next);
  }
  return (
    <Page title="Checks" lead={checks.data && leadOf(checks.data)}>
      <Loaded query={checks} what="Checking the examples">
        {({ checks: findings, counts, left_out: leftOut }) =>
          findings.length === 0 ? (
            <Empty icon="good" title="Nothing was found">
              No text stands in two intents, none is out of place, and every intent has examples enough.
            </Empty>
          ) : (
            <>
              <div className="toolbar" role="group" aria-label="Show">
                {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
                  <button
                    key={severity}
                    type="button"
                    className="chip"
                    aria-pressed={!hidden.has(severity)}
                    onClick={() => {
                      toggle(severity);
                    }}
                  >
                    <SeverityBadge severity={severity} />
                    <span className="number">{count(counts[severity])}</span>
                  </button>
                ))}
              </div>
              {groupsOf(findings.filter(({ severity }) => !hidden.has(severity))).map(([code, group]) => (
                <Section
                  key={code}
                  title={CHECK_NAMES[code]}
                  aside={<span className="muted number">{count(group.length)}</span>}
                >
                  <ul className="findings">
                    {group.map((finding, i) => (
                      <li key={i}>
                        <FindingCard bot={bot} finding={finding} />
                      </li>
                    ))}
                  </ul>
                </Section>
              ))}
              {leftOut > 0 && (
                <p className="muted">{counted(leftOut, 'more finding')} of these kinds are not listed.</p>
              )}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function leadOf({ texts, compared }: BotChecks): string {
  const all = counted(texts, 'text');
  return compared < texts
    ? `${all}; of them the ${count(compared)} newest were compared with one another.`
    : `${all} compared with one another, each time the bot is written to.`;
}

/** By kind, in the order in which they came: gravest first. */
function groupsOf(findings: readonly Finding[]): [CheckCode, Finding[]][] {
  const groups = new Map<CheckCode, Finding[]>();
  for (const finding of findings) groups.set(finding.code, [...(groups.get(finding.code) ?? []), finding]);
  return [...groups];
}
