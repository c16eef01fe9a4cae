import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readArscTests, readArscTraining } from '../../../src/learn/datasets/arsc.js';
import { readDataset } from '../../../src/learn/datasets/catalogue.js';
import { readClincOos } from '../../../src/learn/datasets/clincOos.js';
import { readFewRel, readRelationNames } from '../../../src/learn/datasets/fewrel.js';
import { readFewRelCfrl } from '../../../src/learn/datasets/fewrelCfrl.js';
import { readIntentSet } from '../../../src/learn/datasets/intentSets.js';
import { readClassSplitSet } from '../../../src/learn/datasets/metaPrompter.js';
import { readRedwood } from '../../../src/learn/datasets/redwood.js';
import { readRostd, readRostdOutOfScope } from '../../../src/learn/datasets/rostd.js';
import { readSnips } from '../../../src/learn/datasets/snips.js';
import { readTable } from '../../../src/learn/datasets/table.js';
import { filterClasses, textKey, withoutTextsOf, type TextSet } from '../../../src/learn/datasets/textSet.js';
import { Folder } from './folder.js';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

/** `[class, text]` of every row. */
const pairs = (set: TextSet) => set.texts.map((text, i) => [set.classes[set.labels[i]!]!.name, text]);

/** Expects an `invalid_file` whose message holds all of these. */
async function expectRefused(work: Promise<unknown>, ...parts: string[]): Promise<void> {
  await expect(work).rejects.toMatchObject({ code: 'invalid_file' });
  const message = await work.then(
    () => '',
    (error: Error) => error.message,
  );
  for (const part of parts) expect(message).toContain(part);
}

describe('FewRel', () => {
  const record = (tokens: string[], h: number[][], t: number[][]) => ({
    tokens,
    h: ['head', 'Q1', h],
    t: ['tail', 'Q2', t],
  });
  const tokens = ['Wilton', 'Bridge', ' ', 'spans', 'the', 'River', 'Wye', '.'];

  test('tokens to text, where the entities are, and what the relation means', async () => {
    const names = folder.write(
      'pid2name.json',
      '{"P177": ["crosses", "obstacle which this bridge crosses"], "P2": ["x", "No description defined"]}',
    );
    const file = folder.write(
      'val_wiki.json',
      JSON.stringify({
        P177: [record(tokens, [[0, 1]], [[5, 6]])],
        P2: [record(['a', 'b', 'a'], [[0], [2]], [[1]])],
      }),
    );
    const set = await readFewRel(file, { names: await readRelationNames(names) });
    expect(set.name).toBe('fewrel val_wiki');
    expect(pairs(set)).toEqual([
      ['P177', 'Wilton Bridge spans the River Wye .'],
      ['P2', 'a b a'],
    ]);
    expect(set.classes).toEqual([
      { name: 'P177', description: 'crosses: obstacle which this bridge crosses' },
      { name: 'P2', description: 'x' },
    ]);
    const [{ head, tail }, repeated] = set.entities as [
      NonNullable<TextSet['entities']>[0],
      (typeof set.entities & object)[0],
    ];
    expect(head).toEqual({ id: 'Q1', mentions: [{ tokens: [0, 2], characters: [0, 13] }] });
    expect(set.texts[0]!.slice(...tail.mentions[0]!.characters)).toBe('River Wye');
    expect(repeated.head.mentions).toEqual([
      { tokens: [0, 1], characters: [0, 1] },
      { tokens: [2, 3], characters: [4, 5] },
    ]);
  });

  test('marks around the first mention of each, which stand outside of the mention', async () => {
    const file = folder.write(
      'val_wiki.json',
      JSON.stringify({ P177: [record(tokens, [[5, 6]], [[0, 1], [7]])] }),
    );
    const set = await readFewRel(file, { marked: true });
    expect(set.texts[0]).toBe('# Wilton Bridge # spans the @ River Wye @ .');
    const { head, tail } = set.entities![0]!;
    expect(set.texts[0]!.slice(...head.mentions[0]!.characters)).toBe('River Wye');
    expect(set.texts[0]!.slice(...tail.mentions[0]!.characters)).toBe('Wilton Bridge');
    expect(set.texts[0]!.slice(...tail.mentions[1]!.characters)).toBe('.');
  });

  test.each([
    [record(['a', 'b'], [[0]], [[2]]), "tokens 2 are not all among the text's 2"],
    [record(['a', 'b', 'c'], [[0, 2]], [[1]]), 'tokens 0 2 are not neighbours'],
    [record(['a', 'b'], [], [[1]]), 'an entity without a mention'],
    [record(['a', 'b'], [[]], [[1]]), 'a mention without a token'],
    [{ tokens: ['a'], h: ['a', 'Q1', [[0]]] }, 'at "P1.1.t"'],
  ])('what is wrong is named with its place (%#)', async (wrong, message) => {
    const file = folder.write('bad.json', JSON.stringify({ P1: [record(tokens, [[0]], [[1]]), wrong] }));
    await expectRefused(readFewRel(file), file, 'P1.1', message);
  });
});

