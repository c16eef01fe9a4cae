import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Suggestions, UnlabelledPage, WriteResult } from '../../src/classify/service.js';
import { classify, json, send } from './api.js';
import { DEMO } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

// From a text that was classified to a bot that knows it, in a real process, with the encoder that ships.

const place = workplace();
const BOT = `/v1/bots/${DEMO}`;
const TEXT = 'how do i reset my netflix password';

test('texts that are classified are kept over a stop, suggested, and labelled', async () => {
  const dataDir = await place.demoStore();
  const first = await place.serve(dataDir);
  json(await send(first.url, 'PUT', BOT, { body: { keep_texts: true } }));
  const [before] = await classify(first.url, DEMO, [TEXT]);
  expect(before?.out_of_scope).toBe(false);
  expect(await first.process.end('SIGTERM')).toMatchObject({ code: 0 });

  const { process, url } = await place.serve(dataDir);
  const page = json<UnlabelledPage>(await send(url, 'GET', `${BOT}/unlabelled`));
  expect(page).toMatchObject({ texts: [{ text: TEXT, source: 'seen' }], total: 1 });
  const { suggestions } = json<Suggestions>(await send(url, 'GET', `${BOT}/suggestions?strategy=committee`));
  expect(suggestions).toMatchObject([{ id: page.texts[0]!.id, text: TEXT, intent: before?.intent }]);

  const path = `${BOT}/unlabelled/${suggestions[0]!.id}/label`;
  const { revision } = json<WriteResult>(await send(url, 'POST', path, { body: { out_of_scope: true } }));
  const [after] = await classify(url, DEMO, [TEXT]);
  expect(after).toMatchObject({ intent: null, out_of_scope: true, model: { revision } });
  expect(json(await send(url, 'POST', path, { body: { out_of_scope: true } }), 404)).toMatchObject({
    code: 'unknown_text',
  });
  expect(await process.end('SIGTERM')).toMatchObject({ code: 0 });
});

test('the commands do the same', async () => {
  const dataDir = await place.demoStore();
  const { url } = await place.serve(dataDir);
  const file = join(dataDir, 'questions.txt');
  writeFileSync(file, 'can i use apple pay\nhow tall is mount everest\n');
  const run = async (...args: string[]) =>
    (await kshot([...args, '--bot', DEMO, '--data-dir', dataDir])).stdout;
  expect(await run('unlabelled', 'add', file)).toBe('bot demo: 2 texts added, 0 known; 2 unlabelled\n');
  const { suggestions } = JSON.parse(await run('suggest', '--json', '--limit', '1')) as Suggestions;
  expect(suggestions).toHaveLength(1);
  expect(await run('label', String(suggestions[0]!.id), 'balance')).toContain('is an example of balance');
  expect(await run('unlabelled', 'clear', '--yes')).toBe('bot demo: 1 text deleted\n');
  const [result] = await classify(url, DEMO, [suggestions[0]!.text]);
  expect(result?.evidence[0]).toMatchObject({ example: suggestions[0]!.text, intent: 'balance' });
});
