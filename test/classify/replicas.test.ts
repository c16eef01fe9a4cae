import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openService, type OpenedService } from '../../src/classify/live.js';
import type { ClassifyService } from '../../src/classify/service.js';
import { isOver } from '../../src/client/index.js';
import { openJobs } from '../../src/jobs/openJobs.js';
import { evaluationsOnly } from '../../src/jobs/runners.js';
import { openPostgresStore, type PostgresStore } from '../../src/store/postgres.js';
import { seeded } from '../heads/random.js';
import {
  describeOnPostgres,
  type PostgresSchema,
  postgresPlace,
  SERVER_ADDRESS,
} from '../store/postgresServer.js';
import { TcpProxy } from '../store/tcpProxy.js';
import { bundledCalibration } from './bundledCalibration.js';
import { WordEncoder } from './wordEncoder.js';

const LOST = { name: 'card_lost', examples: ['i lost my card', 'my card is gone'] };
const BALANCE = { name: 'balance', examples: ['what is my balance', 'how much money do i have'] };
/** Where a test is to show that nothing but a notification brings the news, or nothing but a check. */
const NEVER_MS = 3_600_000;
const SOON_MS = 30;
/** Of bots that are written to so often that adapting anew would take most of a test's time. */
const DOES_NOT_ADAPT = { head: 'prototypical' } as const;

interface Replica {
  readonly service: OpenedService;
  readonly store: PostgresStore;
  readonly encoder: WordEncoder;
  readonly warnings: string[];
}

const place = postgresPlace();

