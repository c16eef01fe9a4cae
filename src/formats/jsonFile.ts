import { type KshotError } from '../errors.js';
import { invalidAt, type Place } from './document.js';

/**
 * What one file may hold of lists, objects and values: a million texts with what vendors say of each. A file of the
 * longest length that is nothing but "{},{}" would take gigabytes.
 */
const MAX_PARTS = 10_000_000;

type Path = readonly (string | number)[];

/** A file that is one JSON value, which knows on which line each part of it stands. */
export class JsonFile {
  readonly value: unknown;

  /**
   * @param name of a file inside an archive, for errors.
   * @throws KshotError `invalid_file` with the line, if it is not JSON, or holds more parts than memory may.
   */
  constructor(
    private readonly text: string,
    private readonly name?: string,
  ) {
    if (countParts(text) > MAX_PARTS) {
      throw invalidAt(
        this.at(),
        'too many lists, objects and values; split the file, or convert it to JSON lines',
      );
    }
    try {
      this.value = JSON.parse(text) as unknown;
    } catch (error) {
      throw this.#notJson(error);
    }
  }

  /** The place of a part, such as `line 12 (assets.utterances.3)`. */
  at(...path: Path): Place {
    return { toString: () => this.#place(path) };
  }

  /** @param value what stands at the path. @throws KshotError `invalid_file` if it is no object. */
  object(value: unknown, ...path: Path): JsonObject {
    const object = asObject(value);
    if (object === undefined) throw invalidAt(this.at(...path), 'must be an object {…}');
    return object;
  }

  /** @returns an empty list where there is none. @throws KshotError `invalid_file` if it is something else. */
  list(value: unknown, ...path: Path): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw invalidAt(this.at(...path), 'must be a list […]');
    return value;
  }

  /** @throws KshotError `invalid_file` if it is no text. */
  string(value: unknown, ...path: Path): string {
    if (typeof value === 'string') return value;
    throw invalidAt(this.at(...path), value === undefined ? 'is missing' : 'must be a text in "quotes"');
  }

  /** As `string`; undefined where there is none, or an empty one. */
  optionalString(value: unknown, ...path: Path): string | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    return this.string(value, ...path);
  }

  #place(path: Path): string {
    const line = `line ${lineAt(this.text, offsetOf(this.text, path))}`;
    const place = path.length === 0 ? line : `${line} (${path.join('.')})`;
    return this.name === undefined ? place : `${this.name}, ${place}`;
  }

  #notJson(error: unknown): KshotError {
    // V8 names the offset of some errors only.
    const named = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
    const offset = named === undefined ? brokenAt(this.text) : Number(named);
    const line = `line ${lineAt(this.text, offset)}`;
    const place = this.name === undefined ? line : `${this.name}, ${line}`;
    return invalidAt(place, 'not JSON; is the file whole, and was it changed by hand?');
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether the text begins with what JSON objects and lists begin with. */
export function looksLikeJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

/** The object that a JSON value is; undefined where it is another. */
export function asObject(value: unknown): JsonObject | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : undefined;
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Lists, objects and values of JSON, before it is parsed; of what is no JSON any number. */
function countParts(text: string): number {
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = skipString(text, at) - 1;
    else if (code === 0x2c) parts++;
    else if (code === 0x7b || code === 0x5b) parts += PARTS_OF_CONTAINER;
  }
  return parts;
}

/** What an empty list or object costs, in values. */
const PARTS_OF_CONTAINER = 3;

const TOKEN =
  // eslint-disable-next-line no-control-regex
  /[{}[\],:]|"[^"\\\u0000-\u001f]*(?:\\.[^"\\\u0000-\u001f]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a text stops to be JSON. Without recursion: it may be nested deeply. */
function brokenAt(text: string): number {
  const open: string[] = [];
  let wanted: 'value' | 'item' | 'key' | 'name' | 'colon' | 'next' = 'value';
  for (let at = skipBlank(text, 0); at < text.length; at = skipBlank(text, at)) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0] ?? '';
    const first = token.charAt(0);
    const isEnd = first === '}' || first === ']';
    if (first === '') return at;
    if (isEnd) {
      const allowed = wanted === 'next' || (first === '}' ? wanted === 'key' : wanted === 'item');
      if (!allowed || open.pop() !== (first === '}' ? '{' : '[')) return at;
      wanted = 'next';
    } else if (wanted === 'next') {
      if (first !== ',' || open.length === 0) return at;
      wanted = open.at(-1) === '{' ? 'name' : 'value';
    } else if (wanted === 'colon') {
      if (first !== ':') return at;
      wanted = 'value';
    } else if (wanted === 'key' || wanted === 'name') {
      if (first !== '"') return at;
      wanted = 'colon';
    } else if (first === '{' || first === '[') {
      open.push(first);
      wanted = first === '{' ? 'key' : 'item';
    } else if (first === ',' || first === ':') return at;
    else wanted = 'next';
    at += token.length;
  }
  return text.length;
}

/** Where a part of valid JSON begins; of what is missing, where the part around it begins. */
function offsetOf(text: string, path: Path): number {
  let at = skipBlank(text, 0);
  for (const key of path) {
    const found = text[at] === '{' ? memberOf(text, at, String(key)) : itemOf(text, at, Number(key));
    if (found === undefined) return at;
    at = found;
  }
  return at;
}

function memberOf(text: string, open: number, key: string): number | undefined {
  let at = skipBlank(text, open + 1);
  let found: number | undefined;
  while (at < text.length && text[at] !== '}') {
    const end = skipString(text, at);
    const name = JSON.parse(text.slice(at, end)) as string;
    at = skipBlank(text, skipBlank(text, end) + 1);
    if (name === key) found = at; // The last of one name counts.
    at = skipBlank(text, skipValue(text, at));
    if (text[at] === ',') at = skipBlank(text, at + 1);
  }
  return found;
}

function itemOf(text: string, open: number, index: number): number | undefined {
  if (text[open] !== '[') return undefined;
  let at = skipBlank(text, open + 1);
  for (let i = 0; i < index && at < text.length && text[at] !== ']'; i++) {
    at = skipBlank(text, skipValue(text, at));
    if (text[at] === ',') at = skipBlank(text, at + 1);
  }
  return text[at] === ']' ? undefined : at;
}

function skipBlank(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++;
  return at;
}

/** @returns the offset behind the closing quote. */
function skipString(text: string, from: number): number {
  let at = from + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) at++;
    else if (code === 0x22) break;
  }
  return at + 1;
}

/** @returns the offset behind the value. Without recursion: values may be nested deeply. */
function skipValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at]!;
    if (character === '"') at = skipString(text, at);
    else if (character === '{' || character === '[') {
      depth++;
      at++;
    } else if (character === '}' || character === ']') {
      if (depth === 0) return at;
      depth--;
      at++;
    } else if (character === ',' && depth === 0) return at;
    else {
      at++;
      continue;
    }
    if (depth === 0) return at;
  }
  return at;
}
