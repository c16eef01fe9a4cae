import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { Kshot } from '../src/client/index.js';
import { readSettings } from '../src/config.js';
import { serve } from '../src/serve.js';
import { launchBrowser } from '../test/console/chromium.js';

/**
 * Draws the pictures of docs/console/ anew: the console over the demo bot, with a day's work in it. Names of pictures as
 * arguments draw only those.
 */

const FOLDER = 'docs/console';
const BOT = 'demo';
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 780 };
/** A palette of these keeps type crisp, and a picture at some 30 kB. */
const COLOURS = 64;

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly size?: typeof DESKTOP;
  readonly dark?: true;
  /** What is done on the page before the picture is taken. */
  readonly steps?: (page: Page) => Promise<unknown>;
}

const HERE = `/bots/${BOT}`;

const SHOTS: readonly Shot[] = [
  { name: 'bots', path: '/' },
  { name: 'intents', path: `${HERE}/intents` },
  {
    name: 'intent',
    path: `${HERE}/intents/card_lost`,
    steps: async (page) => {
      await page.keyboard.press('/');
      await page.keyboard.type('my purse is gone');
      await page.locator('.verdict').waitFor();
    },
  },
  {
    name: 'try',
    path: `${HERE}/try?text=can+i+use+apple+pay`,
    steps: (page) => page.locator('.verdict').waitFor(),
  },
  {
    name: 'map',
    path: `${HERE}/map`,
    dark: true,
    steps: async (page) => {
      await page.locator('canvas').focus();
      for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    },
  },
  { name: 'review', path: `${HERE}/review`, steps: (page) => page.locator('.review-card').waitFor() },
  {
    name: 'import',
    path: `${HERE}/files`,
    steps: async (page) => {
      await page.getByLabel('Drop a file here').setInputFiles('data/demo-heldout.csv');
      await page.getByText('read as').waitFor();
      await page.locator('.change-list summary').first().click();
    },
  },
  { name: 'checks', path: `${HERE}/checks`, steps: (page) => page.locator('.finding').first().waitFor() },
  { name: 'evaluations', path: `${HERE}/evaluations` },
  {
    name: 'evaluation',
    path: `${HERE}/evaluations/2`,
    steps: (page) => page.locator('.recharts-surface').last().waitFor(),
  },
  {
    name: 'versions',
    path: `${HERE}/versions`,
    steps: (page) => page.getByText('production').first().waitFor(),
  },
  { name: 'settings', path: `${HERE}/settings` },
  {
    name: 'phone',
    path: `${HERE}/intents/balance`,
    size: PHONE,
    steps: (page) => page.getByText('Findings').waitFor(),
  },
];

/** What a few days leave behind: texts to label, two versions, two evaluations. */
async function work(kshot: Kshot): Promise<void> {
  const heldOut = readFileSync('data/demo-heldout.csv', 'utf8').split('\n').slice(1, 19);
  await kshot.unlabelled.add(
    BOT,
    heldOut
      .map((line) => line.replace(/^[^,]*,"?/, '').replace(/"?,[^,]*$/, ''))
      .filter((text) => text.trim() !== ''),
  );
  await kshot.versions.save(BOT, 'v1', { note: 'As it came' });
  await kshot.aliases.set(BOT, 'production', 'v1');
  await evaluate(kshot);
  await kshot.intents.put(BOT, 'mobile_pay', {
    examples: ['can i pay with my phone', 'add my card to google pay', 'pay by watch'],
    description: 'Paying with a phone or a watch',
  });
  await kshot.examples.add(BOT, 'balance', ['i lost my card', 'how much money have i got left']);
  await kshot.versions.save(BOT, 'v2', { note: 'Phones and watches' });
  await kshot.aliases.set(BOT, 'production', 'v2');
  await kshot.intents.delete(BOT, 'mobile_pay');
  await evaluate(kshot);
}

async function evaluate(kshot: Kshot): Promise<void> {
  const { id } = await kshot.evaluations.crossValidate(BOT, { folds: 4 });
  await kshot.evaluations.finished(BOT, id);
}

async function draw(browser: Browser, url: string, shot: Shot): Promise<number> {
  const { name, path, size = DESKTOP, dark = false, steps } = shot;
  const page = await browser.newPage({
    viewport: size,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  await page.goto(`${url}${path}`);
  await page.locator('h1').waitFor();
  await page.waitForLoadState('networkidle');
  await steps?.(page);
  await page.waitForLoadState('networkidle');
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  await page.close();
  const file = join(FOLDER, `${name}.png`);
  await sharp(picture).png({ palette: true, colours: COLOURS, effort: 10, compressionLevel: 9 }).toFile(file);
  return statSync(file).size;
}

async function main(): Promise<void> {
  const wanted = new Set(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), 'kshot-screenshots-'));
  const serving = await serve(readSettings({ dataDir: folder, port: '0', logLevel: 'warn' }, {}));
  const browser = await launchBrowser();
  try {
    await work(new Kshot({ url: serving.url }));
    let bytes = 0;
    for (const shot of SHOTS.filter(({ name }) => wanted.size === 0 || wanted.has(name))) {
      const size = await draw(browser, serving.url, shot);
      bytes += size;
      console.log(`${shot.name}.png ${Math.round(size / 1000)} kB`);
    }
    console.log(`${Math.round(bytes / 1000)} kB in all`);
  } finally {
    await browser.close();
    await serving.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
