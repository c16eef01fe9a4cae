import { isMap, isScalar, isSeq, Scalar, type YAMLMap } from 'yaml';
import {
  DocumentBuilder,
  invalidAt,
  type BotDocument,
  type Reading,
  type TextReader,
  type Writer,
} from './document.js';
import { linesOf } from './lines.js';
import { hasAnnotations, withoutAnnotations } from './rasaText.js';
import { YamlFile, type YamlPlace } from './yamlFile.js';

/*
 * Rasa NLU training data, YAML (https://rasa.com/docs/rasa/training-data-format): intents with their examples.
 * What Rasa has no place for is carried in `metadata`, where Rasa allows any key:
 *
 * - `description` of an intent;
 * - `counterexamples: true` marks an intent whose examples are the bot's counter-examples. Rasa's own custom is an
 *   intent named `out_of_scope`, so that is read as counter-examples too, unless it says `counterexamples: false`;
 * - `literal: true` marks an example that stands for itself, untrimmed and without entity annotations.
 */

const OUT_OF_SCOPE = 'out_of_scope';

export const rasa: TextReader & Writer = { read, write };

/** Whether the text looks like YAML with Rasa's sections. */
export function looksLikeRasa(text: string): boolean {
  return /^(["']?)(version|nlu|intents|stories|rules)\1[^\S\n]*:/m.test(text);
}

function read(text: string): Reading {
  return new RasaReader(text).read();
}

class RasaReader {
  readonly #file: YamlFile;
  readonly #builder = new DocumentBuilder();
  readonly #ignored = new Map<string, number>();

  constructor(text: string) {
    this.#file = new YamlFile(text);
  }

  read(): Reading {
    const root = this.#file.root;
    if (!isMap(root)) throw invalidAt(1, 'no Rasa NLU data; it begins with "version:" and "nlu:"');
    let found = false;
    for (const [key, place] of this.#file.entries(root)) {
      if (key === 'nlu') {
        found = true;
        this.#readSections(place);
      } else if (key !== 'version') this.#ignore(`the part "${key}"`);
    }
    if (!found) {
      throw invalidAt(
        1,
        'there is no "nlu:" part; a domain or stories file holds no examples, import nlu.yml instead',
      );
    }
    for (const [what, count] of this.#ignored) {
      this.#builder.remark(`ignored ${what}${count > 1 ? `, ${count} times` : ''}`);
    }
    return this.#builder.finish();
  }

  #readSections({ node, line }: YamlPlace): void {
    if (!isSeq(node)) throw invalidAt(line, '"nlu:" must hold a list of "- intent: …"');
    for (const item of node.items) {
      const section = this.#file.place(item, line);
      if (!isMap(section.node)) {
        throw invalidAt(section.line, 'an entry of "nlu:" must be "- intent: …" with "examples: |" below it');
      }
      this.#readSection(section.node, section.line);
    }
  }

  #readSection(section: YAMLMap, line: number): void {
    const entries = new Map(this.#file.entries(section));
    const intent = entries.get('intent');
    if (intent === undefined) {
      const kind = [...entries.keys()].find((key) => ['synonym', 'regex', 'lookup'].includes(key));
      if (kind === undefined) throw invalidAt(line, 'an entry of "nlu:" without "intent:"');
      this.#ignore(`a ${kind} table`);
      return;
    }
    const name = this.#file.string(intent, 'the name of the intent').trim();
    const metadata = this.#metadata(entries.get('metadata'));
    const description = metadata.get('description');
    const marked = metadata.get('counterexamples');
    const isOutOfScope = marked === 'true' || (marked === undefined && name === OUT_OF_SCOPE);
    for (const key of metadata.keys()) {
      if (key !== 'description' && key !== 'counterexamples') this.#ignore(`metadata "${key}"`);
    }
    for (const key of entries.keys()) {
      if (!['intent', 'examples', 'metadata'].includes(key)) this.#ignore(`the key "${key}" of an intent`);
    }
    if (isOutOfScope && marked === undefined) {
      this.#builder.remark(
        `read the intent "${name}" as counter-examples (with metadata "counterexamples: false" it stays an intent)`,
      );
    }
    if (!isOutOfScope) {
      this.#builder.intent(name, intent.line);
      if (description !== undefined) this.#builder.description(name, description, intent.line);
    }
    const examples = entries.get('examples');
    if (examples === undefined) return;
    this.#readExamples(examples, (text, at) => {
      if (isOutOfScope) this.#builder.counterexample(text, at);
      else this.#builder.example(name, text, at);
    });
  }

  #readExamples({ node, line }: YamlPlace, add: (text: string, line: number) => void): void {
    if (isScalar(node)) {
      this.#readBlock(node, line, add);
      return;
    }
    if (!isSeq(node)) throw invalidAt(line, '"examples:" must be a block "|" of "- text" lines, or a list');
    for (const item of node.items) {
      const example = this.#file.place(item, line);
      if (isMap(example.node)) this.#readExampleObject(example.node, example.line, add);
      else {
        const text = this.#file.string(example, 'an example').trim();
        add(withoutAnnotations(text), example.line);
      }
    }
  }

  /** `examples: |` and a line `- text` an example. */
  #readBlock(node: Scalar, line: number, add: (text: string, line: number) => void): void {
    if (node.type === Scalar.BLOCK_FOLDED) {
      throw invalidAt(line, '"examples: >" joins its lines to one; write "examples: |"');
    }
    const first = node.type === Scalar.BLOCK_LITERAL ? line + 1 : line;
    for (const [raw, number] of linesOf(String(node.value))) {
      const at = number - 1;
      const content = raw.trim();
      if (content === '') this.#builder.skip('empty line', first + at);
      else if (content.startsWith('#')) this.#builder.skip('comment', first + at);
      else if (content.startsWith('-')) add(withoutAnnotations(content.slice(1).trim()), first + at);
      else
        throw invalidAt(
          first + at,
          `an example must begin with "- "; this line is "${content.slice(0, 40)}"`,
        );
    }
  }

  /** `- text: …`, with or without metadata. */
  #readExampleObject(example: YAMLMap, line: number, add: (text: string, line: number) => void): void {
    const entries = new Map(this.#file.entries(example));
    const place = entries.get('text');
    if (place === undefined) throw invalidAt(line, 'an example without "text:"');
    const text = this.#file.string(place, 'the text of an example');
    const metadata = this.#metadata(entries.get('metadata'));
    for (const key of metadata.keys()) {
      if (key !== 'literal') this.#ignore(`metadata "${key}"`);
    }
    for (const key of entries.keys()) {
      if (key !== 'text' && key !== 'metadata') this.#ignore(`the key "${key}" of an example`);
    }
    add(metadata.get('literal') === 'true' ? text : withoutAnnotations(text.trim()), place.line);
  }

  /** Scalar entries by key; anything nested reads as an empty string, for only its name is told. */
  #metadata(place: YamlPlace | undefined): Map<string, string> {
    if (place === undefined) return new Map();
    // Rasa takes any value here, a bare string too.
    if (!isMap(place.node)) {
      this.#ignore('metadata that is no mapping');
      return new Map();
    }
    return new Map(
      this.#file
        .entries(place.node)
        .map(([key, { node }]) => [key, isScalar(node) ? String(node.value) : '']),
    );
  }

  #ignore(what: string): void {
    this.#ignored.set(what, (this.#ignored.get(what) ?? 0) + 1);
  }
}

