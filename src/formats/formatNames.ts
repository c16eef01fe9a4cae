/** What is read; what each is, docs/imports.md says. */
export const IMPORT_FORMATS = [
  'kshot',
  'csv',
  'jsonl',
  'rasa',
  'dialogflow-es',
  'dialogflow-cx',
  'clu',
  'watson',
  'watson-csv',
  'semantic-router',
] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** What is written. */
export const EXPORT_FORMATS = ['kshot', 'csv', 'jsonl', 'rasa', 'clu'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
