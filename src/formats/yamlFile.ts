import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  Scalar,
  type Alias,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
import { KshotError } from '../errors.js';
import { invalidAt } from './document.js';
import { refuseLongLines } from './lines.js';

/** Aliases that are followed in one file. Training data has none, mostly; a file that is made of them is an attack. */
const MAX_ALIASES = 100;

/** Of one line, in UTF-16 units: the lexer looks for the line's end at each token, and so takes the square of its length. */
const LONGEST_LINE = 512 * 1024;
/** Tokens of one file: half a million texts in lists. Each takes a kilobyte when it has become a node. */
const MAX_TOKENS = 3_000_000;

/** A node that is there, and the line where it begins. */
export interface YamlPlace {
  readonly node: Node;
  readonly line: number;
}

/** A YAML file whose every scalar is a string, so that the example `yes` stays one. JSON is YAML too. */
export class YamlFile {
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  #aliases = 0;

  /** @throws KshotError `invalid_file` with the line, if it is not YAML. */
  constructor(text: string) {
    this.#document = this.#parse(text);
    const [error] = this.#document.errors;
    if (error !== undefined) {
      // The parser calls itself for each level.
      if (/call stack/.test(error.message)) throw tooDeep(error);
      throw invalidAt(
        this.#lines.linePos(error.pos[0]).line,
        `not YAML: ${error.message}; mind the indentation`,
      );
    }
  }

  get root(): Node | null {
    return this.#document.contents;
  }

  /** A mapping's entries; a key without a value has an empty string. */
  entries(map: YAMLMap): [string, YamlPlace][] {
    return map.items.map(({ key, value }) => {
      const keyPlace = this.place(key, 1);
      return [this.string(keyPlace, 'a key'), this.place(value, keyPlace.line)];
    });
  }

  /** @param what the text is, for the error. @throws KshotError `invalid_file` for a mapping or a list. */
  string({ node, line }: YamlPlace, what: string): string {
    if (!isScalar(node)) throw invalidAt(line, `${what} must be a text; put it in "quotes"`);
    return typeof node.value === 'string' ? node.value : '';
  }

  /** @param fallback the line where there is nothing that could say. */
  place(value: unknown, fallback: number): YamlPlace {
    const node = isAlias(value) ? this.#follow(value, fallback) : value;
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return { node: new Scalar(''), line: fallback };
    const start = node.range?.[0];
    return { node, line: start === undefined ? fallback : this.#lines.linePos(start).line };
  }

  #follow(alias: Alias, line: number): Node {
    if (++this.#aliases > MAX_ALIASES) {
      throw invalidAt(line, `more than ${MAX_ALIASES} YAML aliases ("*name"); write the texts out`);
    }
    const node = alias.resolve(this.#document);
    if (node === undefined) throw invalidAt(line, `"*${alias.source}" names nothing that stands before it`);
    return node;
  }

  #parse(text: string): Document.Parsed {
    refuseLongLines(text, LONGEST_LINE);
    let tokens = 0;
    for (const _ of new Lexer().lex(text)) {
      if (++tokens > MAX_TOKENS) {
        throw new KshotError(
          'invalid_file',
          'this YAML has too many parts; write examples as "examples: |", split the file, or convert it to JSON lines',
        );
      }
    }
    try {
      return parseDocument(text, { schema: 'failsafe', lineCounter: this.#lines, prettyErrors: false });
    } catch (error) {
      if (error instanceof RangeError) throw tooDeep(error);
      throw error;
    }
  }
}

function tooDeep(cause: Error): KshotError {
  return new KshotError('invalid_file', 'this YAML is nested too deeply; is it training data?', { cause });
}
