import { KshotError } from '../errors.js';
import { eachRow } from './csv.js';
import { DocumentBuilder, invalidAt, type Reading, type TextReader } from './document.js';

/*
 * Intents of IBM Watson Assistant as its console exports and imports them: CSV without a header, the text first, then the
 * intent.
 */

/** What Watson allows as the name of an intent. */
const INTENT_NAME = /^#?[\p{L}\p{M}\p{N}_.-]{1,128}$/u;
/** Rows that must look like it. */
const ROWS_LOOKED_AT = 100;

export const watsonCsv: TextReader = { read };

/**
 * Whether the text begins with rows of a text and an intent's name. Where every text is one word and every name stands
 * once, nobody could say which of the two is which: that is none.
 */
export function looksLikeWatsonCsv(text: string): boolean {
  try {
    const rows: string[][] = [];
    const take = (record: string[]) => {
      if (record.some((field) => field.trim() !== '')) rows.push(record);
    };
    eachRow(text, ',', take, ROWS_LOOKED_AT);
    const names = rows.map((record) => (record[1] ?? '').trim());
    const areNames =
      rows.every((record) => record.length === 2) && names.every((name) => INTENT_NAME.test(name));
    const isTelling = rows.some(([text]) => /\S\s+\S/.test(text ?? '')) || new Set(names).size < names.length;
    return rows.length > 0 && areNames && isTelling;
  } catch (error) {
    if (error instanceof KshotError) return false; // No CSV, then.
    throw error;
  }
}

function read(text: string): Reading {
  const builder = new DocumentBuilder();
  eachRow(text, ',', (record, line) => {
    if (record.every((field) => field.trim() === '')) {
      builder.skip('empty line', line);
      return;
    }
    const [example = '', name = '', ...more] = record;
    if (more.length > 0) {
      throw invalidAt(
        line,
        `${record.length} fields where there are two, a text and its intent; put a text that holds a comma in "quotes"`,
      );
    }
    if (name.trim() === '') throw invalidAt(line, 'a text without an intent; write "text,intent"');
    builder.example(name.trim().replace(/^#/, ''), example, line);
  });
  return builder.finish();
}
