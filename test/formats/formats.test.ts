import { describe, expect, test } from '@jest/globals';
import { readBounded, readOptions } from '../../src/cli/importExport.js';
import { MAX_FILE_BYTES } from '../../src/formats/decode.js';
import { readBot, writeBot, type ImportFormat } from '../../src/formats/formats.js';
import { KshotError } from '../../src/errors.js';

function read(text: string, format?: ImportFormat) {
  return readBot(Buffer.from(text), format === undefined ? {} : { format });
}

async function problemOf(input: string | Uint8Array, format?: ImportFormat, file?: string): Promise<string> {
  try {
    await readBot(typeof input === 'string' ? Buffer.from(input) : input, {
      ...(format && { format }),
      ...(file && readOptions(file)),
    });
  } catch (error) {
    if (error instanceof KshotError && error.code === 'invalid_file') return error.message;
    throw error;
  }
  throw new Error('it was read');
}

const AB = [
  { name: 'a', examples: ['one', 'two'] },
  { name: 'b', examples: ['three'] },
];

describe('CSV', () => {
  test.each([
    ['plain', 'intent,text\na,one\na,two\nb,three\n'],
    ['without a last line end', 'intent,text\na,one\na,two\nb,three'],
    ['columns the other way round', 'text,intent\none,a\ntwo,a\nthree,b\n'],
    ['semicolons', 'intent;text\na;one\na;two\nb;three\n'],
    ['tabs', 'intent\ttext\na\tone\na\ttwo\nb\tthree\n'],
    ['other names, capitals, blanks', 'Utterance , LABEL\none,a\ntwo, a\nthree,b \n'],
    ['quotes', '"intent","text"\n"a","one"\n"a","two"\n"b","three"\n'],
    ['an intent in two places', 'intent,text\na,one\nb,three\na,two\n'],
    ['short rows and long headers', 'text,category,kind\none,a\ntwo,a,\nthree,b,example\n'],
  ])('reads %s', async (_, text) => {
    expect(await read(text)).toEqual({
      format: 'csv',
      document: { intents: AB, counterexamples: [] },
      notes: [],
    });
  });

  test('keeps commas, quotes and line breaks of texts', async () => {
    const { document } = await read('intent,text\na,"one, ""two""\nthree"\na,say "four"\na, five\n');
    expect(document.intents).toEqual([{ name: 'a', examples: ['one, "two"\nthree', 'say "four"', ' five'] }]);
  });

  test('takes descriptions, counter-examples and intents without examples', async () => {
    const { document } = await read(
      'intent,text,kind\na,About a,description\n,weather,Counterexample\nb,,\n',
    );
    expect(document).toEqual({
      intents: [
        { name: 'a', description: 'About a', examples: [] },
        { name: 'b', examples: [] },
      ],
      counterexamples: ['weather'],
    });
  });

  test('prefers the exact name and tells what it ignores', async () => {
    const { document, notes } = await read(
      'id,intent,text,category\n7,a,one,money\n\n8,a,one,money\n,,,\n9,a,  ,x\n',
    );
    expect(document.intents).toEqual([{ name: 'a', examples: ['one'] }]);
    expect(notes).toEqual([
      'ignored the columns "id", "category"',
      'skipped 2 empty lines (lines 3, 5)',
      'skipped 1 repeated text (line 4)',
      'skipped 1 empty text (line 6)',
    ]);
  });

  test.each([
    ['no header', 'a,one\n', 'line 1: no CSV header'],
    ['an unknown column', 'intent,phrase\na,one\n', 'line 1: no CSV header'],
    [
      'a comma too many',
      'intent,text\na,one\na,"x\ny"\na,hello, you\n',
      'line 5: 3 fields where the header has 2',
    ],
    ['a quote that stays open', 'intent,text\na,"one\nb,two\n', 'never closed'],
    ['a text that nobody labelled', 'intent,text\na,one\n,two\n', 'line 3: a text without an intent'],
    ['an unknown kind', 'intent,text,kind\na,one,test\n', 'line 2: unknown kind "test"'],
    [
      'a counter-example with an intent',
      'intent,text,kind\na,one,counterexample\n',
      'line 2: a counter-example',
    ],
    [
      'two descriptions',
      'intent,text,kind\na,x,description\na,y,description\n',
      'line 3: intent "a" has another',
    ],
    ['a header alone', 'intent,text\n', 'there is no intent in it'],
  ])('refuses %s', async (_, text, message) => {
    expect(await problemOf(text, 'csv')).toContain(message);
  });
});

