import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { classify, json, listIntents, putIntent, send } from './api.js';
import { DEMO, readHeldOut } from './demoBot.js';
import type { Kshot } from './kshot.js';
import { workplace } from './workplace.js';

const place = workplace();

describe('a write', () => {
  let url: string;
  beforeAll(async () => {
    ({ url } = await place.serve(await place.demoStore()));
  });

  test('is seen by the very next request', async () => {
    const text = 'which films are on tonight';
    const [before] = await classify(url, DEMO, [text]);
    expect(before).toMatchObject({ out_of_scope: true });

    const examples = ['what is on at the cinema', 'films this evening', 'when does the film start'];
    const { revision } = await putIntent(url, DEMO, 'cinema', examples);
    const [after] = await classify(url, DEMO, [text]);
    expect(after).toMatchObject({ intent: 'cinema', model: { revision } });

    await send(url, 'DELETE', `/v1/bots/${DEMO}/intents/cinema`);
    const [gone] = await classify(url, DEMO, [text]);
    expect(gone).toMatchObject({ out_of_scope: true, model: { revision: revision + 1 } });
    expect(gone?.ranking.map(({ intent }) => intent)).not.toContain('cinema');
  });

  test('is seen by the very next request while others classify and write', async () => {
    const { inScope } = await readHeldOut();
    let busy = true;
    let answered = 0;
    const crowd = Array.from({ length: 6 }, async (_, client) => {
      for (let n = client; busy; n++) {
        await classify(url, DEMO, [`${inScope[n % inScope.length]?.text} ${n}`]);
        answered++;
      }
    });
    const writers = ['tulip', 'violin', 'glacier', 'sandwich'].map(async (word) => {
      for (let n = 0; n < 5; n++) {
        const bot = n % 2 === 0 ? DEMO : 'other';
        const examples = [`tell me about the ${word}`, `${word} please`, `a ${word} story`];
        const { revision } = await putIntent(url, bot, `${word}-${n}`, examples);
        const [result] = await classify(url, bot, [`${word} please`]);
        expect(result?.intent).toBe(`${word}-${n}`);
        expect(result?.model.revision).toBeGreaterThanOrEqual(revision);

        const path = `/v1/bots/${bot}/intents/${word}-${n}`;
        const { revision: last } = json<{ revision: number }>(await send(url, 'DELETE', path));
        const [later] = await classify(url, bot, [`${word} please`]);
        expect(later?.ranking.map(({ intent }) => intent)).not.toContain(`${word}-${n}`);
        expect(later?.model.revision).toBeGreaterThanOrEqual(last);
      }
    });
    await Promise.all(writers).finally(() => {
      busy = false;
    });
    await Promise.all(crowd);
    expect(answered).toBeGreaterThan(0);
  });
});

describe('kill -9 in a loop of writes', () => {
  /** How many writes are acknowledged, all writers together, before the server is killed. */
  const ROUNDS = [23, 1, 40];
  const WRITERS = ['ada', 'grace', 'emmy'];
  const BOT = 'bank';

  test('loses no acknowledged write, and leaves no half of one', async () => {
    const dataDir = join(place.folder(), 'store');
    const flags = ['--no-demo'];
    const steps = new Map(WRITERS.map((writer) => [writer, 0]));
    for (const writes of ROUNDS) {
      const server = await place.serve(dataDir, flags);
      await check(server.url);
      await writeUntilKilled(server.process, server.url, writes);
    }
    const { url } = await place.serve(dataDir, flags);
    await check(url);
    expect(Math.min(...steps.values())).toBeGreaterThan(CYCLE);

    /** Finds every writer's intent as its last acknowledged step left it, or the one under way at the kill. */
    async function check(url: string): Promise<void> {
      const bot = await send(url, 'GET', `/v1/bots/${BOT}`);
      const intents = bot.status === 404 ? [] : await listIntents(url, BOT);
      for (const [writer, step] of steps) {
        const found = intents.find(({ name }) => name === writer)?.examples.map(({ text }) => text);
        const next = stateAfter(writer, step + 1);
        const isNext = JSON.stringify(found) === JSON.stringify(next);
        if (!isNext)
          expect({ writer, step, found }).toEqual({ writer, step, found: stateAfter(writer, step) });
        if (isNext) steps.set(writer, step + 1);
        if (found === undefined) continue;
        // The live state came back with the store.
        const [result] = await classify(url, BOT, [found[0] ?? '']);
        expect(result?.evidence[0]).toMatchObject({ example: found[0], intent: writer });
      }
    }

    /** All writers at once, each waiting for its acknowledgement before its next step. */
    async function writeUntilKilled(server: Kshot, url: string, writes: number): Promise<void> {
      let acknowledged = 0;
      let killed: Promise<unknown> | undefined;
      await Promise.all(
        WRITERS.map(async (writer) => {
          while (killed === undefined) {
            const step = (steps.get(writer) ?? 0) + 1;
            try {
              await write(url, writer, step);
            } catch (error) {
              if (killed === undefined) throw error;
              break; // The connection broke: it may have been written or not.
            }
            steps.set(writer, step);
            if (++acknowledged >= writes) killed ??= server.end('SIGKILL');
          }
        }),
      );
      await killed;
    }
  });

  /** The steps go round: a new intent, two more examples, one of them away, the intent replaced, deleted. */
  const CYCLE = 6;

  function text(writer: string, step: number): string {
    return `${writer} writes line ${step}`;
  }

  /** The examples of a writer's intent after that step; undefined where there is no intent. */
  function stateAfter(writer: string, step: number): string[] | undefined {
    const first = step - (step % CYCLE);
    const line = (n: number) => text(writer, first + n);
    return [
      undefined,
      [line(1), `${line(1)} again`],
      [line(1), `${line(1)} again`, line(2)],
      [line(1), `${line(1)} again`, line(2), line(3)],
      [line(1), `${line(1)} again`, line(3)],
      [line(5)],
    ][step % CYCLE];
  }

  async function write(url: string, writer: string, step: number): Promise<void> {
    const path = `/v1/bots/${BOT}/intents/${writer}`;
    const line = text(writer, step);
    switch (step % CYCLE) {
      case 0:
        json(await send(url, 'DELETE', path));
        break;
      case 1:
        await putIntent(url, BOT, writer, [line, `${line} again`]);
        break;
      case 4: {
        const { examples } = json<{ examples: { id: number; text: string }[] }>(await send(url, 'GET', path));
        const id = examples.find((example) => example.text === text(writer, step - 2))?.id;
        json(await send(url, 'DELETE', `${path}/examples/${id}`));
        break;
      }
      case 5:
        await putIntent(url, BOT, writer, [line]);
        break;
      default:
        json(await send(url, 'POST', `${path}/examples`, { body: { examples: [line] } }), 201);
    }
  }
});
