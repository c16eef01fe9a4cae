import { extname } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { invalid, parseJson, placeOf, readLines, readText } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/** Columns (CSV) or keys (JSON lines) that are read, in order of preference. */
const NAMES = {
  text: ['text', 'utterance', 'utterances', 'query', 'sentence', 'raw'],
  label: ['label', 'intent', 'intent_name', 'category', 'class'],
} as const;

export interface TableOptions {
  /** The column or key of the text, where it has a name of its own. */
  readonly text?: string;
  readonly label?: string;
  /** The label that says that a text belongs to no class. */
  readonly outOfScopeLabel?: string;
}

/**
 * Reads a set from a file of anybody's: `.csv` and `.tsv` with a header, or JSON lines (`.jsonl`, `.json`) of objects. So
 * are BANKING77 (PolyAI-LDN), ACID (AmFamMLTeam) and the StackOverflow split of thuiar/TEXTOIR.
 *
 * @throws KshotError `invalid_file`, naming file and line.
 */
export async function readTable(file: string, name: string, options: TableOptions = {}): Promise<TextSet> {
  const builder = new TextSetBuilder(name);
  for (const { text, label, place } of await rowsOf(file, options)) {
    if (label === options.outOfScopeLabel) builder.addOutOfScope(text, place);
    else builder.add(label, text, place);
  }
  return builder.finish();
}

interface Row {
  readonly text: string;
  readonly label: string;
  readonly place: string;
}

async function rowsOf(file: string, options: TableOptions): Promise<Row[]> {
  switch (extname(file).toLowerCase()) {
    case '.csv':
      return separatedRows(file, ',', options);
    case '.tsv':
      return separatedRows(file, '\t', options);
    case '.json':
    case '.jsonl':
    case '.ndjson':
      return jsonRows(file, options);
    default:
      throw invalid(
        file,
        'the name must end in .csv, .tsv, .jsonl or .json, which says how it is to be read',
      );
  }
}

async function separatedRows(file: string, delimiter: string, options: TableOptions): Promise<Row[]> {
  const [header, ...records] = parseSeparated(await readText(file), delimiter, file);
  const names = header?.record.map((name) => name.trim().toLowerCase()) ?? [];
  const column = (field: 'text' | 'label'): number => {
    const at = names.indexOf(chosenName(names, field, options) ?? '');
    if (at !== -1) return at;
    throw invalid(
      placeOf(file, 1),
      `the header has no column for the ${field}; it has ${names.join(', ')}: name one of ${NAMES[field].join(', ')}`,
    );
  };
  const [text, label] = [column('text'), column('label')];
  return records.map(({ record, place }) => ({ text: record[text]!, label: record[label]!, place }));
}

interface Separated {
  readonly record: readonly string[];
  readonly place: string;
}

function parseSeparated(text: string, delimiter: string, file: string): Separated[] {
  try {
    const rows: unknown = parse(text, {
      delimiter,
      info: true,
      skip_empty_lines: true,
      // Quotes inside an unquoted field are taken as they are, as spreadsheets do.
      relax_quotes: true,
    });
    // What `info: true` gives; the package's types do not know it. The line is that on which the record ends.
    return (rows as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      place: placeOf(file, info.lines),
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? error['lines'] : 1;
    throw invalid(placeOf(file, line), error.message, error);
  }
}

const object = z.record(z.string(), z.unknown());
const labelValue = z.union([z.string(), z.number()]);

async function jsonRows(file: string, options: TableOptions): Promise<Row[]> {
  return (await readLines(file)).map(({ text: line, place }) => {
    const entry = parseJson(line, object, place);
    const keys = Object.keys(entry);
    const text = entry[chosenName(keys, 'text', options) ?? ''];
    const label = labelValue.safeParse(entry[chosenName(keys, 'label', options) ?? '']);
    if (typeof text !== 'string' || !label.success) {
      throw invalid(place, `{"text": "…", "label": "…"} is needed; it has ${keys.join(', ')}`);
    }
    return { text, label: String(label.data), place };
  });
}

function chosenName(names: readonly string[], field: 'text' | 'label', options: TableOptions) {
  const own = options[field];
  if (own !== undefined) return names.find((name) => name.toLowerCase() === own.toLowerCase());
  return NAMES[field].find((name) => names.includes(name));
}
