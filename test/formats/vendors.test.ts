import { describe, expect, test } from '@jest/globals';
import { KshotError } from '../../src/errors.js';
import { MAX_TEXTS } from '../../src/formats/document.js';
import { exportLosses, readBot, writeBot, type FileReadOptions } from '../../src/formats/formats.js';
import { readBotBounded } from '../../src/formats/readBounded.js';

const read = (text: string, options?: FileReadOptions) => readBot(Buffer.from(text), options);
const readJson = (value: unknown, options?: FileReadOptions) =>
  read(JSON.stringify(value, undefined, 1), options);

async function problemOf(text: string, options?: FileReadOptions): Promise<string> {
  try {
    await read(text, options);
  } catch (error) {
    if (error instanceof KshotError && error.code === 'invalid_file') return error.message;
    throw error;
  }
  throw new Error('it was read');
}

const utterance = (text: string, intent: string, more: object = {}) => ({
  text,
  intent,
  language: 'en-us',
  dataset: 'Train',
  entities: [],
  ...more,
});

const CLU = {
  projectFileVersion: '2022-10-01-preview',
  stringIndexType: 'Utf16CodeUnit',
  metadata: { projectKind: 'Conversation', projectName: 'bank', multilingual: true, language: 'en-us' },
  assets: {
    projectKind: 'Conversation',
    intents: [{ category: 'card_lost' }, { category: 'None' }, { category: 'greet' }],
    entities: [{ category: 'card' }],
    utterances: [
      utterance('i lost my card', 'card_lost', { entities: [{ category: 'card', offset: 10, length: 4 }] }),
      utterance('what a day', 'None'),
      utterance('carte perdue', 'card_lost', { language: 'fr' }),
      utterance('held out', 'card_lost', { dataset: 'Test' }),
      utterance('hello', 'greet', { language: undefined }),
      { text: 'unlabelled', language: 'en-us' },
    ],
  },
};

describe('a CLU project', () => {
  test('is read in its language, without its test set', async () => {
    expect(await readJson(CLU)).toEqual({
      format: 'clu',
      language: 'en-us',
      languagesLeftOut: ['fr'],
      document: {
        intents: [
          { name: 'card_lost', examples: ['i lost my card'] },
          { name: 'greet', examples: ['hello'] },
        ],
        counterexamples: ['what a day'],
      },
      notes: [
        'read the intent "None" as counter-examples',
        'ignored 1 entity',
        'read the texts in "en-us"; left out: fr (choose with the option language)',
        'skipped 1 utterance of the test set (line 56 (assets.utterances.3))',
        'skipped 1 utterance without an intent (line 69 (assets.utterances.5))',
      ],
    });
    const { document } = await readJson(CLU, { language: 'fr' });
    expect(document.intents).toContainEqual({ name: 'card_lost', examples: ['carte perdue'] });
  });

  test('is written as Azure imports it, in the language that is named', () => {
    const document = { intents: [{ name: 'a', examples: ['x'] }], counterexamples: ['y'] };
    const written = JSON.parse(writeBot(document, 'clu', { language: 'de-de' })) as typeof CLU;
    expect(written).toMatchObject({
      projectFileVersion: expect.any(String),
      stringIndexType: 'Utf16CodeUnit',
      metadata: { projectKind: 'Conversation', language: 'de-de' },
      assets: {
        projectKind: 'Conversation',
        intents: [{ category: 'a' }, { category: 'None' }],
        utterances: [
          { text: 'x', intent: 'a', language: 'de-de', dataset: 'Train' },
          { text: 'y', intent: 'None', language: 'de-de', dataset: 'Train' },
        ],
      },
    });
    expect(exportLosses(document, 'clu')).toEqual([]);
    const described = { intents: [{ name: 'a', description: 'A', examples: [] }], counterexamples: [] };
    expect(exportLosses(described, 'clu')).toEqual([expect.stringContaining('descriptions')]);
    expect(exportLosses(described, 'kshot')).toEqual([]);
  });

  test('cannot hold an intent that is called None', () => {
    const document = { intents: [{ name: 'None', examples: ['x'] }], counterexamples: [] };
    expect(() => writeBot(document, 'clu')).toThrow('rename it');
  });
});