describe('JSON lines', () => {
  test('reads examples, descriptions, counter-examples, names of others', async () => {
    const text = [
      '{"intent": "a", "text": "one"}',
      '{"intent": "a", "description": "About a"}',
      '{"label": "a", "utterance": "two", "id": 7}',
      '',
      '{"text": "weather", "counterexample": true}',
      '{"intent": " b "}',
      '{"intent": "a", "text": "one", "description": null}',
    ].join('\r\n');
    expect(await read(text)).toEqual({
      format: 'jsonl',
      document: {
        intents: [
          { name: 'a', description: 'About a', examples: ['one', 'two'] },
          { name: 'b', examples: [] },
        ],
        counterexamples: ['weather'],
      },
      notes: ['ignored the keys "id"', 'skipped 1 empty line (line 4)', 'skipped 1 repeated text (line 7)'],
    });
  });

  test.each([
    ['half an object', '{"intent": "a", "text": "one"}\n{"intent": "a",\n', 'line 2: not JSON'],
    ['one array', '[{"intent": "a", "text": "one"}]', 'line 1: not an object'],
    ['a number for a text', '{"intent": "a", "text": 1}', 'line 1: "text"'],
    ['a text without an intent', '{"text": "one"}', 'line 1: neither "intent"'],
    ['an empty intent', '{"intent": " ", "text": "one"}', 'line 1: the name of the intent is empty'],
    ['keys of another format', '{"intent": "a", "examples": ["one"]}', 'line 1: neither "text"'],
    [
      'an intent of a counter-example',
      '{"intent": "a", "text": "x", "counterexample": true}',
      'belongs to no intent',
    ],
    ['a counter-example without a text', '{"counterexample": true}', 'without "text"'],
  ])('refuses %s', async (_, text, message) => {
    expect(await problemOf(text)).toContain(message);
  });
});

describe('Rasa NLU YAML', () => {
  test('reads what Rasa writes, and says what it leaves out', async () => {
    const text = `# training data
version: "3.1"
nlu:
- intent: greet   # a comment
  examples: |
    - hey
    # not an example
    - hello [Anna](name), it's [me]{"entity": "name", "value": "x"}

    -  good morning [here][{"entity": "place"}, {"entity": "spot"}]
    - - minus
- intent: faq/fees
  metadata:
    sentiment: neutral
  examples:
    - text: |
        what does it cost [today](time)
      metadata:
        sentiment: neutral
    - text: "yes"
    - fees?
- synonym: NYC
  examples: |
    - new york
- lookup: fruit
  examples: |
    - apple
- regex: zip
  examples: |
    - \\d{5}
- regex: phone
  examples: |
    - \\d+
- intent: out_of_scope
  examples: |
    - weather
rules:
- rule: x
`;
    expect(await read(text)).toEqual({
      format: 'rasa',
      document: {
        intents: [
          {
            name: 'greet',
            examples: ['hey', "hello Anna, it's me", 'good morning here', '- minus'],
          },
          { name: 'faq/fees', examples: ['what does it cost today', 'yes', 'fees?'] },
        ],
        counterexamples: ['weather'],
      },
      notes: [
        'read the intent "out_of_scope" as counter-examples (with metadata "counterexamples: false" it stays an intent)',
        'ignored metadata "sentiment", 2 times',
        'ignored a synonym table',
        'ignored a lookup table',
        'ignored a regex table, 2 times',
        'ignored the part "rules"',
        'skipped 1 comment (line 7)',
        'skipped 1 empty line (line 9)',
      ],
    });
  });

  test('keeps brackets that are no annotation', async () => {
    const { document } = await read(
      'nlu:\n- intent: a\n  examples: |\n    - [x] (y)\n    - a[0](\n    - see [1]{2}\n',
    );
    expect(document.intents[0]?.examples).toEqual(['[x] (y)', 'a[0](', 'see [1]{2}']);
  });

  test('takes words for what they are, not for booleans or numbers', async () => {
    const { document } = await read('nlu:\n- intent: yes\n  examples:\n  - no\n  - 007\n  - null\n  - 1e3\n');
    expect(document.intents).toEqual([{ name: 'yes', examples: ['no', '007', 'null', '1e3'] }]);
  });

  test('follows anchors', async () => {
    const { document } = await read(
      'nlu:\n- intent: a\n  examples: &x |\n    - one\n- intent: b\n  examples: *x\n',
    );
    expect(document.intents.map(({ examples }) => examples)).toEqual([['one'], ['one']]);
  });

  test('takes linear time for a line of brackets', async () => {
    const line = '['.repeat(200_000) + '[x]('.repeat(50_000);
    const { document } = await read(`nlu:\n- intent: a\n  examples: |\n    - ${line}\n`);
    expect(document.intents[0]?.examples).toEqual([line]);
  });

  test('writes lines where it can, objects where it must', () => {
    const text = writeBot(
      {
        intents: [
          { name: 'greet', description: 'Says: hello', examples: ['hey', '- you', '#1', 'a: b'] },
          { name: 'yes', examples: ['[Oslo](city)', 'plain'] },
          { name: 'empty', examples: [] },
        ],
        counterexamples: ['weather'],
      },
      'rasa',
    );
    expect(text).toBe(`version: "3.1"

nlu:
  - intent: greet
    metadata:
      description: "Says: hello"
    examples: |
      - hey
      - - you
      - #1
      - a: b

  - intent: "yes"
    examples:
      - text: "[Oslo](city)"
        metadata:
          literal: true
      - text: "plain"

  - intent: empty
    examples: ""

  - intent: out_of_scope
    metadata:
      counterexamples: true
    examples: |
      - weather
`);
  });

  test.each([
    ['a domain file', 'version: "3.1"\nintents:\n- greet\n', 'there is no "nlu:" part'],
    ['bad indentation', 'nlu:\n- intent: a\n   examples: |\n    - one\n', 'not YAML'],
    ['a key twice', 'nlu:\n- intent: a\n  intent: b\n', 'line 3: not YAML'],
    [
      'an example without a dash',
      'nlu:\n- intent: a\n  examples: |\n    - one\n    two\n',
      'line 5: an example must',
    ],
    ['a folded block', 'nlu:\n- intent: a\n  examples: >\n    - one\n    - two\n', 'line 3: "examples: >"'],
    ['no list', 'nlu:\n  intent: a\n', 'line 2: "nlu:" must hold a list'],
    [
      'an entry without an intent',
      'nlu:\n- examples: |\n    - one\n',
      'line 2: an entry of "nlu:" without "intent:"',
    ],
    [
      'an example without a text',
      'nlu:\n- intent: a\n  examples:\n  - metadata: x\n',
      'line 4: an example without',
    ],
    [
      'an empty name',
      'nlu:\n- intent:\n  examples: |\n    - one\n',
      'line 2: the name of the intent is empty',
    ],
    ['a list for a name', 'nlu:\n- intent: [a]\n', 'line 2: the name of the intent must be a text'],
    ['nothing', 'nlu:\n', 'must hold a list'],
  ])('refuses %s', async (_, text, message) => {
    expect(await problemOf(text, 'rasa')).toContain(message);
  });
});