describe('FewRel as CFRL has it', () => {
  const line = (label: number, sentence: string, head = '0', tail = '1') =>
    [label, '3 4', sentence, 'h', head, 't', tail, 'Q1', 'Q2'].join('\t') + '\n';

  beforeEach(() => {
    folder.write('relation_name.txt', Array.from({ length: 80 }, (_, i) => `relation ${i + 1}\n`).join(''));
  });

  test('the union of its samples, without the relations of the validation split', async () => {
    folder.write('CFRLdata_a/train_0.txt', line(64, 'x y z') + line(65, 'not this'));
    folder.write('CFRLdata_a/test_0.txt', line(1, 'p q'));
    folder.write('CFRLdata_b/train_0.txt', line(1, 'p q') + line(1, 'p q', '1', '0'));
    folder.write('CFRLdata_b/test_0.txt', line(80, 'nor this'));
    const names = new Map([['P9', { name: 'relation 1', description: 'first' }]]);

    const set = await readFewRelCfrl(folder.path, { names });
    expect(pairs(set)).toEqual([
      ['relation 64', 'x y z'],
      ['P9', 'p q'],
      ['P9', 'p q'],
    ]);
    expect(set.classes[0]).toEqual({ name: 'P9', description: 'relation 1: first' });
    expect(set.entities!.map(({ head }) => head.mentions[0]!.tokens[0])).toEqual([0, 0, 1]);

    const all = await readFewRelCfrl(folder.path, { relations: 'all', marked: true });
    expect(pairs(all)).toContainEqual(['relation 65', '@ not @ # this #']);
    expect(all.texts).toHaveLength(5);
  });

  test.each([
    ['1\tx\n', 'line 2: 2 columns instead of 9'],
    [line(81, 'a b'), 'line 2: the label "81"'],
    [line(1, 'a b', '0', '2'), 'line 2: tokens 2 are not all'],
    [line(1, 'a b', '0', 'x'), 'line 2: tokens NaN'],
  ])('what is wrong is named with its line (%#)', async (wrong, message) => {
    folder.write('CFRLdata_a/test_0.txt', '');
    const file = folder.write('CFRLdata_a/train_0.txt', line(1, 'p q') + wrong);
    await expectRefused(readFewRelCfrl(folder.path), file, message);
  });

  test('a folder without samples', async () => {
    await expectRefused(readFewRelCfrl(folder.path), 'no CFRLdata_* folder');
  });
});

describe('ARSC', () => {
  beforeEach(() => {
    folder.write('workspace.filtered.list', 'baby\nbooks\nmusic\n');
    folder.write('workspace.target.list', 'books\n');
    for (const t of [2, 4, 5]) {
      folder.write(`books.t${t}.train`, 'good book\t1\nbad book\t-1\n');
      folder.write(`books.t${t}.test`, `query at ${t}\t1\n`);
      folder.write(`baby.t${t}.train`, 'a toy\twith a tab\t1\nbad toy\t-1\n');
    }
  });

  test('a task a domain and threshold; the test domains are no training, missing files are named', async () => {
    const { sets, missing } = await readArscTraining(folder.path, 'train');
    expect(sets.map(({ name }) => name)).toEqual(['arsc baby.t2', 'arsc baby.t4', 'arsc baby.t5']);
    expect(pairs(sets[0]!)).toEqual([
      ['1', 'a toy\twith a tab'],
      ['-1', 'bad toy'],
    ]);
    expect(missing).toEqual(['arsc music.t2', 'arsc music.t4', 'arsc music.t5']);

    const tests = await readArscTests(folder.path);
    expect(tests.map(({ domain, threshold }) => `${domain} ${threshold}`)).toEqual([
      'books 2',
      'books 4',
      'books 5',
    ]);
    expect(pairs(tests[1]!.support)).toEqual([
      ['1', 'good book'],
      ['-1', 'bad book'],
    ]);
    expect(pairs(tests[1]!.queries)).toEqual([['1', 'query at 4']]);
  });

  test('a label other than 1 and -1', async () => {
    const file = folder.write('baby.t4.train', 'a toy\t1\nbad toy\t0\n');
    await expectRefused(readArscTraining(folder.path, 'train'), `${file}, line 2`, '1 or -1');
    await expectRefused(readArscTraining(folder.path, 'dev'), 'no .dev file');
  });
});

