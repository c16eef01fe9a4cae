import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { json, send, settled } from '../e2e/api.js';
import { workplace } from '../e2e/workplace.js';
import { describeInBrowser, Pages, PHONE } from './browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const GROUND = 'getComputedStyle(document.documentElement).backgroundColor';

const place = workplace();

/** Every screen, and what shows that it is all there. */
const SCREENS: readonly (readonly [path: string, shows: string])[] = [
  ['/bots', 'text=Where to begin'],
  ['/jobs', 'text=evaluation'],
  ['/keys', 'text=No keys yet'],
  ['/bots/demo/intents', 'text=card_lost'],
  ['/bots/demo/intents/card_lost', 'text=i lost my card'],
  ['/bots/demo/counterexamples', 'text=counter-examples'],
  ['/bots/demo/try?text=someone+pinched+my+card', 'text=Nearest examples'],
  ['/bots/demo/map', 'canvas'],
  ['/bots/demo/review', '.review-card'],
  ['/bots/demo/files', 'text=Drop a file here'],
  ['/bots/demo/checks', '.finding'],
  ['/bots/demo/evaluations', 'text=Cross-validation'],
  ['/bots/demo/evaluations/1', 'text=Accuracy'],
  ['/bots/demo/versions', 'text=production'],
  ['/bots/demo/versions/v1', 'text=What is different'],
  ['/bots/demo/settings', 'text=Threshold'],
];

describeInBrowser('every screen', () => {
  const pages = new Pages();
  let url: string;

  beforeAll(async () => {
    ({ url } = await place.serve(await place.demoStore()));
    const bot = '/v1/bots/demo';
    const body = { texts: ['can i pay with my phone', 'my card does not work abroad', 'best pizza in town'] };
    json(await send(url, 'POST', `${bot}/unlabelled`, { body }), 201);
    json(await send(url, 'PUT', `${bot}/versions/v1`, { body: { note: 'As it came' } }), 201);
    json(await send(url, 'PUT', `${bot}/aliases/production`, { body: { version: 'v1' } }), 201);
    json(await send(url, 'POST', `${bot}/evaluations/cross-validation`, { body: { folds: 2 } }), 202);
    await settled(url);
  });

  async function visitAll(page: Page, look: (path: string) => Promise<void>): Promise<void> {
    for (const [path, shows] of SCREENS) {
      await page.goto(url + path);
      await page.locator(shows).first().waitFor();
      await look(path);
    }
  }

  test('has nothing that axe finds grave, in light and dark', async () => {
    const page = await pages.open(url, { colorScheme: 'light' });
    const found: string[] = [];
    const inspect = async (path: string, rules: object) => {
      const options = JSON.stringify({ resultTypes: ['violations'], ...rules });
      const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`);
      for (const { id, impact, nodes } of violations) {
        if (impact === 'serious' || impact === 'critical')
          found.push(`${path} ${id}: ${nodes[0]?.html ?? ''}`);
      }
    };
    await visitAll(page, async (path) => {
      await page.evaluate(AXE);
      await inspect(path, {});
      const light = await page.evaluate<string>(GROUND);
      await page.emulateMedia({ colorScheme: 'dark' });
      while ((await page.evaluate<string>(GROUND)) === light) await page.waitForTimeout(20);
      // Nothing but the colours is different.
      await inspect(`${path} (dark)`, { runOnly: ['color-contrast'] });
      await page.emulateMedia({ colorScheme: 'light' });
    });
    expect(found).toEqual([]);
  });

  test('fits a phone: nothing makes the page scroll sideways', async () => {
    const page = await pages.open(url, { viewport: PHONE, hasTouch: true });
    const tooWide: string[] = [];
    await visitAll(page, async (path) => {
      const excess = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (excess > 0) tooWide.push(`${path}: ${excess}`);
    });
    expect(tooWide).toEqual([]);

    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('dialog').getByRole('link', { name: 'Map' }).click();
    await page.getByRole('heading', { name: 'Map' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
  });

  test('a chosen theme stays, whatever the system says', async () => {
    const page = await pages.open(url, { colorScheme: 'light' });
    const ground = () => page.evaluate<string>(GROUND);
    const light = await ground();
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    const chosen = page.getByRole('button', { name: /^Theme: dark/ });
    await chosen.waitFor();
    await page.waitForFunction(`(${GROUND}) !== '${light}'`);
    const dark = await ground();
    await page.reload();
    await chosen.waitFor();
    await page.waitForFunction(`(${GROUND}) === '${dark}'`);
  });

  test('an address that is none says so, and unknown bots are told of in the server’s words', async () => {
    const page = await pages.open(`${url}/bots/demo/nonsense`);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await page.goto(`${url}/bots/nobody/settings`);
    await page.getByText('There is no bot nobody').waitFor();
  });
});
