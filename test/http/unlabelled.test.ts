import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ClassifyResult, Suggestions, UnlabelledPage, WriteResult } from '../../src/classify/service.js';
import { SUGGESTION_STRATEGIES } from '../../src/classify/suggestionStrategies.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { harness, LIMITS } from './harness.js';
import { LiveService } from './liveService.js';

// Unlabelled texts as clients see them: the real service and store behind the API.

const INTENTS = [
  { name: 'card_lost', examples: ['i lost my card', 'my card is gone'] },
  { name: 'balance', examples: ['what is my balance', 'how much money do i have'] },
  { name: 'transfer', examples: ['send money to anna', 'transfer funds abroad'] },
];
const BANK = '/v1/bots/bank';
const UNLABELLED = `${BANK}/unlabelled`;

const live = new LiveService();

beforeEach(async () => {
  await live.send('put', `${BANK}/intents`, { body: { intents: INTENTS } });
});

const add = (...texts: string[]) => live.h.send('post', UNLABELLED, { body: { texts } });
const page = (query = '') => live.send<UnlabelledPage>('get', `${UNLABELLED}${query}`);
const words = async () => (await page()).texts.map(({ text }) => text);
const classify = (text: string) => live.send<ClassifyResult>('post', `${BANK}/classify`, { body: { text } });
const suggest = (query = '') => live.send<Suggestions>('get', `${BANK}/suggestions${query}`);
const label = (id: number, body: unknown) => live.h.send('post', `${UNLABELLED}/${id}/label`, { body });
const revision = async () => (await live.service.getBot('bank')).revision;

async function idOf(text: string): Promise<number> {
  return (await page()).texts.find((one) => one.text === text)?.id ?? -1;
}

describe('unlabelled texts', () => {
  test('are added once, normalised, unless the bot has them already', async () => {
    expect(await add('where is my card', ' my card is gone ', 'where is my card')).toMatchObject({
      status: 201,
      body: { bot: 'bank', added: 1, known: 2, dropped: 0, total: 1 },
    });
    expect(await add('where is my card')).toMatchObject({ status: 200, body: { added: 0, known: 1 } });
    expect(await page()).toMatchObject({
      texts: [{ text: 'where is my card', source: 'given' }],
      total: 1,
      next: null,
    });
    expect(await revision()).toBe(1);
  });

  test('come page by page', async () => {
    await add('a b', 'c d', 'e f');
    const first = await page('?limit=2');
    expect(first).toMatchObject({ texts: [{ text: 'a b' }, { text: 'c d' }], total: 3 });
    expect(first.next).toBe(first.texts[1]!.id);
    expect(await page(`?limit=2&after=${first.next}`)).toMatchObject({
      texts: [{ text: 'e f' }],
      next: null,
    });
  });

  test('are deleted one by one, or all', async () => {
    await add('a b', 'c d', 'e f');
    const id = await idOf('a b');
    expect(await live.send('delete', `${UNLABELLED}/${id}`)).toEqual({ bot: 'bank', removed: 1 });
    expect(await live.h.send('delete', `${UNLABELLED}/${id}`)).toMatchObject({
      status: 404,
      body: { code: 'unknown_text' },
    });
    expect(await live.send('delete', UNLABELLED)).toEqual({ bot: 'bank', removed: 2 });
    expect(await words()).toEqual([]);
  });

  test('do not change what the bot answers', async () => {
    const before = await classify('where did my card go');
    await add('where did my card go', 'where did it go');
    expect(await classify('where did my card go')).toEqual(before);
  });
});

