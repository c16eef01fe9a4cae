import { useMemo, useState } from 'react';
import type { Example, Finding, Severity } from '../../client/index.js';
import { counted } from '../format.js';
import { Button } from '../parts/button.js';
import { SearchField } from '../parts/field.js';
import { Section } from '../parts/page.js';
import { SEVERITY_ORDER } from '../parts/severity.js';
import { AddExamples } from './addExamples.js';
import type { ExamplePlace } from './examplePlace.js';
import { ExampleRow } from './exampleRow.js';
import { useExampleWrites } from './exampleWrites.js';

/** More than these are looked through by searching. */
const FEW = 12;
const AT_A_TIME = 200;

/** The examples of a place, newest last, and what can be done with them. */
export function ExamplesEditor({
  place,
  examples,
  findings = [],
}: {
  readonly place: ExamplePlace;
  readonly examples: readonly Example[];
  readonly findings?: readonly Finding[];
}) {
  const writes = useExampleWrites(place);
  const [search, setSearch] = useState('');
  const severities = useMemo(() => severityById(findings), [findings]);
  const marked = location.hash.slice(1);
  // The one that the address points at is shown, however far down it is.
  const [most, setMost] = useState(() =>
    Math.max(AT_A_TIME, 1 + examples.findIndex(({ id }) => marked === `example-${id}`)),
  );
  const found = examples.filter(({ text }) => text.toLowerCase().includes(search.trim().toLowerCase()));
  const shown = found.slice(0, most);
  return (
    <Section
      title={counted(examples.length, place.intent === null ? 'counter-example' : 'example')}
      aside={
        examples.length > FEW && <SearchField label="Search examples" value={search} onChange={setSearch} />
      }
    >
      <AddExamples
        label={place.intent === null ? 'Add counter-examples' : 'Add examples'}
        busy={writes.add.isPending}
        onAdd={(texts) => {
          writes.add.mutate(texts);
        }}
      />
      <ul className="examples">
        {shown.map((example) => (
          <ExampleRow
            key={example.id}
            place={place}
            example={example}
            writes={writes}
            severity={severities.get(example.id)}
            isMarked={marked === `example-${example.id}`}
          />
        ))}
      </ul>
      {found.length > shown.length && (
        <Button
          onClick={() => {
            setMost(most + AT_A_TIME);
          }}
        >
          Show more of {counted(found.length, 'example')}
        </Button>
      )}
    </Section>
  );
}

function severityById(findings: readonly Finding[]): ReadonlyMap<number, Severity> {
  const worst = new Map<number, Severity>();
  for (const { severity, examples } of findings) {
    for (const { id } of examples) {
      if (id === undefined) continue;
      const known = worst.get(id);
      if (known === undefined || SEVERITY_ORDER[severity] < SEVERITY_ORDER[known]) worst.set(id, severity);
    }
  }
  return worst;
}
