import { expect, test } from '@jest/globals';
import type { BotMap } from '../../src/classify/mapTypes.js';
import type { WriteResult } from '../../src/classify/service.js';
import { classify, json, listIntents, problemOf, send } from './api.js';
import { DEMO } from './demoBot.js';
import { workplace } from './workplace.js';

// Edits and the map in a real process, over HTTP, with the encoder that ships.

const place = workplace();
const BOT = `/v1/bots/${DEMO}`;

test('edits are live at once and outlast a restart', async () => {
  const store = await place.demoStore();
  const { url, process } = await place.serve(store);
  const put = (path: string, body: unknown) => send(url, 'PUT', `${BOT}${path}`, { body });
  const post = (path: string, body: unknown) => send(url, 'POST', `${BOT}${path}`, { body });
  const intents = await listIntents(url, DEMO);
  const [from, to] = intents;
  const example = from!.examples[0]!;
  const path = `/intents/${from!.name}/examples/${example.id}`;

  const moved = json<WriteResult>(await put(path, { intent: to!.name }));
  expect(moved).toMatchObject({ added: [{ text: example.text }], removed: [example] });
  const [result] = await classify(url, DEMO, [example.text]);
  expect(result).toMatchObject({
    evidence: [{ intent: to!.name, example: example.text }, {}, {}, {}, {}],
    model: { revision: moved.revision },
  });
  expect(problemOf(await put(path, { intent: to!.name })).code).toBe('unknown_example');

  json(await post(`/intents/${to!.name}/rename`, { name: 'called otherwise' }));
  const taken = problemOf(await post(`/intents/${from!.name}/rename`, { name: 'called otherwise' }));
  expect(taken).toMatchObject({ status: 409, code: 'intent_exists' });
  const [renamed] = await classify(url, DEMO, [example.text]);
  expect(renamed!.evidence[0]!.intent).toBe('called otherwise');

  const counter = json<WriteResult>(await post('/counterexamples', { examples: ['recite a poem'] }), 201);
  const removal = await send(url, 'DELETE', `${BOT}/counterexamples/${counter.added[0]!.id}`);
  expect(json<WriteResult>(removal).removed).toEqual(counter.added);

  const before = await listIntents(url, DEMO);
  expect(before.map(({ name }) => name)).toEqual(
    intents.map(({ name }) => (name === to!.name ? 'called otherwise' : name)),
  );
  await process.end('SIGTERM');
  const again = await place.serve(store);
  expect(await listIntents(again.url, DEMO)).toEqual(before);
});

test('the map of the demo bot has neighbours of one intent side by side, the same at every start', async () => {
  const first = await place.serve(await place.demoStore());
  const map = json<BotMap>(await send(first.url, 'GET', `${BOT}/map`));
  expect(map).toMatchObject({ method: 'umap', shown: map.texts });
  const examples = map.points.filter(({ intent }) => intent !== null);
  const agree = examples.filter((point) => {
    const distance = ({ x, y }: typeof point) => Math.hypot(x - point.x, y - point.y);
    const others = examples.filter((other) => other !== point);
    const nearest = others.reduce((a, b) => (distance(a) <= distance(b) ? a : b));
    return nearest.intent === point.intent;
  });
  expect(agree.length / examples.length).toBeGreaterThan(0.5);
  const second = await place.serve(await place.demoStore());
  expect(json<BotMap>(await send(second.url, 'GET', `${BOT}/map`)).points).toEqual(map.points);
});
