import { beforeAll, expect, test } from '@jest/globals';
import type { UnlabelledPage } from '../../src/classify/service.js';
import { json, listIntents, send } from '../e2e/api.js';
import { workplace } from '../e2e/workplace.js';
import { describeInBrowser, Pages } from './browser.js';

const place = workplace();
const TEXTS = [
  'can i pay with my phone',
  'my card does not work abroad',
  'best pizza in town',
  'how much is left on my loan',
  'put me through to a person',
];

describeInBrowser('reviewing by the keyboard alone', () => {
  const pages = new Pages();
  let url: string;

  beforeAll(async () => {
    ({ url } = await place.serve(await place.demoStore()));
    json(await send(url, 'POST', '/v1/bots/demo/unlabelled', { body: { texts: TEXTS } }), 201);
  });

  const waiting = async () =>
    json<UnlabelledPage>(await send(url, 'GET', '/v1/bots/demo/unlabelled')).texts.map(({ text }) => text);
  const examplesOf = async (name: string) =>
    (await listIntents(url, 'demo')).find((intent) => intent.name === name)?.examples.map(({ text }) => text);

  test('each key does what it says, and undo takes it back', async () => {
    const page = await pages.open(`${url}/bots/demo/review`);
    const current = page.locator('.review-text');
    const last = page.locator('.review-last');
    const text = async () => (await current.textContent()) ?? '';

    await current.waitFor();
    const first = await text();
    const best = (await page.locator('.review-choice .wrap').first().textContent()) ?? '';
    await page.keyboard.press('1');
    await last.getByText(`${best}: “${first}”`).waitFor();
    expect(await examplesOf(best)).toContain(first);

    await page.keyboard.press('u');
    await last.getByText(first).waitFor({ state: 'detached' });
    while (!(await waiting()).includes(first)) await page.waitForTimeout(50);
    expect(await examplesOf(best)).not.toContain(first);

    await current.waitFor();
    const second = await text();
    await page.keyboard.press('o');
    await last.getByText(`Out of scope: “${second}”`).waitFor();

    const third = await text();
    await page.keyboard.press('/');
    await page.keyboard.type('human');
    await page.getByRole('option', { name: 'human_agent', selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await last.getByText(`human_agent: “${third}”`).waitFor();
    expect(await examplesOf('human_agent')).toContain(third);

    const fourth = await text();
    await page.keyboard.press('d');
    await last.getByText(`Discarded: “${fourth}”`).waitFor();

    const fifth = await text();
    await page.keyboard.press('s');
    await last.getByText(`Skipped: “${fifth}”`).waitFor();
    expect(await waiting()).toContain(fifth);
    expect(await waiting()).not.toContain(fourth);
  });
});
