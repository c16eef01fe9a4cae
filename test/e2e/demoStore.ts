import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { json, send } from './api.js';
import { DEMO } from './demoBot.js';
import { launch, ready } from './kshot.js';
import { runFolder } from './runFolder.js';

/**
 * Puts a store into a folder that is not there yet: with the demo bot, as a first start leaves it, but for its head, which does
 * not adapt. A start is what these tests do most, and to read the bot's texts and adapt to them is more than half of one; those
 * that are about neither do it once a run.
 */
export async function copyDemoStore(folder: string): Promise<void> {
  await cp(await template(), folder, { recursive: true });
}

async function template(): Promise<string> {
  const made = join(runFolder(), 'demo-store');
  const lock = `${made}.lock`;
  while (!(await exists(made))) {
    // Of several processes one makes it.
    const isMine = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (!isMine) {
      await sleep(50);
      continue;
    }
    try {
      const unfinished = `${made}.unfinished`;
      await make(unfinished);
      await rename(unfinished, made);
    } finally {
      await rm(lock, { recursive: true });
    }
  }
  return made;
}

async function make(folder: string): Promise<void> {
  const { process, url } = await ready(launch(folder));
  json(await send(url, 'PUT', `/v1/bots/${DEMO}`, { body: { head: 'prototypical' } }));
  await process.end('SIGTERM');
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
