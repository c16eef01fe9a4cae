import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, jest } from '@jest/globals';
import { copyDemoStore } from './demoStore.js';
import { launch, ready, type Kshot, type Server } from './kshot.js';

/** Where a file's tests put their servers and folders: all are gone when the tests are over, however they end. */
export interface Workplace {
  /** A new folder. */
  folder(): string;
  /** A new folder with a store that has the demo bot, whose head does not adapt (`copyDemoStore`). */
  demoStore(): Promise<string>;
  /** A server that may not be ready yet. */
  launch(...args: Parameters<typeof launch>): Kshot;
  /** A server that is ready. */
  serve(...args: Parameters<typeof launch>): Promise<Server>;
}

/** A server starts within a second, but several times over, beside other tests, on a machine that has other work … */
const TIMEOUT_MS = 120_000;

/** To be called at the top of a test file. */
export function workplace(): Workplace {
  jest.setTimeout(TIMEOUT_MS);
  const folders: string[] = [];
  const processes: Kshot[] = [];
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.end('SIGKILL')));
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const start: typeof launch = (...args) => {
    const process = launch(...args);
    processes.push(process);
    return process;
  };
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'kshot-e2e-'));
    folders.push(made);
    return made;
  };
  return {
    folder,
    async demoStore() {
      const store = join(folder(), 'store');
      await copyDemoStore(store);
      return store;
    },
    launch: start,
    serve: (...args) => ready(start(...args)),
  };
}
