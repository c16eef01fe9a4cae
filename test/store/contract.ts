import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Backend, useBackend } from './backend.js';
import { type BotContents, MAX_UNLABELLED, type Store } from '../../src/store/store.js';
import { describeEditsContract } from './editsContract.js';
import { embedded, intentInput, vectorsOf, WIDTH } from './texts.js';

/** A place where a store can be opened; it starts out empty. */
const FP = 'encoder-a';
const OTHER = 'encoder-b';

const texts = (...all: string[]) => all.map((text) => embedded(text, FP));
const intent = (name: string, examples: string[], description: string | null = null) =>
  intentInput(name, examples, FP, description);

/** What every store promises (src/store/store.ts). */
export function describeStoreContract(
  name: string,
  createBackend: () => Promise<Backend>,
  options: {
    /** Whether a store outlives its closing. */
    readonly persistent: boolean;
  },
): void {
  describeEditsContract(name, createBackend);
  describe(`${name} keeps the contract of a store`, () => {
    const testPersistence = options.persistent ? test : test.skip;
    let store: Store;
    const { reopen } = useBackend(createBackend, (opened) => (store = opened));

    /** A bot that must exist; its embeddings are checked row for row. */
    async function read(bot: string, fingerprint = FP): Promise<BotContents> {
      const contents = await store.readBot(bot, fingerprint);
      if (contents === undefined) throw new Error(`no bot ${bot}`);
      const expected = vectorsOf(
        contents.texts.map(({ text }) => text),
        fingerprint,
      );
      expect(contents.embeddings).toEqual(expected);
      return contents;
    }

    /** The texts of a bot as `kind intent: text`. */
    async function summary(bot: string): Promise<string[]> {
      const contents = await read(bot);
      return contents.texts.map(({ kind, intent, text }) => `${kind} ${intent}: ${text}`);
    }

    async function idOf(bot: string, text: string): Promise<number> {
      const found = (await read(bot)).texts.find((stored) => stored.text === text);
      if (found === undefined) throw new Error(`no text ${text}`);
      return found.id;
    }

    async function revisionOf(bot: string): Promise<number> {
      return (await read(bot)).bot.revision;
    }

    describe('bots', () => {
      test('an empty store has none', async () => {
        expect(await store.listBots()).toEqual([]);
        expect(await store.readBot('bank', FP)).toBeUndefined();
        expect(await store.deleteBot('bank')).toBe(false);
        await store.ping();
      });

      test('putBot creates a bot at revision 1, with times in ISO 8601', async () => {
        const before = new Date().toISOString();
        const bot = await store.putBot('bank', { head: 'adapted', nested: { list: [1, null, 'ü'] } });
        const after = new Date().toISOString();

        expect(bot).toMatchObject({
          name: 'bank',
          revision: 1,
          settings: { head: 'adapted', nested: { list: [1, null, 'ü'] } },
        });
        expect(bot.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(bot.updatedAt).toBe(bot.createdAt);
        expect([before, bot.createdAt, after].sort()).toEqual([before, bot.createdAt, after]);
        expect(await store.listBots()).toEqual([bot]);
        expect(await read('bank')).toEqual({
          bot,
          intents: [],
          texts: [],
          embeddings: new Float32Array(0),
        });
      });

      test('putBot replaces settings whole and keeps what the bot has', async () => {
        await store.putBot('bank', { head: 'adapted', threshold: 0.4 });
        await store.putIntents('bank', [intent('lost', ['it is gone'])], FP);
        const bot = await store.putBot('bank', { threshold: 0.6 });

        expect(bot.settings).toEqual({ threshold: 0.6 });
        expect(bot.revision).toBe(3);
        expect(await summary('bank')).toEqual(['label lost: lost', 'example lost: it is gone']);
      });

      test('putBot with the settings that a bot has changes nothing, whatever the order of the keys', async () => {
        const bot = await store.putBot('bank', { a: 1, b: { c: 2, d: 3 } });
        expect(await store.putBot('bank', { b: { d: 3, c: 2 }, a: 1 })).toEqual(bot);
        expect((await store.putBot('empty', {})).revision).toBe(1);
        expect((await store.putBot('empty', {})).revision).toBe(1);
      });

      test('listBots is by name', async () => {
        for (const bot of ['b', 'a10', 'B', 'ä', 'a2']) await store.putBot(bot, {});
        expect((await store.listBots()).map((bot) => bot.name)).toEqual(['B', 'a10', 'a2', 'b', 'ä']);
      });

      test('countBots says how much each holds, of all bots by name or of one', async () => {
        expect(await store.countBots()).toEqual([]);
        const shop = await store.putBot('shop', { threshold: 0.4 });
        await store.putIntents('bank', [intent('lost', ['it is gone', 'lost it']), intent('named', [])], FP);
        await store.putCounterexamples('bank', texts('sing', 'dance', 'it is gone'), FP);
        await store.addUnlabelled('bank', 'given', texts('what is this', 'and this'), FP);
        await store.saveVersion('bank', 'first', null);
        const { bot } = await store.addExamples('bank', 'named', texts('by an example'), FP);

        const bank = { bot, intents: 2, examples: 3, counterexamples: 3 };
        expect(await store.countBots()).toEqual([
          bank,
          { bot: shop, intents: 0, examples: 0, counterexamples: 0 },
        ]);
        expect(await store.countBots('bank')).toEqual([bank]);
        expect(await store.countBots('first')).toEqual([]);
      });

      test('deleteBot takes all that belongs to it, and nothing of another bot', async () => {
        await store.putIntents('bank', [intent('lost', ['it is gone'])], FP);
        await store.putCounterexamples('bank', texts('sing'), FP);
        await store.putIntents('shop', [intent('lost', ['it is gone'])], FP);

        expect(await store.deleteBot('bank')).toBe(true);
        expect(await store.readBot('bank', FP)).toBeUndefined();
        expect(await summary('shop')).toEqual(['label lost: lost', 'example lost: it is gone']);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(2);
        expect(await store.deleteBot('bank')).toBe(false);

        expect((await store.putBot('bank', {})).revision).toBe(1);
        expect(await summary('bank')).toEqual([]);
      });
    });

    describe('importBot', () => {
      test('writes intents and counter-examples at once, and makes the bot', async () => {
        const contents = { intents: [intent('lost', ['one'])], counterexamples: texts('sing'), prune: false };
        const change = await store.importBot('bank', contents, FP);
        expect(change.bot).toMatchObject({ settings: {}, revision: 1 });
        expect(await summary('bank')).toEqual([
          'label lost: lost',
          'example lost: one',
          'counterexample null: sing',
        ]);
        expect((await read('bank')).texts).toEqual(change.added);
        expect((await store.importBot('bank', contents, FP)).bot.revision).toBe(1);
      });

      test('leaves what it does not name, unless it is to prune', async () => {
        await store.putBot('bank', { head: 'x' });
        await store.putIntents('bank', [intent('lost', ['one', 'two']), intent('found', ['three'])], FP);
        await store.putCounterexamples('bank', texts('sing'), FP);
        const before = await read('bank');
        const contents = { intents: [intent('lost', ['two'])], counterexamples: undefined };
        const kept = await store.importBot('bank', { ...contents, prune: false }, FP);
        expect(kept.removed.map(({ text }) => text)).toEqual(['one']);
        expect(await summary('bank')).toEqual([
          'label lost: lost',
          'example lost: two',
          'label found: found',
          'example found: three',
          'counterexample null: sing',
        ]);
        const pruned = await store.importBot('bank', { ...contents, counterexamples: [], prune: true }, FP);
        expect(pruned.bot.revision).toBe(kept.bot.revision + 1);
        expect(pruned.bot.settings).toEqual({ head: 'x' });
        expect(pruned.removed.map(({ text }) => text)).toEqual(['found', 'three', 'sing']);
        expect((await read('bank')).texts).toEqual(
          before.texts.filter(({ text }) => ['lost', 'two'].includes(text)),
        );
      });
    });

    describe('putIntents', () => {
      test('creates the bot with empty settings, and the intents in their order', async () => {
        const change = await store.putIntents(
          'bank',
          [intent('zeta', ['z1', 'z2'], 'About z'), intent('alpha', ['a1']), intent('bare', [])],
          FP,
        );

        expect(change.bot).toMatchObject({ name: 'bank', settings: {}, revision: 1 });
        expect(change.removed).toEqual([]);
        const contents = await read('bank');
        expect(contents.bot).toEqual(change.bot);
        expect(contents.texts).toEqual(change.added);
        expect(contents.intents).toEqual([
          { name: 'zeta', description: 'About z' },
          { name: 'alpha', description: null },
          { name: 'bare', description: null },
        ]);
        expect(await summary('bank')).toEqual([
          'label zeta: About z',
          'example zeta: z1',
          'example zeta: z2',
          'label alpha: alpha',
          'example alpha: a1',
          'label bare: bare',
        ]);
        const ids = contents.texts.map(({ id }) => id);
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      });

      test('with no intents creates the bot all the same, once', async () => {
        expect((await store.putIntents('bank', [], FP)).bot.revision).toBe(1);
        expect((await store.putIntents('bank', [], FP)).bot.revision).toBe(1);
      });

      test('a text that stays keeps its id; what is new and what is gone is told', async () => {
        await store.putIntents('bank', [intent('lost', ['one', 'two', 'three'])], FP);
        const before = await read('bank');
        const change = await store.putIntents('bank', [intent('lost', ['four', 'three', 'one'])], FP);

        expect(change.added.map(({ kind, intent, text }) => [kind, intent, text])).toEqual([
          ['example', 'lost', 'four'],
        ]);
        expect(change.removed).toEqual(before.texts.filter(({ text }) => text === 'two'));
        expect((await read('bank')).texts).toEqual([
          ...before.texts.filter(({ text }) => text !== 'two'),
          ...change.added,
        ]);
        expect(change.bot.revision).toBe(2);
      });

      test('the same again changes nothing', async () => {
        const first = await store.putIntents('bank', [intent('lost', ['one', 'two'], 'Lost')], FP);
        const again = await store.putIntents('bank', [intent('lost', ['two', 'one'], 'Lost')], FP);
        expect(again).toEqual({ bot: first.bot, added: [], removed: [] });
        expect((await read('bank')).texts).toEqual(first.added);
      });

      test('a text given twice is kept once; in another intent it is another text', async () => {
        const change = await store.putIntents(
          'bank',
          [intent('lost', ['one', 'one', 'two', 'one']), intent('found', ['one', 'found'])],
          FP,
        );
        expect(change.added.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
          'label lost',
          'example one',
          'example two',
          'label found',
          'example one',
          'example found', // the same words as the label
        ]);
      });

      test('a new description alone is a change, and replaces the label', async () => {
        const first = await store.putIntents('bank', [intent('lost', ['one'], 'Old')], FP);
        const change = await store.putIntents('bank', [intent('lost', ['one'], 'New')], FP);
        expect(change.bot.revision).toBe(2);
        expect(change.removed).toEqual([first.added[0]]);
        expect(change.added).toMatchObject([{ kind: 'label', intent: 'lost', text: 'New' }]);

        const back = await store.putIntents('bank', [intent('lost', ['one'])], FP);
        expect((await read('bank')).intents).toEqual([{ name: 'lost', description: null }]);
        expect(back.added).toMatchObject([{ kind: 'label', text: 'lost' }]);

        // Described by its own name: the label stays as it is, the description does not.
        const same = await store.putIntents('bank', [intent('lost', ['one'], 'lost')], FP);
        expect(same).toMatchObject({ bot: { revision: 4 }, added: [], removed: [] });
      });

      test('a replaced intent keeps its place among the others', async () => {
        await store.putIntents('bank', [intent('a', ['1']), intent('b', ['2'])], FP);
        await store.putIntents('bank', [intent('c', ['3']), intent('a', ['4'])], FP);
        expect((await read('bank')).intents.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
        expect(await summary('bank')).toEqual([
          'label a: a',
          'label b: b',
          'example b: 2',
          'label c: c',
          'example c: 3',
          'example a: 4',
        ]);
      });

      test('of one intent given twice the last is meant', async () => {
        const change = await store.putIntents('bank', [intent('a', ['1', '2']), intent('a', ['2', '3'])], FP);
        expect(change.added.map(({ text }) => text)).toEqual(['a', '2', '3']);
        expect(change.removed).toEqual([]);
      });

      test('is applied whole or not at all', async () => {
        await store.putIntents('bank', [intent('a', ['1'])], FP);
        const broken = { ...intent('c', ['3']), examples: [{ text: '3', embedding: null as never }] };
        await expect(store.putIntents('bank', [intent('b', ['2']), broken], FP)).rejects.toThrow();
        await expect(store.putIntents('new', [intent('b', ['2']), broken], FP)).rejects.toThrow();

        expect(await summary('bank')).toEqual(['label a: a', 'example a: 1']);
        expect((await read('bank')).intents).toHaveLength(1);
        expect(await revisionOf('bank')).toBe(1);
        expect((await store.listBots()).map(({ name }) => name)).toEqual(['bank']);
      });
    });

    describe('single texts and intents', () => {
      beforeEach(async () => {
        await store.putIntents('bank', [intent('lost', ['one', 'two']), intent('found', ['one'])], FP);
      });

      test('addExamples adds what the intent lacks', async () => {
        const change = await store.addExamples('bank', 'lost', texts('two', 'three', 'three', 'four'), FP);
        expect(change.bot.revision).toBe(2);
        expect(change.removed).toEqual([]);
        expect(change.added).toMatchObject([
          { kind: 'example', intent: 'lost', text: 'three' },
          { kind: 'example', intent: 'lost', text: 'four' },
        ]);
        const contents = await read('bank');
        expect(contents.texts.slice(-2)).toEqual(change.added);
        expect(contents.texts).toHaveLength(7);

        const again = await store.addExamples('bank', 'lost', texts('four', 'one'), FP);
        expect(again).toEqual({ bot: change.bot, added: [], removed: [] });
        expect(await store.addExamples('bank', 'lost', [], FP)).toEqual(again);
      });

      test('removeExample removes that one', async () => {
        const lost = (await read('bank')).texts.find((text) => text.intent === 'lost' && text.text === 'one');
        const change = await store.removeExample('bank', 'lost', lost?.id ?? -1);
        expect(change).toMatchObject({ bot: { revision: 2 }, added: [], removed: [lost] });
        expect(await summary('bank')).toEqual([
          'label lost: lost',
          'example lost: two',
          'label found: found',
          'example found: one',
        ]);
      });

      test('removeExample refuses what is no example of that intent', async () => {
        await store.putCounterexamples('bank', texts('sing'), FP);
        const unknown = { code: 'unknown_example' };
        const two = await idOf('bank', 'two');
        await expect(store.removeExample('bank', 'found', two)).rejects.toMatchObject(unknown);
        await expect(store.removeExample('bank', 'lost', await idOf('bank', 'lost'))).rejects.toMatchObject(
          unknown,
        );
        await expect(store.removeExample('bank', 'lost', await idOf('bank', 'sing'))).rejects.toMatchObject(
          unknown,
        );
        await store.removeExample('bank', 'lost', two);
        await expect(store.removeExample('bank', 'lost', two)).rejects.toMatchObject(unknown);
        expect(await revisionOf('bank')).toBe(3);
      });

      test('an id is never used again', async () => {
        const added = (await store.addExamples('bank', 'lost', texts('last'), FP)).added[0];
        await store.removeExample('bank', 'lost', added?.id ?? -1);
        const later = (await store.addExamples('bank', 'lost', texts('last'), FP)).added[0];
        expect(later?.id).toBeGreaterThan(added?.id ?? Infinity);

        await store.deleteBot('bank');
        const anew = await store.putIntents('bank', [intent('lost', ['one'])], FP);
        expect(anew.added[0]?.id).toBeGreaterThan(later?.id ?? Infinity);
      });

      test('deleteIntent removes it with its texts', async () => {
        const before = await read('bank');
        const change = await store.deleteIntent('bank', 'lost');
        expect(change).toMatchObject({ bot: { revision: 2 }, added: [] });
        expect(change.removed).toEqual(before.texts.filter((text) => text.intent === 'lost'));
        expect((await read('bank')).intents).toEqual([{ name: 'found', description: null }]);
        expect(await summary('bank')).toEqual(['label found: found', 'example found: one']);
      });

      test('what does not exist is named in the error', async () => {
        const cases: [() => Promise<unknown>, string, RegExp][] = [
          [() => store.addExamples('none', 'lost', texts('x'), FP), 'unknown_bot', /"none"/],
          [() => store.addExamples('bank', 'none', texts('x'), FP), 'unknown_intent', /"bank".*"none"/],
          [() => store.removeExample('none', 'lost', 1), 'unknown_bot', /"none"/],
          [() => store.removeExample('bank', 'none', 1), 'unknown_intent', /"none"/],
          [() => store.removeExample('bank', 'lost', 999), 'unknown_example', /999/],
          [() => store.deleteIntent('none', 'lost'), 'unknown_bot', /"none"/],
          [() => store.deleteIntent('bank', 'none'), 'unknown_intent', /"none"/],
          [() => store.putCounterexamples('none', texts('x'), FP), 'unknown_bot', /"none"/],
        ];
        for (const [call, code, message] of cases) {
          await expect(call()).rejects.toMatchObject({
            name: 'KshotError',
            code,
            message: expect.stringMatching(message),
          });
        }
        expect(await revisionOf('bank')).toBe(1);
        expect((await store.listBots()).map(({ name }) => name)).toEqual(['bank']);
      });

      test('putCounterexamples replaces them; a text that stays keeps its id', async () => {
        const first = await store.putCounterexamples('bank', texts('sing', 'dance', 'sing'), FP);
        expect(first.bot.revision).toBe(2);
        expect(first.added).toMatchObject([
          { kind: 'counterexample', intent: null, text: 'sing' },
          { kind: 'counterexample', intent: null, text: 'dance' },
        ]);
        const second = await store.putCounterexamples('bank', texts('one', 'dance'), FP);
        expect(second.removed).toEqual([first.added[0]]);
        expect(second.added.map(({ text }) => text)).toEqual(['one']);
        expect((await read('bank')).texts.filter(({ kind }) => kind === 'counterexample')).toEqual([
          first.added[1],
          second.added[0],
        ]);
        const same = await store.putCounterexamples('bank', texts('dance', 'one'), FP);
        expect(same).toEqual({ bot: second.bot, added: [], removed: [] });
        const none = await store.putCounterexamples('bank', [], FP);
        expect(none.removed).toHaveLength(2);
        expect(none.bot.revision).toBe(4);
      });

      test('two bots may have counter-examples and intents of the same words', async () => {
        await store.putBot('shop', {});
        await store.putCounterexamples('bank', texts('sing'), FP);
        await store.putCounterexamples('shop', texts('sing'), FP);
        await store.putIntents('shop', [intent('lost', ['one'])], FP);
        expect(await summary('shop')).toEqual([
          'counterexample null: sing',
          'label lost: lost',
          'example lost: one',
        ]);
      });
    });

    describe('unlabelled texts', () => {
      const everything = { after: 0, limit: MAX_UNLABELLED };
      const page = async (bot = 'bank') => (await store.listUnlabelled(bot, everything)).texts;
      const words = async (bot = 'bank') => (await page(bot)).map(({ text }) => text);
      const idOfUnlabelled = async (text: string) =>
        (await page()).find((one) => one.text === text)?.id ?? -1;

      beforeEach(async () => {
        await store.putIntents('bank', [intent('lost', ['one']), intent('found', [])], FP);
        await store.putCounterexamples('bank', texts('sing'), FP);
      });

      test('are added once, unless the bot has them already; the revision stays', async () => {
        const first = await store.addUnlabelled('bank', 'given', texts('two', 'one', 'sing', 'two'), FP);
        expect(first).toEqual({ added: 1, known: 3, dropped: 0, total: 1 });
        // The words of a label are no text of anybody's.
        const second = await store.addUnlabelled('bank', 'seen', texts('two', 'three', 'lost'), FP);
        expect(second).toEqual({ added: 2, known: 1, dropped: 0, total: 3 });
        expect(await page()).toMatchObject([
          { text: 'two', source: 'given' },
          { text: 'three', source: 'seen' },
          { text: 'lost', source: 'seen' },
        ]);
        expect(await revisionOf('bank')).toBe(2);
        expect(await summary('bank')).toEqual([
          'label lost: lost',
          'example lost: one',
          'label found: found',
          'counterexample null: sing',
        ]);
      });

      test('are of one bot', async () => {
        await store.putBot('shop', {});
        await store.addUnlabelled('bank', 'given', texts('two'), FP);
        expect(await store.addUnlabelled('shop', 'given', texts('two', 'one'), FP)).toMatchObject({
          added: 2,
        });
        await store.deleteBot('shop');
        expect(await words()).toEqual(['two']);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(5);
      });

      test('come page by page, in the order of their ids', async () => {
        await store.addUnlabelled('bank', 'given', texts('a', 'b', 'c'), FP);
        const [a, b, c] = await page();
        expect(await store.listUnlabelled('bank', { after: 0, limit: 2 })).toEqual({
          texts: [a, b],
          total: 3,
        });
        expect(await store.listUnlabelled('bank', { after: b!.id, limit: 2 })).toEqual({
          texts: [c],
          total: 3,
        });
        expect(await store.listUnlabelled('bank', { after: c!.id, limit: 2 })).toEqual({
          texts: [],
          total: 3,
        });
      });

      test('come with their embeddings, the newest first', async () => {
        await store.addUnlabelled('bank', 'seen', texts('a', 'b', 'c'), FP);
        const { texts: newest, embeddings } = await store.readUnlabelled('bank', FP, 2);
        expect(newest).toEqual((await page()).slice(1).reverse());
        expect(embeddings).toEqual(vectorsOf(['c', 'b'], FP));
        expect(await store.findUnlabelled('bank', newest[0]!.id, FP)).toEqual(embedded('c', FP));
        const none = await store.readUnlabelled('bank', FP, 0);
        expect(none).toEqual({ texts: [], embeddings: new Float32Array(0) });
        await expect(store.readUnlabelled('bank', OTHER, 2)).rejects.toMatchObject({
          code: 'store_unavailable',
        });
      });

      test('are embedded anew like others', async () => {
        await store.addUnlabelled('bank', 'given', texts('a'), FP);
        const missing = await store.readMissingEmbeddings(OTHER, 9);
        expect(missing.at(-1)).toMatchObject({ kind: 'unlabelled', intent: null, text: 'a' });
        const ids = missing.map(({ id }) => id);
        const vectors = vectorsOf(
          missing.map(({ text }) => text),
          OTHER,
        );
        await store.writeEmbeddings(OTHER, ids, vectors);
        expect((await store.readUnlabelled('bank', OTHER, 9)).embeddings).toEqual(vectorsOf(['a'], OTHER));
      });

      test('are removed one by one, or all', async () => {
        await store.addUnlabelled('bank', 'given', texts('a', 'b', 'c'), FP);
        const a = await idOfUnlabelled('a');
        await store.removeUnlabelled('bank', a);
        expect(await words()).toEqual(['b', 'c']);
        await expect(store.removeUnlabelled('bank', a)).rejects.toMatchObject({ code: 'unknown_text' });
        expect(await store.clearUnlabelled('bank')).toBe(2);
        expect(await store.clearUnlabelled('bank')).toBe(0);
        expect(await revisionOf('bank')).toBe(2);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(4);
      });

      test('become examples or counter-examples, which are the newest', async () => {
        await store.addUnlabelled('bank', 'seen', texts('a', 'b'), FP);
        await store.addExamples('bank', 'lost', texts('two'), FP);
        const [a, b] = await page();
        const change = await store.labelUnlabelled('bank', a!.id, 'lost');
        expect(change).toMatchObject({
          bot: { revision: 4 },
          added: [{ kind: 'example', intent: 'lost', text: 'a' }],
          removed: [],
        });
        expect(change.added[0]!.id).toBeGreaterThan(b!.id);
        const second = await store.labelUnlabelled('bank', b!.id, null);
        expect(second.added).toMatchObject([{ kind: 'counterexample', intent: null, text: 'b' }]);
        expect(await words()).toEqual([]);
        // Their embeddings have come along.
        expect((await summary('bank')).slice(-3)).toEqual([
          'example lost: two',
          'example lost: a',
          'counterexample null: b',
        ]);
        await expect(store.labelUnlabelled('bank', a!.id, 'lost')).rejects.toMatchObject({
          code: 'unknown_text',
        });
      });

      test('leave when another write gives them a label', async () => {
        await store.addUnlabelled('bank', 'given', texts('a', 'b', 'c', 'found'), FP);
        const added = await store.addExamples('bank', 'lost', texts('a'), FP);
        expect(added).toMatchObject({ added: [{ text: 'a' }], removed: [] });
        await store.putCounterexamples('bank', texts('sing', 'b'), FP);
        await store.putIntents('bank', [intent('found', ['c'])], FP);
        expect(await words()).toEqual(['found']);
        await read('bank');
      });

      test('stay as they are where a label fails', async () => {
        await store.addUnlabelled('bank', 'given', texts('a'), FP);
        const id = await idOfUnlabelled('a');
        await expect(store.labelUnlabelled('bank', id, 'none')).rejects.toMatchObject({
          code: 'unknown_intent',
        });
        expect(await words()).toEqual(['a']);
        expect(await revisionOf('bank')).toBe(2);
      });

      test('are refused where there is no such bot or text', async () => {
        const one = await idOf('bank', 'one');
        for (const call of [
          () => store.addUnlabelled('none', 'given', texts('a'), FP),
          () => store.listUnlabelled('none', everything),
          () => store.readUnlabelled('none', FP, 1),
          () => store.findUnlabelled('none', 1, FP),
          () => store.removeUnlabelled('none', 1),
          () => store.clearUnlabelled('none'),
          () => store.labelUnlabelled('none', 1, null),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: 'unknown_bot' });
        }
        // An example is none.
        for (const call of [
          () => store.findUnlabelled('bank', one, FP),
          () => store.removeUnlabelled('bank', one),
          () => store.labelUnlabelled('bank', one, 'found'),
        ]) {
          await expect(call()).rejects.toMatchObject({ code: 'unknown_text' });
        }
      });

      test('are so many at the most: the oldest that were seen go first, then the oldest that were given', async () => {
        const many = (what: string, from: number, to: number) =>
          texts(...Array.from({ length: to - from }, (_, i) => `${what} ${from + i}`));
        await store.addUnlabelled('bank', 'given', many('given', 0, 10), FP);
        await store.addUnlabelled('bank', 'seen', many('seen', 0, MAX_UNLABELLED - 10), FP);
        const outcome = await store.addUnlabelled('bank', 'seen', many('late', 0, 5), FP);
        expect(outcome).toEqual({ added: 5, known: 0, dropped: 5, total: MAX_UNLABELLED });
        expect((await words()).slice(9, 12)).toEqual(['given 9', 'seen 5', 'seen 6']);

        await store.addUnlabelled('bank', 'given', many('given', 10, MAX_UNLABELLED + 3), FP);
        const left = await page();
        expect(left).toHaveLength(MAX_UNLABELLED);
        expect(left.filter(({ source }) => source === 'seen')).toEqual([]);
        expect(left[0]).toMatchObject({ text: 'given 3' });
      });

      testPersistence('outlive the store that wrote them', async () => {
        await store.addUnlabelled('bank', 'seen', texts('a', '💳'), FP);
        const before = await store.readUnlabelled('bank', FP, 9);
        await reopen();
        expect(await store.readUnlabelled('bank', FP, 9)).toEqual(before);
      });
    });

    describe('text', () => {
      const strange = [
        '💳 gone 🏳️‍🌈👩🏽‍💻',
        'فقدت بطاقتي', // right to left
        '\u202eabc\u202c\u200f',
        'bell\u0007 escape\u001b tab\t line\r\n\u2028 delete\u007f',
        'e\u0301 is not é',
        '\'; DROP TABLE texts; -- " \\ %_?',
        ' padded ',
        'Padded',
        'padded',
        '42',
        '漢字かな交じり文',
        'x'.repeat(20_000),
      ];

      test('is kept as it came', async () => {
        const change = await store.putIntents('bank', [intent('lost', strange)], FP);
        expect(change.added.slice(1).map(({ text }) => text)).toEqual(strange);
        expect((await read('bank')).texts).toEqual(change.added);
        expect((await store.putIntents('bank', [intent('lost', strange)], FP)).added).toEqual([]);
      });

      test('names of bots and intents may be as strange', async () => {
        for (const name of strange) await store.putIntents(name, [intent(name, ['one'], name)], FP);
        for (const name of strange) {
          expect((await read(name)).intents).toEqual([{ name, description: name }]);
          expect((await store.addExamples(name, name, texts('two'), FP)).added).toHaveLength(1);
        }
        expect(await store.listBots()).toHaveLength(strange.length);
      });

      test('halves of surrogate pairs are replaced, and do not clash when replaced', async () => {
        const change = await store.putIntents('bank', [intent('lost', ['a\ud800', 'a\udc00', 'a😀'])], FP);
        expect(change.added.map(({ text }) => text)).toEqual(['lost', 'a\ufffd', 'a😀']);
        const again = await store.addExamples('bank', 'lost', texts('a\udbff'), FP);
        expect(again.added).toEqual([]);
        expect((await store.readBot('bank', FP))?.texts).toEqual(change.added);
      });
    });

    describe('embeddings', () => {
      beforeEach(async () => {
        await store.putIntents('bank', [intent('lost', ['one', 'two'])], FP);
        await store.putCounterexamples('bank', texts('sing'), FP);
        await store.putIntents('shop', [intent('buy', ['three'])], FP);
      });

      async function embedMissing(fingerprint: string, batch: number, batches = Infinity): Promise<string[]> {
        const done: string[] = [];
        for (let round = 0; round < batches; round++) {
          const missing = await store.readMissingEmbeddings(fingerprint, batch);
          if (missing.length === 0) break;
          const batchTexts = missing.map(({ text }) => text);
          await store.writeEmbeddings(
            fingerprint,
            missing.map(({ id }) => id),
            vectorsOf(batchTexts, fingerprint),
          );
          done.push(...batchTexts);
        }
        return done;
      }

      test('come back bit for bit', async () => {
        const embedding = Float32Array.of(1 / 3, -0, 3.4e38, 1e-45, Infinity, NaN);
        await store.putIntents(
          'odd',
          [{ name: 'a', description: null, label: { text: 'a', embedding }, examples: [] }],
          FP,
        );
        const contents = await store.readBot('odd', FP);
        expect(Buffer.from(contents?.embeddings.buffer ?? new ArrayBuffer(0))).toEqual(
          Buffer.from(embedding.buffer),
        );
      });

      test('may be views into a larger array', async () => {
        const batch = vectorsOf(['skipped', 'b', 'c'], FP);
        const row = (n: number) => batch.subarray(n * WIDTH, (n + 1) * WIDTH);
        await store.putIntents(
          'views',
          [
            {
              name: 'b',
              description: null,
              label: { text: 'b', embedding: row(1) },
              examples: [{ text: 'c', embedding: row(2) }],
            },
          ],
          FP,
        );
        await read('views');
      });

      test('of the encoder at hand are not missing, of another all are, in the order of their ids', async () => {
        expect(await store.countMissingEmbeddings(FP)).toBe(0);
        expect(await store.readMissingEmbeddings(FP, 10)).toEqual([]);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(6);
        const all = [...(await read('bank')).texts, ...(await read('shop')).texts];
        expect(await store.readMissingEmbeddings(OTHER, 10)).toEqual(all);
        expect(await store.readMissingEmbeddings(OTHER, 2)).toEqual(all.slice(0, 2));
      });

      test('readBot refuses while any is missing, and says what to do', async () => {
        const refusal = { code: 'store_unavailable', message: expect.stringMatching(/"shop".*restart/) };
        await expect(store.readBot('shop', OTHER)).rejects.toMatchObject(refusal);
        await embedMissing(OTHER, 5, 1);
        await read('bank', OTHER);
        await expect(store.readBot('shop', OTHER)).rejects.toMatchObject(refusal);
        expect(await store.readBot('none', OTHER)).toBeUndefined();
        await store.putBot('empty', {});
        expect((await store.readBot('empty', 'unheard of'))?.texts).toEqual([]);
      });

      test('another encoder embeds batch after batch; both embeddings exist side by side', async () => {
        const done = await embedMissing(OTHER, 4);
        expect(done).toEqual(['lost', 'one', 'two', 'sing', 'buy', 'three']);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(0);
        for (const bot of ['bank', 'shop']) {
          await read(bot, FP);
          await read(bot, OTHER);
        }
        expect(await revisionOf('bank')).toBe(2);
      });

      testPersistence('a re-embedding that was interrupted resumes where it stopped', async () => {
        expect(await embedMissing(OTHER, 2, 2)).toEqual(['lost', 'one', 'two', 'sing']);
        await reopen();
        expect(await store.countMissingEmbeddings(OTHER)).toBe(2);
        expect(await embedMissing(OTHER, 2)).toEqual(['buy', 'three']);
      });

      test('texts written or deleted during a re-embedding are taken into account', async () => {
        const batch = await store.readMissingEmbeddings(OTHER, 3); // lost, one, two
        const ids = batch.map(({ id }) => id);
        await store.removeExample('bank', 'lost', ids[1] ?? -1);
        await store.addExamples('bank', 'lost', texts('late'), FP);
        await store.addExamples('bank', 'lost', [embedded('new', OTHER)], OTHER);
        await store.writeEmbeddings(OTHER, ids, vectorsOf(['lost', 'one', 'two'], OTHER));
        expect(await store.countMissingEmbeddings(OTHER)).toBe(4);
        expect(await embedMissing(OTHER, 1)).toEqual(['sing', 'buy', 'three', 'late']);
        expect((await read('bank', OTHER)).texts.map(({ text }) => text)).toEqual([
          'lost',
          'two',
          'sing',
          'late',
          'new',
        ]);
      });

      test('of texts that are all gone are passed over', async () => {
        const batch = await store.readMissingEmbeddings(OTHER, 4);
        await store.deleteBot('bank');
        await store.writeEmbeddings(
          OTHER,
          batch.map(({ id }) => id),
          vectorsOf(
            batch.map(({ text }) => text),
            OTHER,
          ),
        );
        expect(await store.countMissingEmbeddings(OTHER)).toBe(2);
        expect(await store.deleteOtherEmbeddings(FP)).toBe(0);
      });

      test('a write that leaves a text as it is gives it the embedding that it lacks', async () => {
        const change = await store.putIntents('shop', [intentInput('buy', ['three'], OTHER)], OTHER);
        expect(change).toMatchObject({ bot: { revision: 1 }, added: [], removed: [] });
        await read('shop', OTHER);
        await store.addExamples('bank', 'lost', [embedded('two', OTHER)], OTHER);
        expect((await store.readMissingEmbeddings(OTHER, 9)).map(({ text }) => text)).toEqual([
          'lost',
          'one',
          'sing',
        ]);
      });

      test('written twice are replaced', async () => {
        const { texts: stored } = await read('shop');
        const ids = stored.map(({ id }) => id);
        await store.writeEmbeddings(FP, ids, Float32Array.of(1, 2, 3, 4, 5, 6));
        expect((await store.readBot('shop', FP))?.embeddings).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
      });

      test('writeEmbeddings takes nothing, but not what fits no number of rows', async () => {
        await store.writeEmbeddings(OTHER, [], new Float32Array(0));
        await expect(store.writeEmbeddings(OTHER, [1, 2], new Float32Array(3))).rejects.toThrow(RangeError);
        await expect(store.writeEmbeddings(OTHER, [1], new Float32Array(0))).rejects.toThrow(RangeError);
        await expect(store.writeEmbeddings(OTHER, [], new Float32Array(3))).rejects.toThrow(RangeError);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(6);
      });

      test('deleteOtherEmbeddings keeps those of the encoder at hand', async () => {
        expect(await store.deleteOtherEmbeddings(FP)).toBe(0);
        await embedMissing(OTHER, 4);
        await store.writeEmbeddings('encoder-c', [await idOf('shop', 'buy')], vectorsOf(['buy'], 'c'));
        expect(await store.deleteOtherEmbeddings(OTHER)).toBe(7);
        await read('bank', OTHER);
        expect(await store.countMissingEmbeddings(FP)).toBe(6);
        expect(await embedMissing(FP, 4)).toHaveLength(6);
        expect(await store.deleteOtherEmbeddings(FP)).toBe(6);
        expect(await embedMissing(OTHER, 4)).toHaveLength(6);
      });

      test('deleteOtherEmbeddings keeps those of each encoder that is named', async () => {
        await embedMissing(OTHER, 4);
        await store.writeEmbeddings('encoder-c', [await idOf('shop', 'buy')], vectorsOf(['buy'], 'c'));
        expect(await store.deleteOtherEmbeddings(OTHER, 'of none', FP)).toBe(1);
        await read('bank', OTHER);
        await read('bank', FP);
        expect(await store.countMissingEmbeddings('encoder-c')).toBe(6);
      });
    });

    describe('calls at the same time', () => {
      test('are applied one after the other, each whole', async () => {
        await store.putIntents('bank', [intent('lost', [])], FP);
        const changes = await Promise.all(
          Array.from({ length: 40 }, (_, n) =>
            n % 4 === 0
              ? store.putIntents('bank', [intent(`i${n}`, [`${n} a`, `${n} b`])], FP)
              : store.addExamples('bank', 'lost', texts(`shared ${n >> 2}`, `own ${n}`), FP),
          ),
        );
        // Each of the forty changed something, so each has a revision of its own.
        const revisions = changes.map(({ bot }) => bot.revision).sort((a, b) => a - b);
        expect(revisions).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
        const { texts: stored, bot } = await read('bank');
        expect(bot.revision).toBe(41);
        expect(stored).toHaveLength(1 + 10 * 3 + 10 + 30);
        const added = changes.flatMap((change) => change.added);
        expect(new Set(added.map(({ id }) => id)).size).toBe(added.length);
        expect(added).toHaveLength(stored.length - 1);
      });

      test('reads beside writes see a revision and the texts that belong to it', async () => {
        await store.putIntents('bank', [intent('lost', [])], FP);
        const reads: Promise<BotContents>[] = [];
        const writes: Promise<unknown>[] = [];
        for (let n = 0; n < 20; n++) {
          writes.push(store.addExamples('bank', 'lost', texts(`${n} a`, `${n} b`), FP));
          reads.push(read('bank'));
        }
        await Promise.all(writes);
        for (const { bot, texts: stored } of await Promise.all(reads)) {
          expect(stored).toHaveLength(1 + 2 * (bot.revision - 1));
        }
      });

      test('a failed one leaves the others alone', async () => {
        await store.putIntents('bank', [intent('lost', ['one']), intent('found', [])], FP);
        // Which comes first is the backend's affair.
        const [first, failed, last] = await Promise.allSettled([
          store.addExamples('bank', 'found', texts('two'), FP),
          store.addExamples('bank', 'none', texts('three'), FP),
          store.deleteIntent('bank', 'lost'),
        ]);
        expect([first.status, failed.status, last.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await revisionOf('bank')).toBe(3);
      });
    });

    describe('closing', () => {
      testPersistence('keeps everything', async () => {
        await store.putBot('bank', { threshold: 0.4 });
        await store.putIntents('bank', [intent('lost', ['one', '💳'], 'Lost'), intent('found', ['two'])], FP);
        await store.putCounterexamples('bank', texts('sing'), FP);
        const [bots, contents] = [await store.listBots(), await read('bank')];
        await reopen();
        expect(await store.listBots()).toEqual(bots);
        expect(await read('bank')).toEqual(contents);
      });

      testPersistence('does not make an id free again', async () => {
        const { added } = await store.putIntents('bank', [intent('lost', ['one'])], FP);
        await store.deleteBot('bank');
        await reopen();
        const later = await store.putIntents('bank', [intent('lost', ['one'])], FP);
        expect(later.added[0]?.id).toBeGreaterThan(added[1]?.id ?? Infinity);
      });

      test('twice is harmless; afterwards every call is refused', async () => {
        await store.close();
        await store.close();
        for (const call of [
          () => store.ping(),
          () => store.listBots(),
          () => store.readBot('bank', FP),
          () => store.putIntents('bank', [intent('lost', ['one'])], FP),
        ]) {
          await expect(call()).rejects.toMatchObject({ name: 'KshotError', code: 'store_unavailable' });
        }
      });
    });
  });
}
