import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import type { Example } from '../../src/classify/service.js';
import { json, listIntents, putIntent, send } from '../e2e/api.js';
import { workplace } from '../e2e/workplace.js';
import { describeInBrowser, Pages } from './browser.js';

const place = workplace();
const BOT = 'bank';

describeInBrowser('editing', () => {
  const pages = new Pages();
  let url: string;

  beforeAll(async () => {
    ({ url } = await place.serve(place.folder(), ['--no-demo']));
  });

  beforeEach(async () => {
    await putIntent(url, BOT, 'card lost/stolen 100 %', [
      'i lost my card',
      'my card was stolen',
      'card gone',
    ]);
    await putIntent(url, BOT, 'balance', [
      'how much money do i have',
      'what is my balance',
      'am i in the red',
    ]);
  });

  /** What the server has. */
  const examplesOf = async (name: string) =>
    (await listIntents(url, BOT)).find((intent) => intent.name === name)?.examples.map(({ text }) => text);
  /** By its end: a finding's severity may stand before it. */
  const example = (page: Page, text: string) =>
    page.locator('.example-text').filter({ hasText: new RegExp(`(^|: )${text}$`) });
  const rows = (page: Page) => page.locator('.example-text').allTextContents();

  test('examples are edited in their place, added by the line, moved, deleted and brought back', async () => {
    const page = await pages.open(`${url}/bots/${BOT}/intents`);
    // A name that an address has to write otherwise.
    await page.getByRole('link', { name: 'card lost/stolen 100 %' }).click();
    await page.getByRole('heading', { name: 'card lost/stolen 100 %', level: 1 }).waitFor();
    await example(page, 'card gone').waitFor();

    await example(page, 'card gone').press('Enter');
    await page.keyboard.type('nobody wants this');
    await page.keyboard.press('Escape');
    await example(page, 'card gone').press('Enter');
    await page.keyboard.type('my card is gone');
    await page.keyboard.press('Enter');
    await example(page, 'my card is gone').waitFor();
    expect(await examplesOf('card lost/stolen 100 %')).toEqual([
      'i lost my card',
      'my card was stolen',
      'my card is gone',
    ]);

    const add = page.getByLabel('Add examples');
    await add.fill('- stolen in the bus\n\nstolen in the train\nstolen in the bus');
    await page.getByRole('button', { name: 'Add 2' }).click();
    await page.getByText('2 examples added').waitFor();
    expect(await rows(page)).toHaveLength(5);

    const examples = page.locator('.examples');
    await examples.getByRole('button', { name: 'Move “my card is gone” to another intent' }).click();
    await page.keyboard.type('bal');
    await page.keyboard.press('Enter');
    await page.getByText('Moved to balance').waitFor();
    expect(await examplesOf('balance')).toContain('my card is gone');
    await page.getByRole('button', { name: 'Undo' }).click();
    await example(page, 'my card is gone').waitFor();
    expect(await examplesOf('balance')).not.toContain('my card is gone');

    await examples.getByRole('button', { name: 'Delete “i lost my card”' }).click();
    await page.getByText('Deleted “i lost my card”').waitFor();
    await example(page, 'i lost my card').waitFor({ state: 'detached' });
    await page.locator('h1').click();
    await page.keyboard.press('z');
    await example(page, 'i lost my card').waitFor();
  });

  test('an intent is renamed, and says so where the name is taken', async () => {
    const page = await pages.open(`${url}/bots/${BOT}/intents/balance`);
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    const name = page.getByRole('dialog').getByLabel('New name');
    await name.fill('card lost/stolen 100 %');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await name.fill('account balance');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'account balance' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/bots/${BOT}/intents/account%20balance`);
    expect(await examplesOf('account balance')).toHaveLength(3);
  });

  test('a wrong answer is put right by one click, and what that changed is shown', async () => {
    const page = await pages.open(`${url}/bots/${BOT}/try`);
    await page.getByLabel('Text', { exact: true }).fill('can i pay with my watch');
    await page.locator('.verdict').waitFor();
    await page.getByRole('button', { name: 'Out of scope' }).click();
    await page.getByTestId('change').waitFor();
    await page.locator('.verdict').getByText('Out of scope').waitFor();
    const counterexamples = json<{ examples: Example[] }>(
      await send(url, 'GET', `/v1/bots/${BOT}/counterexamples`),
    );
    expect(counterexamples.examples.map(({ text }) => text)).toEqual(['can i pay with my watch']);

    await page.getByRole('combobox', { name: 'Make it an example of…' }).fill('lost');
    await page.keyboard.press('Enter');
    await page.getByText('Now an example of card lost/stolen 100 %').waitFor();
    expect(await examplesOf('card lost/stolen 100 %')).toContain('can i pay with my watch');
  });

  test('a bot goes only when its name is written out', async () => {
    await putIntent(url, 'old', 'greeting', ['hello']);
    const page = await pages.open(`${url}/bots`);
    await page.getByRole('button', { name: 'Delete old' }).click();
    const confirm = page.getByRole('button', { name: 'Delete the bot' });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByLabel('Type old to confirm').fill('old');
    await confirm.click();
    await page.getByText('Bot old is deleted').waitFor();
    await page.getByRole('link', { name: 'old', exact: true }).waitFor({ state: 'detached' });
  });
});
