import { CsvError, parse } from 'csv-parse/sync';
import { KshotError } from '../errors.js';
import {
  DocumentBuilder,
  invalidAt,
  type BotDocument,
  type Reading,
  type TextReader,
  type Writer,
} from './document.js';
import { refuseLongLines } from './lines.js';

/*
 * CSV: a header, then a row a text. Columns `intent`, `text` and, where it is needed, `kind`: `example` (or empty),
 * `description` (of the intent) or `counterexample` (no intent). A row with an intent and no text says that the
 * intent exists. A row without an intent is refused unless it is marked: a row that somebody has not labelled yet
 * must not make its text out of scope.
 */

/** In UTF-16 units. A line may hold several texts of the greatest length; a header is names. */
const LONGEST_LINE = 4 * 1024 * 1024;
const LONGEST_HEADER = 64 * 1024;

const DELIMITERS = [',', ';', '\t'] as const;

/** Names of the columns that are read, in order of preference where a file has several. */
const COLUMNS = {
  intent: ['intent', 'label', 'category', 'class'],
  text: ['text', 'utterance', 'example', 'query'],
  kind: ['kind'],
} as const;

interface Header {
  readonly delimiter: string;
  readonly width: number;
  readonly intent: number;
  readonly text: number;
  /** -1 where there is no such column. */
  readonly kind: number;
  /** Names of columns that are not read. */
  readonly ignored: readonly string[];
}

export const csv: TextReader & Writer = { read, write };

/** Whether the text begins with a header that `csv` reads. */
export function hasCsvHeader(text: string): boolean {
  return findHeader(text) !== undefined;
}

function read(text: string): Reading {
  const header = findHeader(text);
  if (header === undefined) {
    throw invalidAt(
      1,
      'no CSV header; the first line must name the columns, "intent,text", separated by comma, semicolon or tab',
    );
  }
  const builder = new DocumentBuilder();
  if (header.ignored.length > 0) builder.remark(`ignored ${columnList(header.ignored)}`);

  let headerSeen = false;
  eachRow(text, header.delimiter, (record, line) => {
    if (record.every((field) => field.trim() === '')) builder.skip('empty line', line);
    else if (headerSeen) readRow(record, line, header, builder);
    else headerSeen = true;
  });
  return builder.finish();
}

/**
 * The texts of a CSV file alone, in the order of their rows; blank ones too.
 *
 * @throws KshotError `invalid_file` without a column of texts, or where a row has more fields than the header.
 */
export function csvTexts(text: string): string[] {
  const headers = DELIMITERS.map((delimiter) => ({
    delimiter,
    names: headerNames(firstLine(text), delimiter),
  }));
  const header = headers.find(({ names }) => columnOf(names, COLUMNS.text) >= 0);
  if (header === undefined) {
    throw invalidAt(1, 'no CSV header; the first line must name the columns, one of them "text"');
  }
  const { delimiter, names } = header;
  const at = columnOf(names, COLUMNS.text);
  const texts: string[] = [];
  eachRow(text, delimiter, (record, line) => {
    if (record.length > names.length) throw tooManyFields(record, names.length, line);
    if (record.some((field) => field.trim() !== '')) texts.push(record[at] ?? '');
  });
  return texts.slice(1); // the header
}

function readRow(record: string[], line: number, header: Header, builder: DocumentBuilder): void {
  if (record.length > header.width) throw tooManyFields(record, header.width, line);
  const intent = (record[header.intent] ?? '').trim();
  const text = record[header.text] ?? '';
  const kind = (record[header.kind] ?? '').trim().toLowerCase();

  switch (kind) {
    case '':
    case 'example':
      if (intent === '') {
        throw invalidAt(
          line,
          'a text without an intent; name its intent, or write "counterexample" in a column "kind" if it is out of scope',
        );
      }
      builder.intent(intent, line);
      if (text !== '') builder.example(intent, text, line);
      return;
    case 'description':
      if (intent === '') throw invalidAt(line, 'a description without an intent; name its intent');
      builder.description(intent, text, line);
      return;
    case 'counterexample':
      if (intent !== '') {
        throw invalidAt(line, `a counter-example belongs to no intent; leave the intent "${intent}" out`);
      }
      builder.counterexample(text, line);
      return;
    default:
      throw invalidAt(line, `unknown kind "${kind}"; write example, description or counterexample`);
  }
}