describe('intent sets', () => {
  test('jianguoz/Few-Shot-Intent-Detection, out of scope with it', async () => {
    folder.write('Datasets/CLINC150/test/seq.in', 'what is my balance\nfreeze it\n');
    folder.write('Datasets/CLINC150/test/label', 'balance\nfreeze\n');
    folder.write('Datasets/CLINC150/oos/test/seq.in', 'sing a song\n');
    const set = await readIntentSet(folder.path, 'clinc150', 'test');
    expect(pairs(set)).toEqual([
      ['balance', 'what is my balance'],
      ['freeze', 'freeze it'],
    ]);
    expect(set.outOfScope).toEqual(['sing a song']);
    folder.write('Datasets/HWU64/train_5/seq.in', 'wake me\n');
    folder.write('Datasets/HWU64/train_5/label', '\n');
    await expectRefused(readIntentSet(folder.path, 'hwu64', 'train_5'), 'seq.in has 1 lines, label has 0');
  });

  test('clinc/oos-eval', async () => {
    const content = {
      train: [
        ['b text', 'b'],
        ['a text', 'a'],
      ],
      val: [],
      test: [],
      oos_train: [['outside', 'oos']],
      oos_val: [],
      oos_test: [],
    };
    const file = folder.write('data_full.json', JSON.stringify(content));
    const set = await readClincOos(file, 'train');
    expect(set.classes).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect([...set.labels]).toEqual([1, 0]);
    expect(set.outOfScope).toEqual(['outside']);
    await expectRefused(readClincOos(file, 'val'), 'there is no text');
    const wrong = folder.write('wrong.json', JSON.stringify({ ...content, val: [['no label']] }));
    await expectRefused(readClincOos(wrong, 'train'), wrong, 'val.0');
  });

  test('sonos/nlu-benchmark, one of whose files is Latin-1', async () => {
    const data = (text: string) =>
      `{"PlayMusic": [{"data": [{"text": "play "}, {"text": "${text}", "entity": "e"}]}]}`;
    folder.write('PlayMusic/train_PlayMusic_full.json', Buffer.from(data('Beyoncé'), 'latin1'));
    folder.write('PlayMusic/validate_PlayMusic.json', data('Björk'));
    folder.write('README.md', '');
    expect(pairs(await readSnips(folder.path, 'train'))).toEqual([['PlayMusic', 'play Beyoncé']]);
    expect(pairs(await readSnips(folder.path, 'validate'))).toEqual([['PlayMusic', 'play Björk']]);
    await expectRefused(readSnips(join(folder.path, 'nowhere'), 'train'), 'nowhere', 'one folder an intent');
  });

  test('ROSTD', async () => {
    folder.write('fbrelease/unsup/eval.tsv', 'weather/find\t \tis it hot \tE\noutOfDomain\t \tsing\tE\n');
    folder.write('OODrelease.tsv', 'outOfDomain\tFILLER\tsend money\tFILLER\n');
    const set = await readRostd(folder.path, 'valid');
    expect(pairs(set)).toEqual([['weather/find', 'is it hot']]);
    expect(set.outOfScope).toEqual(['sing']);
    expect((await readRostdOutOfScope(folder.path)).outOfScope).toEqual(['send money']);
    const file = folder.write('fbrelease/unsup/test.tsv', 'weather/find\t \tok\tE\nweather/find only\n');
    await expectRefused(readRostd(folder.path, 'test'), `${file}, line 2`);
  });

  test('Redwood, without what it took from sets that are read by themselves', async () => {
    const row = (text: string, label: string, dataset: string) => ({
      text,
      label,
      'source dataset': dataset,
      'source intent': 'delete_alarm',
      split: 'test',
    });
    const file = folder.write(
      'redwood_test.json',
      JSON.stringify([
        row('no alarm', 'intent_0', 'mtop'),
        row('stop it', 'intent_0', 'hwu'),
        row('pay', 'intent_1', 'clinc150'),
      ]),
    );
    const set = await readRedwood(file);
    expect(pairs(set)).toEqual([['intent_0', 'no alarm']]);
    expect(set.classes).toEqual([{ name: 'intent_0', description: 'delete alarm' }]);
    expect((await readRedwood(file, 'all')).texts).toHaveLength(3);
  });

  test('class splits, packed or not', async () => {
    const lines = Array.from({ length: 41 }, (_, i) => `{"raw": "headline ${i}", "label": ${i}}\n`).join('');
    folder.write('huffpost.json.gz', gzipSync(lines));
    folder.write('reuters.json', '{"raw": "a", "label": 0}\n{"raw": "b", "label": "x"}\n');
    const valid = await readClassSplitSet(folder.path, 'huffpost', 'valid');
    expect(pairs(valid)).toEqual([0, 1, 2, 3, 4].map((i) => [String(i), `headline ${i}`]));
    expect((await readClassSplitSet(folder.path, 'huffpost', 'all')).classes).toHaveLength(41);
    await expectRefused(readClassSplitSet(folder.path, 'reuters', 'all'), 'reuters.json, line 2', '"label"');
  });
});

