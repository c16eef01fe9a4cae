import { existsSync } from 'node:fs';
import { afterAll, afterEach, describe } from '@jest/globals';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Where systems put Chromium, and Chrome. */
const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser of this machine: KSHOT_CHROMIUM, or where systems put it; undefined where there is none. */
export const CHROMIUM = [process.env['KSHOT_CHROMIUM'] ?? '', ...USUAL_PLACES].find(
  (path) => path !== '' && existsSync(path),
);

/** `describe`; where there is no browser, all of it is skipped and says so. */
export const describeInBrowser: (name: string, tests: () => void) => void =
  CHROMIUM === undefined
    ? (name, tests) => {
        describe.skip(`${name} (skipped: no Chromium here; set KSHOT_CHROMIUM to one)`, tests);
      }
    : describe;

export async function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium');
  // In a container there is no sandbox to be had, and all that is loaded is ours.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 375, height: 740 };

/** Long enough for a machine that has other work; what is there sooner is taken at once. */
const PATIENCE_MS = 20_000;

/** A file's browser. Each test gets pages of its own; one on which a script failed fails its test. */
export class Pages {
  #browser: Promise<Browser> | undefined;
  #failures: Error[] = [];
  readonly #open: Page[] = [];

  /** To be called at the top of a `describe`. */
  constructor() {
    afterEach(async () => {
      await Promise.all(this.#open.splice(0).map((page) => page.context().close()));
      const [failure] = this.#failures.splice(0);
      if (failure !== undefined) throw failure;
    });
    afterAll(async () => {
      await (await this.#browser)?.close();
    });
  }

  async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    this.#browser ??= launchBrowser();
    const browser = await this.#browser;
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.#failures.push(error));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) this.#failures.push(new Error(message.text()));
    });
    this.#open.push(page);
    await page.goto(url);
    return page;
  }
}
