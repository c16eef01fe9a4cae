import { afterAll, afterEach, describe } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { CHROMIUM, launchBrowser } from './chromium.js';

/** `describe`; where there is no browser, all of it is skipped and says so. */
export const describeInBrowser: (name: string, tests: () => void) => void =
  CHROMIUM === undefined
    ? (name, tests) => {
        describe.skip(`${name} (skipped: no Chromium here; set KSHOT_CHROMIUM to one)`, tests);
      }
    : describe;

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
