import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { classify } from './api.js';
import { DEMO } from './demoBot.js';
import { workplace } from './workplace.js';

const place = workplace();

test('a start that fails leaves a new store new: the next one brings the demo bot', async () => {
  const folder = place.folder();
  const store = join(folder, 'store');
  const { code, stderr } = await place.launch(store, ['--model', join(folder, 'nothing')]).exited;
  expect(code).not.toBe(0);
  expect(stderr).toContain('There is no directory');
  expect(existsSync(join(store, 'kshot.db'))).toBe(false);

  const { process, url } = await place.serve(store);
  expect(await classify(url, DEMO, ['i lost my card'])).toMatchObject([{ intent: 'card_lost' }]);
  await process.end('SIGTERM');

  // One that has bots stays, whatever fails.
  await place.launch(store, ['--model', join(folder, 'nothing')]).exited;
  expect(existsSync(join(store, 'kshot.db'))).toBe(true);
});
