import { beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { workplace } from '../e2e/workplace.js';
import { describeInBrowser, Pages } from './browser.js';

const place = workplace();

/** Two intents, one text of which somebody has put into both. */
const FILE = `intent,text
card_lost,i lost my card
card_lost,my card was stolen on the train
card_lost,i cannot find my credit card anywhere
card_lost,someone took my purse with the cards in it
card_lost,please stop my card it is gone
opening_hours,i lost my card
opening_hours,when do you open on saturdays
opening_hours,are you open tomorrow
opening_hours,what are your opening hours
opening_hours,until when is the branch open today
`;
const TEXT = 'i lost my card';

describeInBrowser('a day with the console', () => {
  const pages = new Pages();
  let url: string;

  beforeAll(async () => {
    ({ url } = await place.serve(place.folder(), ['--no-demo']));
  });

  test('a bot is made, filled, checked, mended, saved, broken and brought back', async () => {
    const page = await pages.open(url);
    const panel = page.getByRole('complementary', { name: 'Try a text' });

    // A new bot, by the keyboard.
    await page.getByText('No bots yet').waitFor();
    await page.keyboard.press('n');
    await page.getByRole('dialog').getByLabel('Name').fill('bank');
    await page.keyboard.press('Enter');
    await page.getByText('No intents yet').waitFor();
    expect(new URL(page.url()).pathname).toBe('/bots/bank/intents');
    expect(await focused(page)).toBe('Intents');

    // From a file, seen before it is written.
    await page.getByRole('link', { name: 'Import a file' }).click();
    await page.getByLabel('Drop a file here').setInputFiles({
      name: 'bank.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(FILE),
    });
    await page.getByText('read as csv').waitFor();
    await page.getByText('2 intents added').waitFor();
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Imported: 2 intents added').waitFor();

    // A text beside it, tried at any time.
    await page.keyboard.press('/');
    await page.keyboard.type(TEXT);
    await panel.getByText('Ranking').waitFor();
    const before = await confidence(panel, 'card_lost');

    // What is the matter, and mended on the spot: the answer changes while one looks.
    await page.getByRole('link', { name: /^Checks/ }).click();
    await page.getByRole('heading', { name: 'Same text in two places' }).waitFor();
    await page.getByRole('button', { name: `Delete “${TEXT}” of opening_hours` }).click();
    await panel.getByTestId('change').waitFor();
    await page.getByText('Same text in two places').waitFor({ state: 'detached' });
    await panel.getByTestId('change').getByText('card_lost').first().waitFor();
    expect(await confidence(panel, 'card_lost')).toBeGreaterThan(before);

    // Kept.
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByText('No versions yet').waitFor();
    await page.locator('h1').click();
    await page.keyboard.press('n');
    await page.getByLabel('Note').fill('mended');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'v1' }).waitFor();
    await page.getByRole('button', { name: 'New alias' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('production');
    await page.keyboard.press('Enter');
    await page.getByText('production points at v1').first().waitFor();

    // Broken …
    await page.getByRole('link', { name: /^Intents/ }).click();
    await page.getByRole('button', { name: 'Delete card_lost' }).click();
    await page.getByRole('button', { name: 'Delete the intent' }).click();
    await page.getByRole('row', { name: 'card_lost' }).waitFor({ state: 'detached' });
    await panel.locator('.verdict').getByRole('link', { name: 'card_lost' }).waitFor({ state: 'detached' });

    // … saved as it is, given to production, and taken back from there.
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Save a version' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'v2' }).waitFor();
    await page.getByLabel('production points at').selectOption('v2');
    await page.getByRole('button', { name: 'Roll back to v1' }).click();
    await page.getByRole('button', { name: 'Roll back', exact: true }).waitFor();
    expect(await page.getByLabel('production points at').inputValue()).toBe('v1');

    // And the bot itself.
    await page.getByRole('row', { name: /^v1/ }).getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await panel.locator('.verdict').getByRole('link', { name: 'card_lost' }).waitFor();
    await page.getByText('The bot is v1 again').waitFor();
  });
});

/** What the screen reader stands at. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>('document.activeElement.textContent');
}

/** Of an intent in the ranking, in per cent; 0 where it is not ranked. */
async function confidence(panel: ReturnType<Page['getByRole']>, intent: string): Promise<number> {
  await panel.locator('.try-result:not(.stale)').waitFor();
  const lines = await panel.locator('.ranking-line').allTextContents();
  const line = lines.find((text) => text.startsWith(intent)) ?? '';
  return Number(/([\d.]+) %/.exec(line)?.[1] ?? 0);
}