describe('a label', () => {
  test('makes a text an example that the next request is answered by', async () => {
    await add('my wallet was pinched');
    expect((await classify('my wallet was pinched')).evidence[0]?.similarity).toBeLessThan(1);
    const { status, body } = await label(await idOf('my wallet was pinched'), { intent: 'card_lost' });
    expect(status).toBe(200);
    const { revision: now, added } = body as WriteResult;
    expect({ now, added }).toMatchObject({ now: 2, added: [{ text: 'my wallet was pinched' }] });
    expect(await classify('my wallet was pinched')).toMatchObject({
      intent: 'card_lost',
      evidence: [{ example: 'my wallet was pinched', intent: 'card_lost', similarity: 1 }, {}, {}, {}, {}],
      model: { revision: 2 },
    });
    expect(await words()).toEqual([]);
    // The example is one like others.
    await live.send('delete', `${BANK}/intents/card_lost/examples/${added[0]!.id}`);
  });

  test('out of scope makes it a counter-example', async () => {
    await add('my card trick is gone');
    expect((await classify('my card trick is gone')).intent).toBe('card_lost');
    expect(await label(await idOf('my card trick is gone'), { out_of_scope: true })).toMatchObject({
      status: 200,
      body: { added: [{ text: 'my card trick is gone' }] },
    });
    expect(await classify('my card trick is gone')).toMatchObject({ intent: null, out_of_scope: true });
    expect(await live.service.getCounterexamples('bank')).toMatchObject([{ text: 'my card trick is gone' }]);
  });

  test('is refused where bot, text or intent are not there, and changes nothing', async () => {
    await add('pay the rent');
    const id = await idOf('pay the rent');
    expect(await label(id, { intent: 'none' })).toMatchObject({
      status: 404,
      body: { code: 'unknown_intent' },
    });
    expect(await label(id + 1, { intent: 'balance' })).toMatchObject({
      status: 404,
      body: { code: 'unknown_text' },
    });
    const { id: example } = (await live.service.getIntent('bank', 'balance')).examples[0]!;
    expect(await label(example, { intent: 'transfer' })).toMatchObject({ body: { code: 'unknown_text' } });
    const elsewhere = await live.h.send('post', `/v1/bots/none/unlabelled/${id}/label`, {
      body: { intent: 'x' },
    });
    expect(elsewhere).toMatchObject({ status: 404, body: { code: 'unknown_bot' } });
    expect(await words()).toEqual(['pay the rent']);
    expect(await revision()).toBe(1);
  });

  test('twice at once is given once', async () => {
    await add('pay the rent');
    const id = await idOf('pay the rent');
    const answers = await Promise.all([
      label(id, { intent: 'transfer' }),
      label(id, { intent: 'balance' }),
      label(id, { out_of_scope: true }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
    expect(await revision()).toBe(2);
  });
});

describe('texts that are classified', () => {
  const setKeep = (keep_texts?: boolean) =>
    live.send('put', BANK, { body: keep_texts === undefined ? {} : { keep_texts } });

  test('are not kept unless the bot says so', async () => {
    await classify('where is my card');
    expect(await words()).toEqual([]);
    await setKeep(true);
    await classify('is my card there');
    await setKeep(false);
    await classify('was my card there');
    await setKeep();
    await classify('will my card be there');
    expect(await words()).toEqual(['is my card there']);
    expect(await live.service.getBot('bank')).toMatchObject({ settings: {} });
  });

  test('are kept once, but not those that the bot has already', async () => {
    await setKeep(true);
    const before = await revision();
    const texts = ['  where is my card', 'my card is gone', 'where is my card', 'hello'];
    await live.send('post', `${BANK}/classify`, { body: { texts } });
    await classify('hello');
    expect(await page()).toMatchObject({
      texts: [
        { text: 'where is my card', source: 'seen' },
        { text: 'hello', source: 'seen' },
      ],
      total: 2,
    });
    expect(await add('hello', 'where is my card')).toMatchObject({ body: { added: 0, known: 2 } });
    expect(await revision()).toBe(before);
  });

  test('are on disk when the service has been closed', async () => {
    await setKeep(true);
    await classify('where is my card');
    await live.service.close();
    await live.start();
    expect(await words()).toEqual(['where is my card']);
    expect((await live.service.getBot('bank')).settings).toEqual({ keep_texts: true });
  });

  test('are gone with all others, and with their bot', async () => {
    await setKeep(true);
    await classify('where is my card');
    expect(await live.send('delete', UNLABELLED)).toMatchObject({ removed: 1 });
    await classify('where was my card');
    await live.send('delete', BANK);
    await live.send('put', `${BANK}/intents`, { body: { intents: INTENTS } });
    expect(await words()).toEqual([]);
  });
});

describe('suggestions', () => {
  const texts = ['lost money balance', 'my card is really gone', 'purple elephants dance', 'anna my balance'];

  test.each(SUGGESTION_STRATEGIES)('by %s are all there is, each once, with a reading', async (strategy) => {
    await add(...texts);
    await live.settled();
    const { suggestions, ...rest } = await suggest(`?strategy=${strategy}`);
    expect(rest).toEqual({ strategy, considered: 4 });
    expect(suggestions.map(({ text }) => text).sort()).toEqual([...texts].sort());
    for (const { id, text, source, ranking, in_scope, intent, confidence, out_of_scope } of suggestions) {
      const result = await classify(text);
      expect({ in_scope, intent, confidence, out_of_scope }).toEqual({
        in_scope: result.in_scope,
        intent: result.intent,
        confidence: result.confidence,
        out_of_scope: result.out_of_scope,
      });
      expect(ranking).toEqual(result.ranking.slice(0, 3));
      expect({ id, source }).toEqual({ id: await idOf(text), source: 'given' });
    }
    expect(await suggest(`?strategy=${strategy}&limit=2`)).toMatchObject({
      suggestions: suggestions.slice(0, 2),
    });
  });

  test('begin with what the bot knows least of', async () => {
    await add(...texts);
    const first = async (strategy: string) =>
      (await suggest(`?strategy=${strategy}`)).suggestions.map(({ text }) => text);
    // It shares no word with anything that is labelled; the second shares all but one with an example.
    expect((await first('k-centre'))[0]).toBe('purple elephants dance');
    for (const strategy of ['least-confidence', 'margin', 'entropy', 'k-centre']) {
      expect((await first(strategy)).at(-1)).toBe('my card is really gone');
    }
  });

  test('are by the default strategy unless one is asked for, ten at the most', async () => {
    await add(...Array.from({ length: 12 }, (_, i) => `text number${i}`));
    const { strategy, considered, suggestions } = await suggest();
    expect({ strategy, considered, count: suggestions.length }).toEqual({
      strategy: 'mix',
      considered: 12,
      count: 10,
    });
  });

  test('of a bot without unlabelled texts are none', async () => {
    expect(await suggest('?strategy=committee')).toEqual({
      strategy: 'committee',
      considered: 0,
      suggestions: [],
    });
  });

  test('of a bot without intents are texts unlike each other', async () => {
    await live.send('put', '/v1/bots/empty', { body: {} });
    const twins = ['i lost my card', 'i lost my card here', 'purple elephants dance'];
    await live.send('post', '/v1/bots/empty/unlabelled', { body: { texts: twins } });
    const { strategy, suggestions } = await live.send<Suggestions>(
      'get',
      '/v1/bots/empty/suggestions?strategy=mix&limit=2',
    );
    expect(strategy).toBe('k-centre');
    expect(suggestions.map(({ text }) => text)).toContain('purple elephants dance');
    expect(suggestions[0]).toMatchObject({ intent: null, out_of_scope: true, ranking: [] });
  });

  test('of a bot of many intents come from their candidates', async () => {
    const intents = Array.from({ length: 600 }, (_, i) => ({
      name: `place_${i}`,
      examples: [`town${i} village${i}`, `go to town${i}`],
    }));
    await live.service.putIntents('atlas', intents);
    await live.service.putBot('atlas', { head: 'prototypical' });
    const asked = ['town7 village7', 'town8 village9 town10', 'go to village11'];
    await live.service.addUnlabelled(
      'atlas',
      asked.map((text) => `please ${text}`),
    );
    for (const strategy of ['mix', 'committee', 'k-centre'] as const) {
      const { considered, suggestions } = await live.service.suggest('atlas', { strategy });
      expect(considered).toBe(3);
      expect(suggestions.map(({ text }) => text).sort()).toEqual(
        asked.map((text) => `please ${text}`).sort(),
      );
      expect(suggestions.find(({ text }) => text === 'please town7 village7')?.ranking[0]?.intent).toBe(
        'place_7',
      );
    }
  });

  test('go on while the bot is written to, and end with it', async () => {
    await live.service.addUnlabelled(
      'bank',
      Array.from({ length: 200 }, (_, i) => `text number${i}`),
    );
    const asked = suggest('?strategy=committee');
    await live.send('put', `${BANK}/intents`, {
      body: { intents: [{ name: 'numbers', examples: ['text number7'] }] },
    });
    await live.send('delete', `${BANK}/intents/transfer`);
    expect((await asked).suggestions).toHaveLength(10);
    const last = live.h.send('get', `${BANK}/suggestions?strategy=margin`);
    await live.send('delete', BANK);
    expect([200, 404]).toContain((await last).status);
  });

  test('are asked for one after the other; very many at once are refused', async () => {
    await add(...texts);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => live.h.send('get', `${BANK}/suggestions?limit=1&strategy=k-centre`)),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done.length).toBeGreaterThan(0);
    for (const { body } of done) {
      expect(body).toMatchObject({ suggestions: [{ text: 'purple elephants dance' }] });
    }
    for (const answer of answers) {
      if (answer.status !== 200) expect(answer).toMatchObject({ status: 503, body: { code: 'overloaded' } });
    }
  });
});

describe('bad input', () => {
  test.each([
    ['no texts', 'post', UNLABELLED, { texts: [] }, ['texts']],
    [
      'too many texts',
      'post',
      UNLABELLED,
      { texts: Array.from({ length: LIMITS.maxTexts + 1 }, () => 'x') },
      ['texts'],
    ],
    ['an empty text', 'post', UNLABELLED, { texts: ['x', ' '] }, ['texts.1']],
    ['half a surrogate pair', 'post', UNLABELLED, { texts: ['a\ud800'] }, ['texts.0']],
    ['a source', 'post', UNLABELLED, { texts: ['x'], source: 'seen' }, ['source']],
    ['no label', 'post', `${UNLABELLED}/1/label`, {}, ['intent']],
    ['two labels', 'post', `${UNLABELLED}/1/label`, { intent: 'x', out_of_scope: true }, ['intent']],
    ['a label that is none', 'post', `${UNLABELLED}/1/label`, { out_of_scope: false }, ['out_of_scope']],
    ['an intent that is no name', 'post', `${UNLABELLED}/1/label`, { intent: '' }, ['intent']],
    ['an id that is no number', 'post', `${UNLABELLED}/one/label`, { intent: 'x' }, ['id']],
    ['a word for a switch', 'put', BANK, { keep_texts: 'yes' }, ['keep_texts']],
    ['an id to delete that is no number', 'delete', `${UNLABELLED}/-1`, undefined, ['id']],
    ['a page of none', 'get', `${UNLABELLED}?limit=0`, undefined, ['limit']],
    ['a page of too many', 'get', `${UNLABELLED}?limit=1001`, undefined, ['limit']],
    ['a page after nothing', 'get', `${UNLABELLED}?after=last`, undefined, ['after']],
    ['an unknown query', 'get', `${UNLABELLED}?before=1`, undefined, ['before']],
    ['an unknown strategy', 'get', `${BANK}/suggestions?strategy=guess`, undefined, ['strategy']],
    ['chance', 'get', `${BANK}/suggestions?strategy=random`, undefined, ['strategy']],
    ['suggestions of too many', 'get', `${BANK}/suggestions?limit=101`, undefined, ['limit']],
  ] as const)('%s is refused by its place', async (_, method, path, body, fields) => {
    const answer = await live.h.send(method, path, body === undefined ? {} : { body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect((answer.body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual(fields);
  });

  test('what is strange but readable comes back as it came', async () => {
    const strange = ['💳 gone 👩🏽‍💻', 'فقدت بطاقتي', "'; DROP TABLE texts; --", 'bell\u0007 escape\u001b'];
    await add(...strange);
    expect(await words()).toEqual(strange);
    expect((await suggest()).suggestions).toHaveLength(4);
  });

  test('a bot that is not there has none', async () => {
    for (const answer of [
      await live.h.send('get', '/v1/bots/none/unlabelled'),
      await live.h.send('post', '/v1/bots/none/unlabelled', { body: { texts: ['x'] } }),
      await live.h.send('delete', '/v1/bots/none/unlabelled'),
      await live.h.send('delete', '/v1/bots/none/unlabelled/1'),
      await live.h.send('get', '/v1/bots/none/suggestions'),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_bot' } });
    }
  });
});

test('a key that may only read reads no unlabelled texts', async () => {
  const reader = { 'x-api-key': 'reader-key-0123456789' };
  const guarded = harness({
    lifecycle: Lifecycle.of(live.service),
    keys: { readWrite: ['writer-key-0123456789'], readOnly: [reader['x-api-key']] },
  });
  for (const path of [UNLABELLED, `${BANK}/suggestions`]) {
    expect(await guarded.send('get', path, { headers: reader })).toMatchObject({ status: 403 });
  }
});