const WATSON = {
  name: 'Bank',
  language: 'en',
  intents: [
    { intent: 'card_lost', description: '', examples: [{ text: 'lost my card', mentions: [] }] },
    { intent: 'greet', description: 'Says hello', examples: [{ text: 'hello' }, { text: 'hello' }] },
  ],
  entities: [{ entity: 'card' }],
  dialog_nodes: [{ dialog_node: 'x' }, { dialog_node: 'y' }],
  counterexamples: [{ text: 'what a day' }],
};

describe('a workspace of Watson Assistant', () => {
  const document = {
    intents: [
      { name: 'card_lost', examples: ['lost my card'] },
      { name: 'greet', description: 'Says hello', examples: ['hello'] },
    ],
    counterexamples: ['what a day'],
  };

  test('is read', async () => {
    expect(await readJson(WATSON)).toEqual({
      format: 'watson',
      language: 'en',
      document,
      notes: [
        'ignored entities (1)',
        'ignored dialog nodes (2)',
        'skipped 1 repeated text (line 22 (intents.1.examples.1))',
      ],
    });
  });

  test('may be inside a skill', async () => {
    const read = await readJson({ type: 'dialog', workspace: WATSON });
    expect(read).toMatchObject({ format: 'watson', document });
  });

  test('as CSV has no header: the text, then the intent', async () => {
    const text = 'i lost my card,card_lost\n"hello, you",#greet\n\nhello,greet\n';
    expect(await read(text)).toEqual({
      format: 'watson-csv',
      document: {
        intents: [
          { name: 'card_lost', examples: ['i lost my card'] },
          { name: 'greet', examples: ['hello, you', 'hello'] },
        ],
        counterexamples: [],
      },
      notes: ['skipped 1 empty line (line 3)'],
    });
  });

  test.each([
    ['nobody knows which is which', 'greet,hello\nbye,ciao\n', 'neither CSV'],
    ['the intent comes first', 'greet,hello there\nbye,see you\n', 'neither CSV'],
  ])('as CSV is not guessed where %s', async (_, text, message) => {
    expect(await problemOf(text)).toContain(message);
  });

  test.each([
    ['a text without its intent', 'a b,x\nc d,\n', 'line 2: a text without an intent'],
    ['a comma too many', 'a b,x\nc, d,y\n', 'line 2: 3 fields'],
  ])('as CSV is refused with %s', async (_, text, message) => {
    expect(await problemOf(text, { format: 'watson-csv' })).toContain(message);
  });
});

describe('routes of semantic-router', () => {
  const document = {
    intents: [
      { name: 'politics', description: 'About politics', examples: ["isn't politics the best", 'yes'] },
      { name: 'chitchat', examples: ['how is the weather'] },
    ],
    counterexamples: [],
  };
  const routes = [
    {
      name: 'politics',
      utterances: ["isn't politics the best", 'yes', 'yes'],
      description: 'About politics',
      function_schemas: null,
      llm: { module: 'x', class: 'y', model: 'z' },
      score_threshold: 0.3,
      metadata: null,
    },
    { name: 'chitchat', utterances: ['how is the weather', 7], description: null, score_threshold: null },
  ];

  test('are read from JSON', async () => {
    expect(await readJson({ encoder_type: 'openai', encoder_name: 'x', routes })).toEqual({
      format: 'semantic-router',
      document,
      notes: [
        'ignored "llm", "score_threshold" of the routes',
        'skipped 1 repeated text (line 10 (routes.0.utterances.2))',
        'skipped 1 utterance that is no text (line 26 (routes.1.utterances.1))',
      ],
    });
    expect((await readJson(routes)).document).toEqual(document);
  });

  test('are read from YAML', async () => {
    const text = `encoder_name: x
encoder_type: openai
routes:
- description: About politics
  function_schemas: null
  llm: null
  name: politics
  score_threshold: 0.3
  utterances:
  - isn't politics the best
  - yes
- name: chitchat
  description: null
  utterances:
  - how is the weather
  - [an, image]
`;
    expect(await read(text)).toEqual({
      format: 'semantic-router',
      document,
      notes: ['ignored "score_threshold" of the routes', 'skipped 1 utterance that is no text (line 16)'],
    });
  });

  test.each([
    ['no list', 'routes: x\n', 'line 1: no routes'],
    ['a route without a name', 'routes:\n- utterances: [x]\n', 'line 2: a route without "name:"'],
    ['utterances that are no list', 'routes:\n- name: a\n  utterances: x\n', 'line 3: "utterances:" must'],
    ['a route that is none', '{"routes": [\n7]}', 'line 2 (routes.0): must be an object'],
    ['a name that is none', '{"routes": [{"utterances": ["x"]}]}', 'line 1 (routes.0.name): is missing'],
  ])('are refused with %s', async (_, text, message) => {
    expect(await problemOf(text)).toContain(message);
  });
});

