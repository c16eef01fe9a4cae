#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from './cli/cli.js';
import type { Io, ServiceAccess } from './cli/io.js';

// A reader that has seen enough (`kshot export … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  sleep: (milliseconds) => sleep(milliseconds),
  // Once each: the second signal finds Node's own handler, which ends the process at once.
  untilStopped: () =>
    new Promise((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
      // At a terminal it says that the window was closed.
      if (process.stdout.isTTY) process.once('SIGHUP', () => resolve());
    }),
  onReload: (reload) => {
    if (!process.stdout.isTTY) process.on('SIGHUP', reload);
  },
};

// The service is loaded when a command needs it: `kshot --help` shall not wait for the encoder's runtime.
const access: ServiceAccess = {
  async start(settings, ownKey) {
    const { serve } = await import('./serve.js');
    return serve(settings, { ownKey });
  },
  async startWorker(settings) {
    const { serve } = await import('./serve.js');
    return serve(settings, { isWorker: true });
  },
  async findOwner(settings) {
    const [{ readLockOwner }, { storeFile }] = await Promise.all([
      import('./store/lock.js'),
      import('./serve.js'),
    ]);
    return readLockOwner(storeFile(settings));
  },
};

process.exitCode = await runCli(process.argv.slice(2), { io, access, version: packageVersion() });

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
