import { expect, test } from '@jest/globals';
import type { BotChecks } from '../../src/classify/service.js';
import { json, putIntent, send } from './api.js';
import { DEMO } from './demoBot.js';
import { kshot } from './kshot.js';
import { workplace } from './workplace.js';

// Checks in a real process, over HTTP and at the terminal, with the encoder that ships.

const place = workplace();

test('the demo bot is clean, and a fault makes a check fail', async () => {
  const { url } = await place.serve(await place.demoStore());
  const check = async () => json<BotChecks>(await send(url, 'GET', `/v1/bots/${DEMO}/checks`));
  expect((await check()).counts).toMatchObject({ error: 0, warning: 0 });
  const args = ['check', '--bot', DEMO, '--url', url, '--fail-on', 'warning'];
  expect(await kshot(args)).toMatchObject({ code: 0, stderr: '' });

  await putIntent(url, DEMO, 'money_left', ['what is my balance', 'how much money do i have now']);
  const { checks, revision } = await check();
  expect(checks.filter(({ severity }) => severity !== 'info')).toMatchObject([
    { code: 'near_duplicate', intents: ['balance', 'money_left'] },
    { code: 'few_examples', intents: ['money_left'] },
  ]);
  const found = await kshot(args);
  expect(found).toMatchObject({ code: 1, stderr: '' });
  expect(found.stdout).toContain('money_left has 2 examples');
  expect(revision).toBeGreaterThan(1);
});