function write(document: BotDocument): string {
  const sections = document.intents.map(({ name, description, examples }) => {
    const metadata = [
      ...(name === OUT_OF_SCOPE ? ['counterexamples: false'] : []),
      ...(description === undefined ? [] : [`description: ${scalar(description)}`]),
    ];
    return section(name, metadata, examples);
  });
  if (document.counterexamples.length > 0) {
    sections.push(section(OUT_OF_SCOPE, ['counterexamples: true'], document.counterexamples));
  }
  return `version: "3.1"\n\nnlu:\n${sections.join('\n')}`;
}

function section(name: string, metadata: readonly string[], examples: readonly string[]): string {
  const lines = [`  - intent: ${scalar(name)}`];
  if (metadata.length > 0) lines.push('    metadata:', ...metadata.map((entry) => `      ${entry}`));
  if (examples.length === 0) lines.push('    examples: ""');
  else if (examples.every(fitsBlock))
    lines.push('    examples: |', ...examples.map((text) => `      - ${text}`));
  else lines.push('    examples:', ...examples.flatMap(exampleObject));
  return `${lines.join('\n')}\n`;
}

/** Rasa takes either all examples of an intent as lines or all as objects. */
function exampleObject(text: string): string[] {
  const lines = [`      - text: ${doubleQuoted(text)}`];
  if (!fitsBlock(text)) lines.push('        metadata:', '          literal: true');
  return lines;
}

/** Whether the text is the same after it has been a line of a block. */
function fitsBlock(text: string): boolean {
  return text === text.trim() && text.search(UNPRINTABLE) === -1 && !hasAnnotations(text);
}

/** A plain scalar where nobody could take it for anything else, so that files stay readable. */
function scalar(text: string): string {
  const isPlain =
    /^[A-Za-z_][\w/.-]*( [\w/.,'-]+)*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text);
  return isPlain ? text : doubleQuoted(text);
}

/** JSON's escapes are YAML's; what JSON leaves raw and YAML may not hold raw is escaped besides. */
function doubleQuoted(text: string): string {
  return JSON.stringify(text).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Control characters, line breaks of any kind, byte order marks, halves of surrogate pairs. */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Cs}/gu;
