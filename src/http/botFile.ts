import type { ImportDocument } from '../classify/service.js';
import { textProblem } from '../classify/text.js';
import { KshotError } from '../errors.js';
import { type BotDocument, shortened } from '../formats/document.js';
import { intentName } from './names.js';
import type { RequestLimits } from './schemas.js';

// What operations have in common that take a bot's texts as a file.

export interface ImportLimits {
  /** Of the file. */
  readonly maxImportBytes: number;
}

/** Content types of files to import. What the file is, its content says. */
export const FILE_TYPES = [
  'application/octet-stream',
  'application/json',
  'application/x-ndjson',
  'application/jsonl',
  'application/yaml',
  'application/x-yaml',
  'application/zip',
  'application/x-zip-compressed',
  'text/csv',
  'text/tab-separated-values',
  'text/yaml',
  'text/x-yaml',
];

/** An error names the first offending places of a file. */
const MOST_PROBLEMS = 5;

/**
 * A file's document with names and texts that can be.
 *
 * @throws KshotError `invalid_request`, naming intents and texts as a person finds them in the file.
 */
export function checkDocument(document: BotDocument, { maxTextChars }: RequestLimits): ImportDocument {
  const problems: string[] = [];
  const check = (text: string, where: string) => {
    const problem = textProblem(text, maxTextChars);
    if (problem !== undefined) problems.push(`${where}"${shortened(text)}": ${problem}`);
  };
  const names = new Map<string, string>();
  const intents = document.intents.map(({ name: given, description, examples }) => {
    const where = `intent "${shortened(given)}"`;
    const { data: name = given, error } = intentName.safeParse(given);
    const other = names.get(name);
    names.set(name, given);
    if (error !== undefined) problems.push(`${where}: ${error.issues[0]?.message ?? 'cannot be'}`);
    else if (other !== undefined) {
      problems.push(`${where}: is the same name as "${shortened(other)}", written with other characters`);
    }
    if (description !== undefined) check(description, `${where}, description `);
    for (const text of examples) check(text, `${where}, `);
    return { name, ...(description === undefined ? {} : { description }), examples };
  });
  for (const text of document.counterexamples) check(text, 'counter-example ');
  if (problems.length === 0) return { intents, counterexamples: document.counterexamples };
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : '';
  throw new KshotError('invalid_request', problems.slice(0, MOST_PROBLEMS).join('; ') + more);
}
