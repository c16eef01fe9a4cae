import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { ExportFormat } from '../../client/index.js';
import { kshot } from '../api/kshot.js';
import { Button } from '../parts/button.js';
import { Select } from '../parts/field.js';
import { Section } from '../parts/page.js';
import { ProblemNote } from '../parts/problem.js';
import { download } from './download.js';
import { EXPORT_FORMATS } from './exportFormats.js';

const FORMATS = Object.keys(EXPORT_FORMATS) as ExportFormat[];

/** The bot as a file. */
export function ExportForm({ bot }: { readonly bot: string }) {
  const [format, setFormat] = useState<ExportFormat>('jsonl');
  const save = useMutation({
    mutationFn: () => kshot().export(bot, { format }),
    onSuccess: (content) => {
      download(bot + EXPORT_FORMATS[format].extension, content);
    },
  });
  return (
    <Section title="Export">
      <p className="muted">
        Intents, examples and counter-examples as a file that can be imported again. Settings are not in it.
      </p>
      <div className="inline-form">
        <Select
          label="Format"
          value={format}
          onChange={(value) => {
            setFormat(value as ExportFormat);
          }}
        >
          {FORMATS.map((name) => (
            <option key={name} value={name}>
              {EXPORT_FORMATS[name].name}
            </option>
          ))}
        </Select>
        <Button
          icon="down"
          busy={save.isPending}
          onClick={() => {
            save.mutate();
          }}
        >
          Download
        </Button>
      </div>
      <ProblemNote error={save.error} />
    </Section>
  );
}
