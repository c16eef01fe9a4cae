import { beforeEach, describe, expect, test } from '@jest/globals';
import type { BotContents, Store } from '../../src/store/store.js';
import { type Backend, useBackend } from './backend.js';
import { embedded, intentInput, vectorsOf } from './texts.js';

const FP = 'encoder-a';
const OTHER = 'encoder-b';

/** What every store promises of small changes to a bot. */
export function describeEditsContract(name: string, createBackend: () => Promise<Backend>): void {
  describe(`${name} keeps the contract of edits`, () => {
    let store: Store;
    useBackend(createBackend, (opened) => (store = opened));

    beforeEach(async () => {
      await store.putIntents(
        'bank',
        [
          intentInput('lost', ['it is gone', 'i lost it'], FP),
          intentInput('stolen', ['it was taken'], FP, 'a theft'),
          intentInput('balance', ['how much is left'], FP),
        ],
        FP,
      );
      await store.putCounterexamples('bank', [embedded('sing', FP), embedded('dance', FP)], FP);
    });
    /** The bot; its embeddings are checked row for row. */
    async function read(fingerprint = FP): Promise<BotContents> {
      const contents = await store.readBot('bank', fingerprint);
      if (contents === undefined) throw new Error('no bot');
      const texts = contents.texts.map(({ text }) => text);
      expect(contents.embeddings).toEqual(vectorsOf(texts, fingerprint));
      return contents;
    }

    /** The texts of an intent, or the counter-examples. */
    async function textsOf(intent: string | null): Promise<string[]> {
      const { texts } = await read();
      return texts.filter((one) => one.intent === intent && one.kind !== 'label').map(({ text }) => text);
    }

    async function idOf(text: string, intent?: string): Promise<number> {
      const { texts } = await read();
      const found = texts.find((one) => one.text === text && (intent === undefined || one.intent === intent));
      if (found === undefined) throw new Error(`no text ${text}`);
      return found.id;
    }

    describe('editExample', () => {
      test('changes the text: a new one, the newest of its intent, in one revision', async () => {
        const { revision } = (await read()).bot;
        const id = await idOf('it is gone');
        const change = await store.editExample('bank', 'lost', id, { text: embedded('it went', FP) }, FP);
        expect(change).toMatchObject({
          bot: { revision: revision + 1 },
          added: [{ kind: 'example', intent: 'lost', text: 'it went' }],
          removed: [{ id, kind: 'example', intent: 'lost', text: 'it is gone' }],
        });
        expect(change.added[0]!.id).toBeGreaterThan(id);
        expect(await textsOf('lost')).toEqual(['i lost it', 'it went']);
      });

      test('moves an example with its embeddings under every encoder', async () => {
        const { texts } = await read();
        const ids = texts.map((text) => text.id);
        await store.writeEmbeddings(
          OTHER,
          ids,
          vectorsOf(
            texts.map(({ text }) => text),
            OTHER,
          ),
        );
        const id = await idOf('i lost it');
        const change = await store.editExample('bank', 'lost', id, { intent: 'stolen' }, FP);
        expect(change).toMatchObject({
          added: [{ intent: 'stolen', text: 'i lost it' }],
          removed: [{ id, intent: 'lost', text: 'i lost it' }],
        });
        expect(await textsOf('lost')).toEqual(['it is gone']);
        expect(await textsOf('stolen')).toEqual(['it was taken', 'i lost it']);
        await read(OTHER);
      });

      test('does both at once', async () => {
        const id = await idOf('i lost it');
        const { revision } = (await read()).bot;
        const edit = { intent: 'stolen', text: embedded('it was stolen', FP) };
        const change = await store.editExample('bank', 'lost', id, edit, FP);
        expect(change.bot.revision).toBe(revision + 1);
        expect(await textsOf('lost')).toEqual(['it is gone']);
        expect(await textsOf('stolen')).toEqual(['it was taken', 'it was stolen']);
      });

      test('leaves one of two where the intent has the text already', async () => {
        const twin = await store.addExamples('bank', 'stolen', [embedded('i lost it', FP)], FP);
        const moved = await idOf('i lost it', 'lost');
        expect(await store.editExample('bank', 'lost', moved, { intent: 'stolen' }, FP)).toMatchObject({
          added: [],
          removed: [{ id: moved }],
        });
        const edited = await idOf('it was taken');
        const edit = { text: embedded('i lost it', FP) };
        expect(await store.editExample('bank', 'stolen', edited, edit, FP)).toMatchObject({
          added: [],
          removed: [{ id: edited }],
        });
        expect(await idOf('i lost it', 'stolen')).toBe(twin.added[0]!.id);
        expect(await textsOf('stolen')).toEqual(['i lost it']);
      });

      test('allows a text that another intent has, or that is a counter-example', async () => {
        await store.editExample(
          'bank',
          'lost',
          await idOf('i lost it'),
          { text: embedded('it was taken', FP) },
          FP,
        );
        await store.editExample('bank', 'lost', await idOf('it is gone'), { text: embedded('sing', FP) }, FP);
        expect(await textsOf('lost')).toEqual(['it was taken', 'sing']);
        expect(await textsOf('stolen')).toEqual(['it was taken']);
        expect(await textsOf(null)).toEqual(['sing', 'dance']);
      });

      test('takes the new text from the unlabelled ones', async () => {
        await store.addUnlabelled('bank', 'seen', [embedded('it went', FP)], FP);
        await store.editExample(
          'bank',
          'lost',
          await idOf('i lost it'),
          { text: embedded('it went', FP) },
          FP,
        );
        expect(await store.listUnlabelled('bank', { after: 0, limit: 9 })).toMatchObject({ total: 0 });
      });

      test.each([
        ['nothing', {}],
        ['the text that it has', { text: embedded('i lost it', FP) }],
        ['the intent that it is of', { intent: 'lost' }],
      ])('writes nothing where it is given %s', async (_, edit) => {
        const before = await read();
        expect(await store.editExample('bank', 'lost', await idOf('i lost it'), edit, FP)).toEqual({
          bot: before.bot,
          added: [],
          removed: [],
        });
        expect(await read()).toEqual(before);
      });

      test('refuses what is not there, and changes nothing', async () => {
        const before = await read();
        const id = await idOf('i lost it');
        const edit = { intent: 'nowhere' };
        const code = (code: string) => ({ code });
        await expect(store.editExample('shop', 'lost', id, edit, FP)).rejects.toMatchObject(
          code('unknown_bot'),
        );
        await expect(store.editExample('bank', 'none', id, {}, FP)).rejects.toMatchObject(
          code('unknown_intent'),
        );
        await expect(store.editExample('bank', 'lost', id, edit, FP)).rejects.toMatchObject(
          code('unknown_intent'),
        );
        await expect(store.editExample('bank', 'stolen', id, {}, FP)).rejects.toMatchObject(
          code('unknown_example'),
        );
        const label = await idOf('lost');
        await expect(store.editExample('bank', 'lost', label, {}, FP)).rejects.toMatchObject(
          code('unknown_example'),
        );
        expect(await read()).toEqual(before);
      });
    });

    describe('renameIntent', () => {
      test('keeps examples, ids and the place, and changes what stands for the intent', async () => {
        const before = await read();
        const label = embedded('gone for good', FP);
        const change = await store.renameIntent('bank', 'lost', 'gone', label, FP);
        expect(change).toMatchObject({
          bot: { revision: before.bot.revision + 1 },
          added: [{ kind: 'label', intent: 'gone', text: 'gone for good' }],
          removed: [{ kind: 'label', intent: 'gone', text: 'lost' }],
          renamed: { from: 'lost', to: 'gone' },
        });
        const after = await read();
        expect(after.intents.map(({ name }) => name)).toEqual(['gone', 'stolen', 'balance']);
        const examples = ({ texts }: BotContents) =>
          texts.filter(({ kind }) => kind === 'example').map(({ id, text }) => ({ id, text }));
        expect(examples(after)).toEqual(examples(before));
      });

      test('leaves the description to stand for the intent', async () => {
        const before = await read();
        const change = await store.renameIntent('bank', 'stolen', 'theft', embedded('theft', FP), FP);
        expect(change).toMatchObject({ added: [], removed: [], renamed: { from: 'stolen', to: 'theft' } });
        const after = await read();
        expect(after.intents[1]).toEqual({ name: 'theft', description: 'a theft' });
        expect(after.texts.map(({ id, text }) => ({ id, text }))).toEqual(
          before.texts.map(({ id, text }) => ({ id, text })),
        );
      });

      test('to the name that it has writes nothing', async () => {
        const before = await read();
        await store.renameIntent('bank', 'lost', 'lost', embedded('lost', FP), FP);
        expect(await read()).toEqual(before);
      });

      test('refuses a name that is taken, and what is not there', async () => {
        const before = await read();
        const rename = (bot: string, intent: string, name: string) =>
          store.renameIntent(bot, intent, name, embedded(name, FP), FP);
        await expect(rename('bank', 'lost', 'stolen')).rejects.toMatchObject({ code: 'intent_exists' });
        await expect(rename('bank', 'none', 'stolen')).rejects.toMatchObject({ code: 'unknown_intent' });
        await expect(rename('shop', 'lost', 'gone')).rejects.toMatchObject({ code: 'unknown_bot' });
        expect(await read()).toEqual(before);
      });
    });

    describe('counter-examples', () => {
      test('are added to those that there are', async () => {
        const { revision } = (await read()).bot;
        const more = [embedded('sing', FP), embedded('cook', FP), embedded('cook', FP)];
        const change = await store.addCounterexamples('bank', more, FP);
        expect(change).toMatchObject({
          bot: { revision: revision + 1 },
          added: [{ kind: 'counterexample', intent: null, text: 'cook' }],
          removed: [],
        });
        expect(await textsOf(null)).toEqual(['sing', 'dance', 'cook']);
        expect((await store.addCounterexamples('bank', more, FP)).bot.revision).toBe(revision + 1);
        await expect(store.addCounterexamples('shop', more, FP)).rejects.toMatchObject({
          code: 'unknown_bot',
        });
      });

      test('are taken from the unlabelled texts', async () => {
        await store.addUnlabelled('bank', 'given', [embedded('cook', FP)], FP);
        await store.addCounterexamples('bank', [embedded('cook', FP)], FP);
        expect(await store.listUnlabelled('bank', { after: 0, limit: 9 })).toMatchObject({ total: 0 });
      });

      test('are removed one by one', async () => {
        const id = await idOf('sing');
        expect(await store.removeCounterexample('bank', id)).toMatchObject({
          added: [],
          removed: [{ id, kind: 'counterexample', intent: null, text: 'sing' }],
        });
        expect(await textsOf(null)).toEqual(['dance']);
        const unknown = { code: 'unknown_example' };
        await expect(store.removeCounterexample('bank', id)).rejects.toMatchObject(unknown);
        const example = await idOf('i lost it');
        await expect(store.removeCounterexample('bank', example)).rejects.toMatchObject(unknown);
        await expect(store.removeCounterexample('shop', 1)).rejects.toMatchObject({ code: 'unknown_bot' });
      });
    });
  });
}
