import { Readable, Writable } from 'node:stream';
import { runCli } from '../../src/cli/cli.js';
import type { Output, RunningService, StoreOwner } from '../../src/cli/io.js';
import type { Settings } from '../../src/config.js';

export interface Invocation {
  readonly stdin?: string | Buffer | AsyncIterable<Uint8Array> | undefined;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether standard output and standard error are terminals. */
  readonly terminal?: boolean;
  readonly start?: (settings: Settings, ownKey?: string) => Promise<RunningService>;
  /** Who has the store open, one answer a question; the last one stays. */
  readonly owners?: readonly (StoreOwner | undefined)[];
  readonly untilStopped?: () => Promise<void>;
  readonly onReload?: (reload: () => void) => void;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** How long each wait was, in ms; none is waited for in truth. */
  readonly waits: readonly number[];
}

/** Runs a command as the process would, without one. */
export async function run(args: readonly string[], invocation: Invocation = {}): Promise<Outcome> {
  const stdout = new Captured(invocation.terminal);
  const stderr = new Captured(invocation.terminal);
  const waits: number[] = [];
  const owners = [...(invocation.owners ?? [])];
  const stdin = invocation.stdin ?? '';
  const code = await runCli(args, {
    version: '1.2.3',
    io: {
      stdin:
        typeof stdin === 'string' || Buffer.isBuffer(stdin) ? Readable.from([Buffer.from(stdin)]) : stdin,
      stdout: stdout as Output,
      stderr: stderr as Output,
      env: invocation.env ?? {},
      sleep: (milliseconds) => {
        waits.push(milliseconds);
        return Promise.resolve();
      },
      untilStopped: invocation.untilStopped ?? (() => Promise.reject(new Error('nothing would stop it'))),
      onReload: invocation.onReload ?? (() => undefined),
    },
    access: {
      start: invocation.start ?? (() => Promise.reject(new Error('no service may be started'))),
      startWorker: () => Promise.reject(new Error('no worker may be started')),
      findOwner: () => Promise.resolve(owners.length > 1 ? owners.shift() : owners[0]),
    },
  });
  return { code, stdout: stdout.text, stderr: stderr.text, waits };
}

class Captured extends Writable {
  text = '';
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
