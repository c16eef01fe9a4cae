import { describe, expect, test } from '@jest/globals';
import { KshotError } from '../../src/errors.js';
import { readBot, type FileReadOptions } from '../../src/formats/formats.js';
import { zip, zipJson } from './zips.js';

async function problemOf(bytes: Buffer, options: FileReadOptions = {}): Promise<string> {
  try {
    await readBot(bytes, options);
  } catch (error) {
    if (error instanceof KshotError && error.code === 'invalid_file') return error.message;
    throw error;
  }
  throw new Error('it was read');
}

const phrase = (...texts: string[]) => ({
  id: 'x',
  data: texts.map((text, i) => (i === 1 ? { text, alias: 'name', meta: '@sys.any' } : { text })),
  isTemplate: false,
  count: 0,
});

const ES = {
  'agent.json': { description: '', language: 'en', supportedLanguages: ['de'] },
  'package.json': { version: '1.0.0' },
  'entities/name.json': { name: 'name' },
  'intents/greet.json': { name: 'greet', fallbackIntent: false, responses: [] },
  'intents/greet_usersays_en.json': [
    phrase('hello'),
    phrase('i am ', 'Anna', ', hi'),
    phrase('hello '),
    { ...phrase('@sys.any here'), isTemplate: true },
  ],
  'intents/greet_usersays_de.json': [phrase('hallo')],
  // What the file is called is not always what the intent is called.
  'intents/card_lost.json': { name: 'card/lost', fallbackIntent: false },
  'intents/card_lost_usersays_en.json': [phrase('lost my card')],
  'intents/Default Fallback Intent.json': { name: 'Default Fallback Intent', fallbackIntent: true },
  'intents/Default Fallback Intent_usersays_en.json': [phrase('what is the weather')],
  'intents/Paid.json': { name: 'Paid', events: [{ name: 'PAID' }] },
};

describe('an agent of Dialogflow ES', () => {
  test('is read in its language', async () => {
    expect(await readBot(zipJson(ES))).toEqual({
      format: 'dialogflow-es',
      language: 'en',
      languagesLeftOut: ['de'],
      document: {
        intents: [
          { name: 'greet', examples: ['hello', 'i am Anna, hi'] },
          { name: 'card/lost', examples: ['lost my card'] },
        ],
        counterexamples: ['what is the weather'],
      },
      notes: [
        'read the training phrases of "Default Fallback Intent" as counter-examples: fallback intents',
        'left out "Paid": without training phrases in "en"',
        'read the texts in "en"; left out: de (choose with the option language)',
        'skipped 1 repeated text (intents/greet_usersays_en.json, line 1 (2))',
        'skipped 1 template phrase (intents/greet_usersays_en.json, line 1 (3))',
      ],
    });
  });

  test('is read in another language where that is asked for', async () => {
    const { document, notes } = await readBot(zipJson(ES), { language: 'DE' });
    expect(document).toEqual({ intents: [{ name: 'greet', examples: ['hallo'] }], counterexamples: [] });
    expect(notes).toContain('left out "card/lost", "Paid": without training phrases in "de"');
  });

  test('may be packed with its folder, by a Mac', async () => {
    const inside = Object.entries(ES).map(([name, value]): [string, unknown] => [`My Agent/${name}`, value]);
    const packed = zipJson({ ...Object.fromEntries<unknown>(inside), '__MACOSX/My Agent/._agent.json': 'x' });
    expect((await readBot(packed)).document.intents).toHaveLength(2);
  });

  test('of old has its phrases inside the intents', async () => {
    const { document } = await readBot(
      zipJson({
        'agent.json': { language: 'en' },
        'intents/greet.json': {
          name: 'greet',
          userSays: [phrase('hello'), { ...phrase('hola'), lang: 'es' }],
        },
      }),
    );
    expect(document.intents).toEqual([{ name: 'greet', examples: ['hello'] }]);
  });
});

const CX = {
  'agent.json': { displayName: 'Bank', defaultLanguageCode: 'en', supportedLanguageCodes: ['pt-br'] },
  'flows/Default Start Flow/Default Start Flow.json': { displayName: 'Default Start Flow' },
  'intents/greet/greet.json': {
    name: 'uuid',
    displayName: 'greet',
    priority: 500000,
    description: 'Says hello',
  },
  'intents/greet/trainingPhrases/en.json': {
    trainingPhrases: [
      { id: '1', parts: [{ text: 'hello', auto: true }], repeatCount: 1, languageCode: 'en' },
      { id: '2', parts: [{ text: 'i am ' }, { text: 'Anna', parameterId: 'name' }], repeatCount: 1 },
    ],
  },
  'intents/greet/trainingPhrases/pt-br.json': { trainingPhrases: [{ parts: [{ text: 'oi' }] }] },
  'intents/Default Negative Intent/Default Negative Intent.json': {
    displayName: 'Default Negative Intent',
    isFallback: true,
  },
  'intents/Default Negative Intent/trainingPhrases/en.json': {
    trainingPhrases: [{ parts: [{ text: 'tell me a joke' }] }],
  },
  'intents/empty/empty.json': { displayName: 'empty' },
};

