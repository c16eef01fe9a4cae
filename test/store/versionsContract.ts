import { beforeEach, describe, expect, test } from '@jest/globals';
import { type BotContents, MAX_ALIAS_MOVES, type Store } from '../../src/store/store.js';
import { type Backend, useBackend } from './backend.js';
import { embedded, intentInput, vectorsOf } from './texts.js';

const FP = 'encoder-a';
const OTHER = 'encoder-b';

const texts = (...all: string[]) => all.map((text) => embedded(text, FP));
const intent = (name: string, examples: string[], description: string | null = null) =>
  intentInput(name, examples, FP, description);

/** What every store promises of versions and aliases (src/store/store.ts). */
export function describeVersionsContract(
  name: string,
  createBackend: () => Promise<Backend>,
  options: {
    /** Whether a store outlives its closing. */
    readonly persistent: boolean;
  },
): void {
  describe(`${name} keeps the contract of versions and aliases`, () => {
    const testPersistence = options.persistent ? test : test.skip;
    let store: Store;
    const { reopen } = useBackend(createBackend, (opened) => (store = opened));

    /** A bot with two intents and a counter-example, at revision 3. */
    async function makeBank(): Promise<void> {
      await store.putBot('bank', { threshold: 0.4 });
      const intents = [intent('lost', ['it is gone', 'stolen'], 'The card is lost'), intent('empty', [])];
      await store.putIntents('bank', intents, FP);
      await store.putCounterexamples('bank', texts('sing'), FP);
    }

    const BANK = [
      'label lost: The card is lost',
      'example lost: it is gone',
      'example lost: stolen',
      'label empty: empty',
      'counterexample null: sing',
    ];

    /** What a bot or a version holds, as `kind intent: text`; its embeddings are checked row for row. */
    function summary(contents: BotContents | undefined, fingerprint = FP): string[] {
      if (contents === undefined) throw new Error('there is nothing');
      const all = contents.texts.map(({ text }) => text);
      expect(contents.embeddings).toEqual(vectorsOf(all, fingerprint));
      return contents.texts.map(({ kind, intent, text }) => `${kind} ${intent}: ${text}`);
    }

    const readBank = async () => summary(await store.readBot('bank', FP));
    const readVersion = async (version: string) => summary(await store.readVersion('bank', version, FP));
    const namesOf = async () => (await store.listVersions('bank')).map(({ name }) => name);
    const pathOf = async (alias: string) => {
      const found = (await store.listAliases('bank')).find(({ name }) => name === alias)!;
      return [found.version, ...found.history.map(({ version }) => version)];
    };
    const refused = (code: string) => expect.objectContaining({ name: 'KshotError', code });

    describe('a version', () => {
      test('holds the bot as it was, whatever is written to it', async () => {
        await makeBank();
        await store.addUnlabelled('bank', 'given', texts('who knows'), FP);
        const before = new Date().toISOString();
        const { created, version } = await store.saveVersion('bank', 'v1', 'the first one');
        expect(created).toBe(true);
        expect(version).toMatchObject({
          name: 'v1',
          note: 'the first one',
          revision: 3,
          settings: { threshold: 0.4 },
          intents: 2,
          examples: 2,
          counterexamples: 1,
        });
        expect(version.createdAt >= before).toBe(true);

        await store.deleteIntent('bank', 'lost');
        await store.putIntents('bank', [intent('empty', ['no longer'])], FP);
        await store.putCounterexamples('bank', [], FP);
        await store.putBot('bank', {});
        expect(await readBank()).toEqual(['label empty: empty', 'example empty: no longer']);
        expect(await readVersion('v1')).toEqual(BANK);
        expect(await store.readVersion('bank', 'v1', FP)).toMatchObject({
          bot: { name: 'bank', revision: 3, settings: { threshold: 0.4 } },
          intents: [
            { name: 'lost', description: 'The card is lost' },
            { name: 'empty', description: null },
          ],
        });
        expect(await store.listVersions('bank')).toEqual([version]);
      });

      test('leaves the bot alone: its revision, its texts and their ids, its unlabelled texts', async () => {
        await makeBank();
        await store.addUnlabelled('bank', 'seen', texts('who knows'), FP);
        const before = await store.readBot('bank', FP);
        await store.saveVersion('bank', 'v1', null);
        expect(await store.readBot('bank', FP)).toEqual(before);
        expect(await store.listBots()).toEqual([before!.bot]);
        expect(await store.listUnlabelled('bank', { after: 0, limit: 10 })).toMatchObject({ total: 1 });
        const ids = new Set(before!.texts.map(({ id }) => id));
        const copies = (await store.readVersion('bank', 'v1', FP))!.texts;
        expect(copies.filter(({ id }) => ids.has(id))).toEqual([]);
      });

      test('of a name that is there is the same one, or refused', async () => {
        await makeBank();
        const { version } = await store.saveVersion('bank', 'v1', 'first');
        expect(await store.saveVersion('bank', 'v1', 'again')).toEqual({ created: false, version });
        await store.deleteIntent('bank', 'empty');
        await expect(store.saveVersion('bank', 'v1', null)).rejects.toEqual(refused('version_exists'));
        await store.saveVersion('bank', 'v2', null);
        expect(await namesOf()).toEqual(['v2', 'v1']);
        expect(await readVersion('v1')).toEqual(BANK);
      });

      test('can be of a bot without anything, and belongs to its bot alone', async () => {
        await store.putBot('bank', {});
        await store.putBot('shop', {});
        const { version } = await store.saveVersion('bank', 'v1', null);
        expect(version).toMatchObject({ intents: 0, examples: 0, counterexamples: 0, revision: 1 });
        expect(await readVersion('v1')).toEqual([]);
        expect(await store.listVersions('shop')).toEqual([]);
        expect(await store.readVersion('shop', 'v1', FP)).toBeUndefined();
        expect((await store.saveVersion('shop', 'v1', null)).created).toBe(true);
      });

      test('is no bot: nothing reaches it by a name of a bot', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        expect(await store.readBot('v1', FP)).toBeUndefined();
        expect(await store.deleteBot('v1')).toBe(false);
        expect((await store.listBots()).map(({ name }) => name)).toEqual(['bank']);
        await store.putBot('v1', {});
        expect(await readVersion('v1')).toEqual(BANK);
      });

      test('is gone when it, or its bot, is deleted; so are its embeddings', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        await store.saveVersion('bank', 'v2', null);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(3 * BANK.length);
        await store.deleteVersion('bank', 'v1');
        expect(await namesOf()).toEqual(['v2']);
        expect(await store.readVersion('bank', 'v1', FP)).toBeUndefined();
        expect(await store.countMissingEmbeddings(OTHER)).toBe(2 * BANK.length);
        expect(await readVersion('v2')).toEqual(BANK);

        await store.moveAlias('bank', 'production', 'v2');
        expect(await store.deleteBot('bank')).toBe(true);
        expect(await store.countMissingEmbeddings(OTHER)).toBe(0);
        await store.putBot('bank', {});
        expect(await store.listVersions('bank')).toEqual([]);
        expect(await store.listAliases('bank')).toEqual([]);
      });

      test('is embedded anew as bots are when the encoder is another', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        await expect(store.readVersion('bank', 'v1', OTHER)).rejects.toEqual(refused('store_unavailable'));
        for (;;) {
          const missing = await store.readMissingEmbeddings(OTHER, 4);
          if (missing.length === 0) break;
          const ids = missing.map(({ id }) => id);
          const all = missing.map(({ text }) => text);
          await store.writeEmbeddings(OTHER, ids, vectorsOf(all, OTHER));
        }
        await store.deleteOtherEmbeddings(OTHER);
        expect(summary(await store.readVersion('bank', 'v1', OTHER), OTHER)).toEqual(BANK);
        const { version } = await store.saveVersion('bank', 'v2', null);
        expect(summary(await store.readVersion('bank', version.name, OTHER), OTHER)).toEqual(BANK);
      });

      test('that does not exist is said so, as is a bot', async () => {
        await makeBank();
        expect(await store.readVersion('bank', 'v1', FP)).toBeUndefined();
        expect(await store.readVersion('none', 'v1', FP)).toBeUndefined();
        for (const missing of [
          () => store.deleteVersion('bank', 'v1'),
          () => store.restoreVersion('bank', 'v1', FP),
          () => store.moveAlias('bank', 'production', 'v1'),
        ]) {
          await expect(missing()).rejects.toEqual(refused('unknown_version'));
        }
        for (const missing of [
          () => store.listVersions('none'),
          () => store.saveVersion('none', 'v1', null),
          () => store.deleteVersion('none', 'v1'),
          () => store.restoreVersion('none', 'v1', FP),
          () => store.listAliases('none'),
          () => store.moveAlias('none', 'production', 'v1'),
          () => store.rollBackAlias('none', 'production'),
          () => store.deleteAlias('none', 'production'),
        ]) {
          await expect(missing()).rejects.toEqual(refused('unknown_bot'));
        }
      });

      testPersistence('outlives a restart, with the aliases', async () => {
        await makeBank();
        const { version } = await store.saveVersion('bank', 'v1', 'grüße');
        await store.saveVersion('bank', 'v2', null);
        await store.moveAlias('bank', 'production', 'v1');
        const { alias } = await store.moveAlias('bank', 'production', 'v2');
        await reopen();
        expect((await store.listVersions('bank'))[1]).toEqual(version);
        expect(await store.listAliases('bank')).toEqual([alias]);
        expect(await readVersion('v1')).toEqual(BANK);
      });
    });

    describe('restoring', () => {
      test('makes the bot what the version is; what stays keeps its id', async () => {
        await makeBank();
        const kept = (await store.readBot('bank', FP))!.texts.find(({ text }) => text === 'stolen')!;
        await store.saveVersion('bank', 'v1', null);
        await store.putBot('bank', { head: 'matching' });
        const changed = [intent('lost', ['stolen', 'burnt']), intent('new', ['brand new'])];
        await store.putIntents('bank', changed, FP);
        await store.deleteIntent('bank', 'empty');
        await store.putCounterexamples('bank', texts('dance'), FP);

        const { bot, added, removed } = await store.restoreVersion('bank', 'v1', FP);
        expect(bot).toMatchObject({ name: 'bank', revision: 8, settings: { threshold: 0.4 } });
        const inWords = (all: typeof added) => all.map(({ kind, text }) => `${kind}: ${text}`).sort();
        expect(inWords(added)).toEqual([
          'counterexample: sing',
          'example: it is gone',
          'label: The card is lost',
          'label: empty',
        ]);
        expect(inWords(removed)).toEqual([
          'counterexample: dance',
          'example: brand new',
          'example: burnt',
          'label: lost',
          'label: new',
        ]);
        expect((await readBank()).sort()).toEqual([...BANK].sort());
        const { intents, texts: after } = (await store.readBot('bank', FP))!;
        expect(after).toContainEqual(kept);
        expect(intents).toEqual([
          { name: 'lost', description: 'The card is lost' },
          { name: 'empty', description: null },
        ]);
        expect(await readVersion('v1')).toEqual(BANK);
      });

      test('what the bot is already changes nothing', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        const { bot } = (await store.readBot('bank', FP))!;
        expect(await store.restoreVersion('bank', 'v1', FP)).toEqual({ bot, added: [], removed: [] });
      });

      test('of other settings alone is a change', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        await store.putBot('bank', { threshold: 0.9 });
        const { bot, added, removed } = await store.restoreVersion('bank', 'v1', FP);
        expect(bot).toMatchObject({ revision: 5, settings: { threshold: 0.4 } });
        expect([added, removed]).toEqual([[], []]);
      });

      test('takes a text that it brings back from the unlabelled ones, and leaves the others', async () => {
        await makeBank();
        await store.saveVersion('bank', 'v1', null);
        await store.deleteIntent('bank', 'lost');
        await store.addUnlabelled('bank', 'given', texts('stolen', 'who knows'), FP);
        await store.restoreVersion('bank', 'v1', FP);
        const { texts: left } = await store.listUnlabelled('bank', { after: 0, limit: 10 });
        expect(left.map(({ text }) => text)).toEqual(['who knows']);
      });
    });

    describe('an alias', () => {
      beforeEach(async () => {
        await makeBank();
        for (const version of ['v1', 'v2', 'v3']) await store.saveVersion('bank', version, null);
      });

      test('points where it was moved to, and knows where it came from', async () => {
        const { created, alias } = await store.moveAlias('bank', 'production', 'v1');
        expect(created).toBe(true);
        expect(alias).toMatchObject({ name: 'production', version: 'v1', history: [] });
        const moved = await store.moveAlias('bank', 'production', 'v2');
        expect(moved.created).toBe(false);
        expect(moved.alias.history).toEqual([{ version: 'v1', movedAt: alias.movedAt }]);
        await store.moveAlias('bank', 'canary', 'v3');
        const aliases = await store.listAliases('bank');
        expect(aliases.map(({ name, version }) => [name, version])).toEqual([
          ['canary', 'v3'],
          ['production', 'v2'],
        ]);
      });

      test('that points there already is not moved', async () => {
        const { alias } = await store.moveAlias('bank', 'production', 'v1');
        expect(await store.moveAlias('bank', 'production', 'v1')).toEqual({ created: false, alias });
      });

      test('is rolled back move by move', async () => {
        for (const version of ['v1', 'v2', 'v3']) await store.moveAlias('bank', 'production', version);
        expect(await store.rollBackAlias('bank', 'production')).toMatchObject({ version: 'v2' });
        expect(await pathOf('production')).toEqual(['v2', 'v1']);
        await store.rollBackAlias('bank', 'production');
        expect(await pathOf('production')).toEqual(['v1']);
        await expect(store.rollBackAlias('bank', 'production')).rejects.toEqual(
          refused('nothing_to_roll_back'),
        );
        expect(await pathOf('production')).toEqual(['v1']);
      });

      test('keeps the version that it points at, and forgets one that is deleted', async () => {
        for (const version of ['v3', 'v1', 'v2', 'v1']) await store.moveAlias('bank', 'production', version);
        await expect(store.deleteVersion('bank', 'v1')).rejects.toEqual(refused('version_in_use'));
        await store.deleteVersion('bank', 'v2');
        // From v1 to v2 and back is nowhere, where there is no v2.
        expect(await pathOf('production')).toEqual(['v1', 'v3']);
        await store.deleteVersion('bank', 'v3');
        expect(await pathOf('production')).toEqual(['v1']);
      });

      test('shares its namespace with the versions of its bot', async () => {
        await store.moveAlias('bank', 'production', 'v1');
        await expect(store.moveAlias('bank', 'v2', 'v1')).rejects.toEqual(refused('name_taken'));
        await expect(store.saveVersion('bank', 'production', null)).rejects.toEqual(refused('name_taken'));
        await store.putBot('shop', {});
        expect((await store.saveVersion('shop', 'production', null)).created).toBe(true);
      });

      test('is gone when it is deleted, and can be made anew', async () => {
        await store.moveAlias('bank', 'production', 'v1');
        await store.moveAlias('bank', 'production', 'v2');
        await store.deleteAlias('bank', 'production');
        expect(await store.listAliases('bank')).toEqual([]);
        await expect(store.deleteAlias('bank', 'production')).rejects.toEqual(refused('unknown_alias'));
        await expect(store.rollBackAlias('bank', 'production')).rejects.toEqual(refused('unknown_alias'));
        const { created, alias } = await store.moveAlias('bank', 'production', 'v3');
        expect({ created, alias }).toMatchObject({ created: true, alias: { version: 'v3', history: [] } });
      });

      test('remembers only so many moves', async () => {
        for (let i = 0; i <= MAX_ALIAS_MOVES; i++) {
          await store.moveAlias('bank', 'production', i % 2 === 0 ? 'v1' : 'v2');
        }
        const path = await pathOf('production');
        expect(path).toHaveLength(MAX_ALIAS_MOVES);
        expect(path.slice(0, 3)).toEqual(['v1', 'v2', 'v1']);
      });
    });
  });
}
