import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 20;

/** A program of the system that runs in the foreground until it is told to end. */
export class Daemon {
  /** Resolves when it is gone. @throws Error where it cannot be run. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #file: string;
  #output = '';
  #gone = false;

  constructor(
    file: string,
    args: readonly string[],
    options: Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> = {},
  ) {
    this.#file = file;
    this.#child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', () => {
        this.#gone = true;
        resolve();
      });
    });
    this.exited.catch(() => undefined); // whoever waits for it is told
  }

  /** Resolves as soon as `isUp` does with true. @throws Error with what the program has said, where it ends before. */
  async until(isUp: () => Promise<boolean>): Promise<void> {
    while (!(await isUp())) {
      await Promise.race([sleep(LOOK_AGAIN_MS), this.exited]);
      if (this.#gone) throw new Error(`${this.#file} ended:\n${this.#output}`);
    }
  }

  /** Resolves as `exited` does. */
  end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    return this.exited;
  }
}