function tooManyFields(record: readonly string[], width: number, line: number): KshotError {
  return invalidAt(
    line,
    `${record.length} fields where the header has ${width}; put a text that holds the separator in "quotes"`,
  );
}

/**
 * Calls back for each row, so that they need not all be held.
 *
 * @param each is given the row's fields and the line where it begins.
 * @param to the row to stop at; all by default.
 * @throws KshotError `invalid_file` for quotes that are not closed and lines that are far too long; what `each` throws.
 */
export function eachRow(
  text: string,
  delimiter: string,
  each: (record: string[], line: number) => void,
  to?: number,
): void {
  refuseLongLines(text, LONGEST_LINE);
  // The parser counts to a record's last line; where it begins follows from where the former one ended.
  let begin = 1;
  try {
    parse(text, {
      delimiter,
      relax_column_count: true,
      // Quotes inside an unquoted field are taken as they are, as spreadsheets do.
      relax_quotes: true,
      on_record: (record: string[], { lines }) => {
        each(record, begin);
        begin = lines + 1;
        return null;
      },
      ...(to === undefined ? {} : { to }),
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
      throw new KshotError(
        'invalid_file',
        'a quoted text is never closed; look for a field that begins with a single " and close it, or double it',
        { cause: error },
      );
    }
    throw invalidAt(typeof error['lines'] === 'number' ? error['lines'] : 1, error.message);
  }
}

/** The header under the first separator that makes one. */
function findHeader(text: string): Header | undefined {
  const line = firstLine(text);
  for (const delimiter of DELIMITERS) {
    const names = headerNames(line, delimiter);
    const intent = columnOf(names, COLUMNS.intent);
    const textColumn = columnOf(names, COLUMNS.text);
    if (intent === -1 || textColumn === -1) continue;
    const kind = columnOf(names, COLUMNS.kind);
    const ignored = names.filter((name, at) => ![intent, textColumn, kind].includes(at) && name !== '');
    return { delimiter, width: names.length, intent, text: textColumn, kind, ignored };
  }
  return undefined;
}

/** Blank lines may come before it. One line is enough for a header, so that a huge file is not parsed three times. */
function firstLine(text: string): string {
  const line = /^[^\S\n]*(\S.*)$/m.exec(text)?.[1] ?? '';
  return line.length > LONGEST_HEADER ? '' : line;
}

function headerNames(line: string, delimiter: string): string[] {
  try {
    let names: string[] = [];
    const take = (record: string[]) => {
      names = record.map((name) => name.trim().toLowerCase());
    };
    eachRow(line, delimiter, take, 1);
    return names;
  } catch (error) {
    if (error instanceof KshotError) return []; // Not a header, then.
    throw error;
  }
}

function columnOf(names: readonly string[], wanted: readonly string[]): number {
  for (const name of wanted) if (names.includes(name)) return names.indexOf(name);
  return -1;
}

function columnList(names: readonly string[]): string {
  return `${names.length === 1 ? 'the column' : 'the columns'} ${names.map((name) => `"${name}"`).join(', ')}`;
}

function write(document: BotDocument): string {
  const withKind =
    document.counterexamples.length > 0 ||
    document.intents.some(({ description }) => description !== undefined);
  const rows = [['intent', 'text', 'kind']];
  for (const { name, description, examples } of document.intents) {
    if (description !== undefined) rows.push([name, description, 'description']);
    if (description === undefined && examples.length === 0) rows.push([name, '', '']);
    for (const example of examples) rows.push([name, example, '']);
  }
  for (const text of document.counterexamples) rows.push(['', text, 'counterexample']);
  return rows
    .map(
      (row) =>
        row
          .slice(0, withKind ? 3 : 2)
          .map(quoted)
          .join(',') + '\n',
    )
    .join('');
}

/** Quoted where a reader could take it otherwise. */
function quoted(field: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
