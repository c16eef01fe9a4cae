import type { ExportFormat } from '../../client/index.js';

/** What a bot is written as, and what a file of it is called. */
export const EXPORT_FORMATS: Readonly<
  Record<ExportFormat, { readonly name: string; readonly extension: string }>
> = {
  jsonl: { name: 'JSON lines', extension: '.jsonl' },
  csv: { name: 'CSV', extension: '.csv' },
  kshot: { name: 'kshot document (JSON)', extension: '.json' },
  rasa: { name: 'Rasa NLU (YAML)', extension: '.yml' },
  clu: { name: 'Azure CLU project', extension: '.clu.json' },
};