describe('an agent of Dialogflow CX', () => {
  test('is read in its language', async () => {
    expect(await readBot(zipJson(CX))).toEqual({
      format: 'dialogflow-cx',
      language: 'en',
      languagesLeftOut: ['pt-br'],
      document: {
        intents: [{ name: 'greet', description: 'Says hello', examples: ['hello', 'i am Anna'] }],
        counterexamples: ['tell me a joke'],
      },
      notes: [
        'read the training phrases of "Default Negative Intent" as counter-examples: fallback intents',
        'left out "empty": without training phrases in "en"',
        'read the texts in "en"; left out: pt-br (choose with the option language)',
      ],
    });
  });

  test('is read in the only regional language that is meant', async () => {
    const { document, language } = await readBot(zipJson(CX), { language: 'pt' });
    expect(language).toBe('pt-br');
    expect(document.intents[0]?.examples).toEqual(['oi']);
  });

  test('has no texts in a language that it does not speak', async () => {
    expect(await problemOf(zipJson(CX), { language: 'fr', file: 'a.zip' })).toBe(
      'a.zip: there are no texts in "fr"; choose one of its languages: en, pt-br',
    );
  });
});

describe('an archive is refused', () => {
  const USERSAYS = 'intents/a_usersays_en.json';
  const agent = { name: 'agent.json', content: '{"language": "en"}' };

  test.each([
    ['that is cut off', zipJson(ES).subarray(0, 400), 'the ZIP archive is damaged'],
    ['that is another', zipJson({ 'nlu.yml': 'x' }), 'a ZIP archive without agent.json'],
    ['that is an Excel workbook', zipJson({ '[Content_Types].xml': '' }), 'export the sheet as CSV'],
    ['that holds nothing', zip([]), 'a ZIP archive without agent.json'],
    ['that holds an archive', zip([{ name: 'agent.zip', content: zipJson(ES) }]), 'without agent.json'],
    ['that names a file above it', zip([agent, { name: '../../x.json', content: '' }]), 'outside of itself'],
    ['that names a file by its root', zip([agent, { name: '/etc/x', content: '' }]), 'outside of itself'],
    ['that holds a name twice', zip([agent, agent]), '"agent.json" twice'],
    [
      'whose agent is no JSON',
      zip([{ name: 'agent.json', content: '{\n"language": x}' }]),
      'agent.json, line 2: not JSON',
    ],
    [
      'whose phrases are of another shape',
      zip([agent, { name: USERSAYS, content: '[\n{"data": [\n{"text": 7}]}]' }]),
      `${USERSAYS}, line 3 (0.data.0.text): must be a text`,
    ],
    [
      'whose phrases are no list',
      zip([agent, { name: USERSAYS, content: '{"data": []}' }]),
      `${USERSAYS}, line 1: must be a list`,
    ],
    [
      'whose phrases are in Latin-1',
      zip([agent, { name: USERSAYS, content: Buffer.from('[{"data": [{"text": "caf\xe9"}]}]', 'latin1') }]),
      `${USERSAYS}: line 1: this is not UTF-8`,
    ],
    ['that is encrypted', zip([{ ...agent, isEncrypted: true }]), 'agent.json: it is encrypted'],
    ['that says too little', zip([{ ...agent, saysLength: 3 }]), 'agent.json: the ZIP archive is damaged'],
    [
      'that says that it is a bomb',
      zip([{ ...agent, saysLength: 4_000_000_000 }]),
      'agent.json: the archive unpacks to more than 128 MiB',
    ],
    [
      'that is a bomb',
      zip([agent, { name: USERSAYS, content: Buffer.alloc(129 * 1024 * 1024, ' ') }]),
      `${USERSAYS}: the archive unpacks to more than 128 MiB`,
    ],
    [
      'that does not say it',
      zip([{ name: 'agent.json', content: Buffer.alloc(9_000_000), saysLength: 9 }]),
      'damaged',
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await problemOf(bytes)).toContain(message);
  });

  test('that is to be something else', async () => {
    expect(await problemOf(zipJson(ES), { format: 'csv' })).toBe(
      'this is a ZIP archive, not a CSV; unpack it',
    );
    expect(await problemOf(Buffer.from('intent,text\na,b\n'), { format: 'dialogflow-es' })).toBe(
      'a Dialogflow ES agent is a ZIP archive, and this is none',
    );
  });
});