describe('any file', () => {
  test('is named in its errors', async () => {
    expect(await problemOf('{"text": 1}', undefined, 'bot.jsonl')).toBe(
      'bot.jsonl: line 1: "text": Invalid input: expected string, received number',
    );
  });

  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'the file is empty'],
    ['blanks', ' \n\n', 'the file is empty'],
    ['prose', 'Dear bank,\ni lost my card.\n', 'neither CSV'],
    [
      'Latin-1',
      Buffer.from('intent,text\na,caf\xe9\n', 'latin1'),
      'line 2: this is not UTF-8 (byte 0xe9), but Latin-1',
    ],
    [
      'UTF-16 without a mark',
      Buffer.from('intent,text\na,one\n', 'utf16le'),
      'UTF-16 without a byte order mark',
    ],
    ['half of UTF-16', Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x41, 0x00]), 'broken UTF-16'],
    ['half an archive', Buffer.from('PK\x03\x04rest'), 'the ZIP archive is damaged'],
    ['too much', Buffer.alloc(MAX_FILE_BYTES + 1, 'a'), 'longer than 64 MiB'],
  ])('that holds %s is refused', async (_, input, message) => {
    expect(await problemOf(input)).toContain(message);
  });

  test('without a telling content is read as its name says', async () => {
    expect(await problemOf('phrase,class\nx,y\n', undefined, 'data.csv')).toContain(
      'data.csv: line 1: no CSV header',
    );
    expect(await problemOf('responses:\n  a: b\n', undefined, 'x.yml')).toContain('there is no "nlu:" part');
  });

  test('that shares texts between intents is worth a note', async () => {
    const { notes } = await read('intent,text,kind\na,one,\nb,one,\n,one,counterexample\n');
    expect(notes).toEqual(['"one" stands in a and in b and in the counter-examples']);
  });

  test('is not read further than its limit', async () => {
    let parts = 0;
    async function* endless() {
      for (;;) {
        parts++;
        yield await Promise.resolve(Buffer.alloc(16 * 1024 * 1024));
      }
    }
    await expect(readBounded(endless())).rejects.toThrow('longer than 64 MiB');
    expect(parts).toBe(5);
  });
});
