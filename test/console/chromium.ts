import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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

/** @throws Error where there is none. */
export async function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('There is no Chromium here; set KSHOT_CHROMIUM to one');
  // In a container there is no sandbox to be had, and all that is loaded is ours.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
}
