import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A script of this folder, running in a process of its own. */
export interface Child {
  readonly pid: number;
  /** What it prints, line by line, to the very end of its output. */
  readonly lines: AsyncIterableIterator<string>;
  /** kill -9; resolves when the process is gone. What it had printed can still be read. */
  kill(): Promise<void>;
}

export function spawnScript(script: string, args: readonly string[]): Child {
  const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [path, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (child.pid === undefined || child.stdout === null) throw new Error(`${path} did not start`);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    pid: child.pid,
    lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    kill() {
      child.kill('SIGKILL');
      return exited;
    },
  };
}