describe('a kshot document', () => {
  test('is what the API takes and gives', async () => {
    const read = await readJson({
      intents: [
        { name: 'a', description: null, examples: [{ id: 7, text: 'one' }, 'two'] },
        { name: 'b', examples: [], colour: 'red' },
      ],
      counterexamples: [{ id: 8, text: 'x' }],
      bot: 'bank',
    });
    expect(read).toEqual({
      format: 'kshot',
      document: {
        intents: [
          { name: 'a', examples: ['one', 'two'] },
          { name: 'b', examples: [] },
        ],
        counterexamples: ['x'],
      },
      notes: ['ignored the keys "bot", "colour"'],
    });
  });

  test.each([
    ['a newer version', '{"kshot": 2, "intents": []}', 'line 1 (kshot): this kshot reads version 1'],
    ['a broken end', '{"kshot": 1,\n"intents": [', 'line 2: not JSON'],
    ['a broken middle', '{"kshot": 1,\n"intents": [}\n]}', 'line 2: not JSON'],
    ['an intent without a name', '{"kshot": 1, "intents": [\n{}]}', 'line 2 (intents.0.name): is missing'],
    ['a number', '{"intents": [{"name": "a", "examples": [\n"x",\n7]}]}', 'line 3 (intents.0.examples.1)'],
    ['an empty name', '{"intents": [{"name": " "}]}', 'line 1 (intents.0): the name of the intent is empty'],
    ['nothing', '{"kshot": 1}', 'there is no intent in it'],
    ['nothing that is known', '{"a": {"b\\"}": []}}', 'JSON of none of the formats'],
  ])('is refused with %s', async (_, text, message) => {
    expect(await problemOf(text)).toContain(message);
  });

  test('joins an intent that stands twice, and says where its descriptions differ', async () => {
    const twice = (first: object, second: object) => JSON.stringify({ intents: [first, second] });
    const { document } = await read(
      twice({ name: 'a', examples: ['x'] }, { name: 'a', examples: ['y', 'x'] }),
    );
    expect(document.intents).toEqual([{ name: 'a', examples: ['x', 'y'] }]);
    expect(await problemOf(twice({ name: 'a', description: 'A' }, { name: 'a', description: 'B' }))).toBe(
      'line 1 (intents.1): intent "a" has another description at line 1 (intents.0) already; keep one of them',
    );
  });
});

describe('whatever a file holds, it is read or refused', () => {
  test.each([
    ['deep JSON', `{"intents": ${'['.repeat(200_000)}${']'.repeat(200_000)}}`, 'none of the formats'],
    ['deep JSON that is broken', '['.repeat(200_000), 'not JSON'],
    ['deep YAML', `nlu: ${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'nested too deeply'],
    [
      'YAML that repeats itself by reference',
      `nlu:\n- &a\n  intent: a\n  examples: |\n    - x\n${'- *a\n'.repeat(101)}`,
      'more than 100 YAML aliases',
    ],
    ['a reference to nothing', 'nlu:\n- *a\n', 'line 2: "*a" names nothing'],
    [
      'more texts than a bot has',
      `{"intents": [{"name": "a", "examples": [${'"b",'.repeat(MAX_TEXTS)}"b"]}]}`,
      'line 1 (intents.0.examples.1000000): more than 1000000 texts',
    ],
    ['control characters', '\u0001\u0002\u0003', 'neither CSV'],
  ])('%s', async (_, text, message) => {
    expect(await problemOf(text)).toContain(message);
  });

  test('in a thread of its own, with the same outcome', async () => {
    const bytes = Buffer.from('intent,text\na,b\n');
    expect(await readBotBounded(bytes)).toEqual(await readBot(bytes));
    await expect(readBotBounded(Buffer.from('x'), { file: 'x.csv' })).rejects.toMatchObject({
      name: 'KshotError',
      code: 'invalid_file',
      message: expect.stringContaining('x.csv: '),
    });
    const left = AbortSignal.abort();
    await expect(readBotBounded(bytes, {}, left)).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('a language is asked for in vain where there are none', async () => {
    const { notes } = await read('intent,text\na,b\n', { language: 'de' });
    expect(notes).toEqual(['this format names no languages; all texts were read']);
  });
});