describe("a file of anybody's", () => {
  test('CSV as PolyAI and ACID have it', async () => {
    const polyai = folder.write(
      'train.csv',
      '\ufefftext,category\r\n"Is it lost, or what?",lost\r\nHi "there",greet\r\n',
    );
    expect(pairs(await readTable(polyai, 'x'))).toEqual([
      ['lost', 'Is it lost, or what?'],
      ['greet', 'Hi "there"'],
    ]);
    const acid = folder.write('acid.csv', 'INTENT_NAME,UTTERANCES\nINFO,add a house\n');
    expect(pairs(await readTable(acid, 'x'))).toEqual([['INFO', 'add a house']]);
  });

  test('TSV and JSON lines, columns by name, out of scope by label', async () => {
    const tsv = folder.write('a.tsv', 'Question\tTag\tlabel\nhow?\tqt\t1\nwhy?\tnone\t2\n');
    const set = await readTable(tsv, 'x', { text: 'question', label: 'tag', outOfScopeLabel: 'none' });
    expect(pairs(set)).toEqual([['qt', 'how?']]);
    expect(set.outOfScope).toEqual(['why?']);
    const jsonl = folder.write('a.jsonl', '{"text": "a", "label": 3}\n\n{"utterance": "b", "intent": "c"}\n');
    expect(pairs(await readTable(jsonl, 'x'))).toEqual([
      ['3', 'a'],
      ['c', 'b'],
    ]);
  });

  test.each([
    ['a.csv', 'text,label\na,b\nc\n', 'line 3'],
    ['a.csv', 'text,label\na,b\n,b\n', 'line 3: the text is empty'],
    ['a.csv', 'text,label\na,b\nc, \n', 'line 3: the label is empty'],
    ['a.csv', 'text,label\n"a,b\n', 'a.csv'],
    ['a.csv', 'words,label\na,b\n', 'line 1: the header has no column for the text; it has words, label'],
    ['a.csv', '', 'line 1: the header has no column'],
    ['a.csv', 'text,label\n', 'there is no text'],
    ['a.jsonl', '{"text": "a", "label": "b"}\n{"text": "a"\n', 'line 2: this is not JSON'],
    ['a.jsonl', '{"text": "a", "label": "b"}\n{"text": "a", "tag": "b"}\n', 'line 2: {"text"'],
    ['a.jsonl', '[1]\n', 'line 1'],
    ['a.xlsx', 'PK', 'must end in'],
  ])('what is wrong is named with its line: %s (%#)', async (name, content, message) => {
    const file = folder.write(name, content);
    await expectRefused(readTable(file, 'mine'), message);
  });

  test('files that are absent, no text, or packed without end', async () => {
    await expectRefused(readTable(join(folder.path, 'no.csv'), 'x'), 'no.csv', 'there is no such file');
    const latin = folder.write('latin.csv', Buffer.from('text,label\nBjörk,b\n', 'latin1'));
    await expectRefused(readTable(latin, 'x'), latin, 'not UTF-8');
    const mebibyte = gzipSync(Buffer.alloc(1024 * 1024));
    folder.write('huffpost.json.gz', Buffer.concat(new Array<Buffer>(257).fill(mebibyte)));
    await expectRefused(readClassSplitSet(folder.path, 'huffpost', 'all'), 'longer than 256 MiB');
  });
});

describe('sets', () => {
  test('texts of a test set are taken out, however they are written', async () => {
    const file = folder.write('a.csv', 'text,label\nHello  There,a\nbye,b\nhello you,a\n');
    const other = folder.write('b.csv', 'text,label\nhello there,z\nBYE,z\n');
    const left = withoutTextsOf(await readTable(file, 'x'), [await readTable(other, 'y')]);
    expect(pairs(left)).toEqual([['a', 'hello you']]);
    expect(left.classes).toEqual([{ name: 'a' }]);
    expect(textKey(' A\u0308  b\n')).toBe('ä b');
  });

  test('classes by name', async () => {
    const set = await readTable(folder.write('a.csv', 'text,label\n1,a\n2,b\n3,c\n4,a\n'), 'x');
    expect(pairs(filterClasses(set, ['c', 'a']))).toEqual([
      ['a', '1'],
      ['c', '3'],
      ['a', '4'],
    ]);
    expect(() => filterClasses(set, ['d'])).toThrow('x has no class "d"');
  });

  test('a split that a set does not have', async () => {
    await expect(readDataset(folder.path, 'acid', 'valid')).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: 'acid has no split "valid"; it has train, test',
    });
  });
});