describeOnPostgres('replicas on one PostgreSQL database', () => {
  let schema: PostgresSchema;
  let proxy: TcpProxy;
  const opened: Replica[] = [];

  beforeEach(async () => {
    schema = await place.schema();
    proxy = new TcpProxy(SERVER_ADDRESS);
    await proxy.start();
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ service }) => service.close()));
    await proxy.stop();
    await schema.drop();
  });

  async function open({
    url = schema.url,
    checkEveryMs = NEVER_MS,
    revisionTimeoutMs = 20_000,
    fingerprint = 'words-1',
    botMemoryBytes = Infinity,
  } = {}): Promise<Replica> {
    const store = await openPostgresStore({ url, connections: 3, checkEveryMs });
    const encoder = new WordEncoder(fingerprint);
    const warnings: string[] = [];
    const service = await openService({
      encoder,
      store,
      feed: store,
      revisionTimeoutMs,
      maxTextChars: 200,
      botMemoryBytes,
      calibration: bundledCalibration,
      warn: (message, error) => warnings.push(`${message}: ${String(error)}`),
    });
    const replica = { service, store, encoder, warnings };
    opened.push(replica);
    return replica;
  }

  /** One whose connections go through the proxy. */
  const openBehindProxy = (options: { checkEveryMs?: number; revisionTimeoutMs?: number } = {}) =>
    open({ url: schema.through(proxy.port), ...options });

  /** All that a replica has of all bots. */
  async function pictureOf({ service }: Replica) {
    return Promise.all(
      (await service.listBots()).map(async (bot) => ({
        bot,
        intents: await service.listIntents(bot.name),
        counterexamples: await service.getCounterexamples(bot.name),
        answers: (await service.classify(bot.name, ['my card is lost', 'what money do i have'])).map(
          ({ evidence, model }) => ({ evidence, revision: model.revision }),
        ),
      })),
    );
  }

  /** Resolves when the replica has taken in by itself what the other one has. */
  async function alike(replica: Replica, other: Replica): Promise<void> {
    const revisions = async ({ service }: Replica) =>
      (await service.listBots()).map(({ name, revision }) => `${name} ${revision}`).join();
    while ((await revisions(replica)) !== (await revisions(other))) await sleep(5);
    expect(await pictureOf(replica)).toEqual(await pictureOf(other));
  }

  test('what is written to one is answered by the others, told by notifications, and embedded once', async () => {
    const [a, b] = [await open(), await open()];
    const write = async (what: (service: ClassifyService) => Promise<unknown>) => {
      await what(a.service);
      await alike(b, a);
    };
    await write((service) => service.putIntents('bank', [LOST, BALANCE]));
    expect((await b.service.classify('bank', ['my card is gone']))[0]).toMatchObject({ intent: 'card_lost' });
    await write((service) => service.addExamples('bank', 'balance', ['show the money']));
    await write((service) => service.putIntents('bank', [{ ...LOST, description: 'A card is lost' }]));
    await write((service) => service.putBot('bank', { head: 'prototypical', threshold: 0.2 }));
    expect((await b.service.getBot('bank')).settings).toEqual({ head: 'prototypical', threshold: 0.2 });
    expect((await b.service.getBot('bank')).head.serving).toBe('prototypical');
    await write((service) => service.putCounterexamples('bank', ['sing a song', 'dance with me']));
    const intents = await a.service.listIntents('bank');
    await write((service) => service.removeExample('bank', 'balance', intents[1]!.examples[0]!.id));
    await write((service) =>
      service.importBot('bank', { intents: [LOST], counterexamples: [] }, { prune: true }),
    );
    await a.service.addUnlabelled('bank', ['where did my card go']);
    const [unlabelled] = (await b.service.listUnlabelled('bank')).texts;
    await write((service) => service.labelUnlabelled('bank', unlabelled!.id, 'card_lost'));
    await write((service) => service.renameIntent('bank', 'card_lost', 'card_gone'));
    expect((await b.service.classify('bank', ['my card is gone']))[0]).toMatchObject({ intent: 'card_gone' });
    await write((service) => service.addCounterexamples('bank', ['sing along']));
    const [renamed] = await b.service.listIntents('bank');
    const edit = { text: 'my card was gone' };
    await write((service) => service.editExample('bank', 'card_gone', renamed!.examples[0]!.id, edit));
    await write((service) => service.putIntents('shop', [BALANCE]));
    await write((service) => service.deleteIntent('shop', 'balance'));
    await write((service) => service.deleteBot('bank'));

    const asked = ['my card is gone', 'my card is lost', 'what money do i have'];
    expect(b.encoder.seen.filter((text) => !asked.includes(text))).toEqual([]);
    expect([...a.warnings, ...b.warnings]).toEqual([]);
  });

  test('writes to one bot on several of them at once follow one another', async () => {
    const replicas = [await open(), await open(), await open()];
    await replicas[0]!.service.putIntents('bank', [LOST, BALANCE]);
    const { revision } = await replicas[0]!.service.putBot('bank', DOES_NOT_ADAPT);
    for (const { service } of replicas) await service.reach('bank', revision);
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) => {
        const { service } = replicas[i % 3]!;
        if (i % 5 === 4)
          return service.putIntents('bank', [{ name: `intent ${i}`, examples: [`about ${i}`] }]);
        return service.addExamples('bank', 'balance', [`my balance ${i}`, `shared ${i >> 1}`]);
      }),
    );
    expect(results.map(({ revision }) => revision).sort((x, y) => x - y)).toEqual(
      Array.from({ length: 30 }, (_, i) => revision + i + 1),
    );
    const last = Math.max(...results.map(({ revision }) => revision));
    for (const { service } of replicas) await service.reach('bank', last);
    for (const replica of replicas) await alike(replica, replicas[0]!);
    await alike(await open(), replicas[0]!);
  });

  test('any writes leave all of them, and one that starts afterwards, with the same', async () => {
    const replicas = [await open(), await open()];
    const random = seeded(17);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
    const bots = ['bank', 'shop'];
    const names = ['one', 'two', 'three'];
    const words = ['card', 'money', 'lost', 'gone', 'balance', 'sing'];
    const text = () => `${pick(words)} ${pick(words)} ${pick(words)}`;
    const act = async ({ service }: Replica): Promise<unknown> => {
      const bot = pick(bots);
      const intent = pick(names);
      switch (Math.floor(random() * 10)) {
        case 0:
        case 1:
          return service.putIntents(bot, [
            { name: intent, examples: [text(), text(), text()], description: random() < 0.3 ? text() : null },
          ]);
        case 2:
        case 3:
          return service.addExamples(bot, intent, [text()]);
        case 4:
          return service.deleteIntent(bot, intent);
        case 5:
          return service.putCounterexamples(bot, [text(), text()]);
        case 6:
          return service.renameIntent(bot, intent, pick(names));
        case 7: {
          const example = pick((await service.getIntent(bot, intent)).examples);
          return service.editExample(bot, intent, example.id, { text: text(), intent: pick(names) });
        }
        case 8:
          return service.putBot(bot, { ...DOES_NOT_ADAPT, threshold: Math.round(random() * 10) / 10 });
        default:
          return random() < 0.2 ? service.deleteBot(bot) : service.addExamples(bot, intent, [text(), text()]);
      }
    };
    for (const bot of bots) await replicas[0]!.service.putBot(bot, DOES_NOT_ADAPT);
    for (let round = 0; round < 40; round++) {
      // Some fail: a replica that is not told yet, or told already, may not know the bot or the intent.
      await Promise.allSettled(Array.from({ length: 4 }, () => act(pick(replicas))));
    }
    const fresh = await open();
    for (const replica of replicas) await alike(replica, fresh);
    expect(replicas.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  test('versions and aliases are the same everywhere, and an alias moves once its version has adapted', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const others = [await open(), await openBehindProxy({ checkEveryMs: SOON_MS })];
    const catalog = async ({ service }: Replica) =>
      JSON.stringify([await service.listVersions('bank'), await service.listAliases('bank')]);
    const follow = async () => {
      for (const b of others) {
        await alike(b, a);
        while ((await catalog(b)) !== (await catalog(a))) await sleep(5);
      }
    };
    await a.service.putIntents('bank', [
      LOST,
      { name: 'weather', examples: ['is it sunny', 'what rain is it'] },
    ]);
    await a.service.saveVersion('bank', 'v1', 'the first');
    await a.service.putIntents('bank', [BALANCE]);
    await a.service.saveVersion('bank', 'v2', null);
    await a.service.putAlias('bank', 'live', 'v1');
    await follow();
    const answer = async ({ service }: Replica) => {
      const [result] = await service.classify('bank', ['my balance'], {
        version: 'live',
        explain: true,
      });
      return {
        version: result!.model.version,
        best: result!.ranking[0]!.intent,
        adapted: result!.explanation!.adapted,
      };
    };
    for (const b of others) {
      expect(await answer(b)).toEqual({ version: 'v1', best: 'card_lost', adapted: true });
    }
    await a.service.putAlias('bank', 'live', 'v2');
    await follow();
    for (const b of others)
      expect(await answer(b)).toEqual({ version: 'v2', best: 'balance', adapted: true });
    await others[0]!.service.rollBackAlias('bank', 'live');
    await a.service.restoreVersion('bank', 'v1');
    while ((await a.service.listAliases('bank'))[0]?.version !== 'v1') await sleep(5);
    await follow();
    await a.service.deleteAlias('bank', 'live');
    await a.service.deleteVersion('bank', 'v2');
    // Under a name that another one had.
    await a.service.saveVersion('bank', 'v2', null);
    await a.service.putAlias('bank', 'next', 'v2');
    await follow();
    for (const { service } of others) {
      const [result] = await service.classify('bank', ['my card is gone'], { version: 'next' });
      expect(result!.ranking.map(({ intent }) => intent)).toEqual(['card_lost', 'weather']);
    }
    await a.service.deleteBot('bank');
    for (const b of others) await alike(b, a);
    expect([a, ...others].flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  test('a notification that got lost is made up for by the next check', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const b = await openBehindProxy({ checkEveryMs: SOON_MS });
    await a.service.putIntents('bank', [LOST]);
    await alike(b, a);
    await a.service.addExamples('bank', 'card_lost', ['card is away']);
    await a.service.deleteBot('bank');
    await alike(b, a);
  });

  test('min_revision is answered by what another one wrote, notified or not', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const b = await openBehindProxy();
    const { revision } = await a.service.putIntents('bank', [LOST]);
    await b.service.reach('bank', revision);
    expect((await b.service.getBot('bank')).revision).toBe(revision);
    const later = await a.service.addExamples('bank', 'card_lost', ['card is away']);
    await b.service.reach('bank', revision); // It has this one.
    expect((await b.service.getBot('bank')).revision).toBe(revision);
    await b.service.reach('bank', later.revision);
    expect((await b.service.classify('bank', ['card is away']))[0]!.model.revision).toBe(later.revision);
    await expect(b.service.reach('nobody', 1)).rejects.toMatchObject({ code: 'unknown_bot' });
  });

  test('a write to what another one has just made is not refused', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const b = await openBehindProxy();
    await a.service.putIntents('bank', [LOST, BALANCE]);
    await b.service.addExamples('bank', 'card_lost', ['card is away']);
    await a.service.putIntents('bank', [{ name: 'new', examples: ['something new'] }]);
    await b.service.addExamples('bank', 'new', ['brand new']);
    await a.service.saveVersion('bank', 'v1', null);
    expect(await b.service.putAlias('bank', 'live', 'v1')).toMatchObject({ created: true });
    const unknown = { code: 'unknown_version' };
    await expect(b.service.putAlias('bank', 'live', 'v2')).rejects.toMatchObject(unknown);
    await a.service.putIntents('shop', [BALANCE]);
    await b.service.deleteBot('shop');
    await expect(b.service.deleteBot('nobody')).rejects.toMatchObject({ code: 'unknown_bot' });
    await alike(a, b);
  });

  test('an evaluation is carried out by whichever runs jobs, and seen by all', async () => {
    const [a, b] = [await open(), await open()];
    await a.service.putIntents('bank', [LOST, BALANCE]);
    const { id } = await a.service.crossValidate('bank', { folds: 2 });
    expect(await b.service.getEvaluation('bank', id)).toMatchObject({ status: 'queued' });
    const warn = (message: string, error: unknown) => b.warnings.push(`${message}: ${String(error)}`);
    const jobs = await openJobs(b.store, b.store, { warn });
    try {
      await jobs.begin(evaluationsOnly(b.service));
      let evaluation = await a.service.getEvaluation('bank', id);
      while (!isOver(evaluation)) {
        await sleep(20);
        evaluation = await a.service.getEvaluation('bank', id);
      }
      expect(evaluation).toMatchObject({ status: 'done', progress: { done: 4, total: 4 } });
      expect(b.warnings).toEqual([]);
    } finally {
      await jobs.close();
    }
  });

  test('a revision that does not come in time is refused, and says what to do', async () => {
    const a = await openBehindProxy({ revisionTimeoutMs: 100 });
    await a.service.putIntents('bank', [LOST]);
    const refused = {
      code: 'revision_unavailable',
      message: expect.stringMatching(/is at revision 1 here, and 2 .*try again/),
    };
    await expect(a.service.reach('bank', 2)).rejects.toMatchObject(refused);
    await proxy.stop();
    await expect(a.service.reach('bank', 2)).rejects.toMatchObject(refused);
    const aborted = AbortSignal.abort(new Error('gone'));
    await expect(a.service.reach('bank', 2, aborted)).rejects.toThrow(/gone|abort/);
  });

  test('a connection that the server ends is made again, and what was missed meanwhile is read', async () => {
    const a = await open();
    const url = new URL(schema.url);
    url.searchParams.set('application_name', schema.name);
    const b = await open({ url: url.href });
    await a.service.putIntents('bank', [LOST]);
    await alike(b, a);
    const ended = await schema.query<{ ended: boolean }>(
      'SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = $1',
      [schema.name],
    );
    expect(ended.length).toBeGreaterThan(0);
    await a.service.addExamples('bank', 'card_lost', ['card is away']);
    await alike(b, a);
    await b.service.addExamples('bank', 'card_lost', ['card went off']);
    await alike(a, b);
  });

  test('while the server is away bots answer, writes are refused, and all is well by itself afterwards', async () => {
    const a = await open();
    const b = await openBehindProxy({ checkEveryMs: SOON_MS });
    await a.service.putIntents('bank', [LOST, BALANCE]);
    await alike(b, a);
    await b.service.checkReady();
    expect(b.service.stats().storeConnected).toBe(true);

    await proxy.stop();
    while (!b.warnings.some((warning) => warning.includes('connection to the store is lost'))) await sleep(5);
    expect(b.service.stats().storeConnected).toBe(false);
    expect((await b.service.classify('bank', ['my card is gone']))[0]).toMatchObject({ intent: 'card_lost' });
    const unavailable = { code: 'store_unavailable', message: expect.stringContaining('127.0.0.1') };
    await expect(b.service.checkReady()).rejects.toMatchObject(unavailable);
    await expect(b.service.addExamples('bank', 'balance', ['x'])).rejects.toMatchObject(unavailable);
    await expect(b.service.putBot('other', {})).rejects.toMatchObject(unavailable);
    await expect(b.service.listUnlabelled('bank')).rejects.toMatchObject(unavailable);
    await a.service.putIntents('bank', [{ name: 'meanwhile', examples: ['written meanwhile'] }]);
    await a.service.putBot('new', {});
    expect((await b.service.listBots()).map(({ name }) => name)).toEqual(['bank']);

    await proxy.start();
    await alike(b, a);
    await b.service.checkReady();
    await b.service.addExamples('bank', 'balance', ['show the balance']);
    await alike(a, b);
    expect(b.warnings.at(-1)).toMatch(/is back/);
    expect(b.service.stats().storeConnected).toBe(true);
  });

  describe('with room for one bot each', () => {
    const names = ['bank', 'shop', 'tour', 'post'];
    const openSmall = (options: { checkEveryMs?: number } = {}) => open({ botMemoryBytes: 1, ...options });

    test('stay in step, of the bots that are in memory and of the others', async () => {
      const [a, b] = [await openSmall(), await openSmall()];
      for (const name of names) await a.service.putIntents(name, [LOST, BALANCE]);
      for (let round = 0; round < 2; round++) {
        for (const name of names) {
          const said = `${name} has said ${round}`;
          const { revision } = await b.service.addExamples(name, 'balance', [said]);
          await a.service.reach(name, revision);
          const [result] = await a.service.classify(name, [said]);
          expect(result).toMatchObject({ intent: 'balance', model: { revision } });
          expect(result!.evidence[0]).toMatchObject({ example: said, similarity: 1 });
        }
      }
      await alike(a, b);
      for (const { service } of [a, b]) {
        expect(service.stats()).toMatchObject({ bots: 4, intents: 8, examples: 24, loaded: { bots: 1 } });
      }
      await a.service.putBot('shop', { head: 'prototypical' });
      await a.service.deleteBot('bank');
      await a.service.deleteBot('tour');
      await a.service.putIntents('tour', [LOST]);
      await alike(b, a);
      expect(b.service.stats()).toMatchObject({ bots: 3, intents: 5, examples: 14 });
      await expect(b.service.classify('bank', ['x'])).rejects.toMatchObject({ code: 'unknown_bot' });
      expect([...a.warnings, ...b.warnings]).toEqual([]);
    });

    test('of writes at the same time to a bot that is in memory nowhere none is lost', async () => {
      const replicas = [await openSmall(), await openSmall()];
      for (const name of names) await replicas[0]!.service.putIntents(name, [LOST, BALANCE]);
      for (const { service } of replicas) for (const name of names) await service.reach(name, 1);
      await Promise.all(
        Array.from({ length: 40 }, (_, n) =>
          replicas[n % 2]!.service.addExamples(names[n % 4]!, 'balance', [`example ${n}`]),
        ),
      );
      for (const { service } of replicas) {
        for (const name of names) await service.reach(name, 11);
      }
      await alike(replicas[0]!, replicas[1]!);
      expect(replicas[0]!.service.stats().examples).toBe(4 * 14);
    });

    test('what no notification has told is found by looking', async () => {
      const a = await openSmall();
      proxy.dropsNotifications = true;
      const b = await open({ url: schema.through(proxy.port), botMemoryBytes: 1, checkEveryMs: SOON_MS });
      for (const name of names) await a.service.putIntents(name, [LOST]);
      await alike(b, a);
      await a.service.deleteBot('bank');
      await a.service.addExamples('shop', 'card_lost', ['where is it']);
      await a.service.saveVersion('shop', 'first', null);
      await alike(b, a);
      expect((await b.service.listVersions('shop')).map(({ name }) => name)).toEqual(['first']);
    });
  });

  test('one that is farther behind than writes are remembered reads the bot anew', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const b = await openBehindProxy();
    const { revision } = await a.service.putIntents('bank', [LOST, BALANCE]);
    await b.service.reach('bank', revision);
    await a.service.deleteIntent('bank', 'card_lost');
    const last = await a.service.addExamples('bank', 'balance', ['show it']);
    await schema.query('DELETE FROM kshot_changes WHERE revision = 2');
    await b.service.reach('bank', last.revision);
    await alike(b, a);
  });

  test('a bot that was deleted and made anew is another one, whatever its revision', async () => {
    const a = await open();
    proxy.dropsNotifications = true;
    const b = await openBehindProxy({ checkEveryMs: SOON_MS });
    await a.service.putIntents('bank', [LOST]);
    await alike(b, a);
    await a.service.deleteBot('bank');
    await a.service.putIntents('bank', [BALANCE]); // at revision 1, too
    const intents = () => b.service.listIntents('bank').catch(() => []); // Between the two there is no bot.
    while ((await intents())[0]?.name !== 'balance') await sleep(5);
    await alike(b, a);
  });

  test('several that start at once on an empty database make its tables once', async () => {
    const replicas = await Promise.all(Array.from({ length: 4 }, () => open()));
    expect(replicas.filter(({ store }) => store.isNew)).toHaveLength(1);
    await Promise.all(replicas.map(({ service }) => service.putIntents('bank', [LOST])));
    for (const replica of replicas) {
      await alike(replica, replicas[0]!);
      expect((await replica.service.getBot('bank')).revision).toBe(1);
    }
  });

  test('two encoders run beside each other, each with its own embeddings', async () => {
    const a = await open();
    await a.service.putIntents('bank', [LOST, BALANCE]);
    const b = await open({ fingerprint: 'words-2' });
    expect((await b.service.classify('bank', ['my card is gone']))[0]).toMatchObject({ intent: 'card_lost' });
    const { revision } = await a.service.addExamples('bank', 'card_lost', ['card is away']);
    await b.service.reach('bank', revision);
    expect((await b.service.classify('bank', ['card is away']))[0]!.evidence[0]).toMatchObject({
      example: 'card is away',
      similarity: 1,
    });
    // The former one's are still there: it can be started again while the other runs.
    expect(await a.store.countMissingEmbeddings('words-1')).toBe(0);
    await a.service.close();
    opened.splice(opened.indexOf(a), 1);
    expect(await b.store.deleteOtherEmbeddings('words-2')).toBe(7);
  });

  test('of several that start with a new encoder one embeds, and the others wait for it', async () => {
    const a = await open();
    await a.service.putIntents('bank', [LOST, BALANCE]);
    const others = await Promise.all([open({ fingerprint: 'words-2' }), open({ fingerprint: 'words-2' })]);
    expect(others.map(({ encoder }) => encoder.seen.length).sort()).toEqual([0, 6]);
  });
});
