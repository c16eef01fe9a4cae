import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A server's core and that of whoever loads it. */
export interface Cores {
  readonly server: number;
  readonly load: number;
}

/** Two cores, one for a server and one for whoever loads it; undefined where processes cannot be bound to cores, or there is one. */
export async function twoCores(): Promise<Cores | undefined> {
  const available = await allowedCores().catch(() => []);
  if (available.length < 2) return undefined;
  return { server: available.at(-1)!, load: available[0]! };
}

/** Says where they run, for the title of a table. */
export function placesOf(cores: Cores | undefined): string {
  return cores === undefined ? 'server and load on the same cores' : 'server on one core, load on another';
}

/** Binds all threads of a process to a core; those that they make follow. @throws Error where taskset refuses. */
export async function pin(pid: number, core: number): Promise<void> {
  await run('taskset', ['--all-tasks', '--pid', '--cpu-list', String(core), String(pid)]);
}

/** A command that starts the program on a core, with all processes that it makes; on any, where `core` is undefined. */
export function bound(
  core: number | undefined,
  file: string,
  args: readonly string[],
): [file: string, args: readonly string[]] {
  return core === undefined ? [file, args] : ['taskset', ['--cpu-list', String(core), file, ...args]];
}

/** The cores that this process may run on. */
async function allowedCores(): Promise<number[]> {
  if (availableParallelism() < 2) return [];
  const { stdout } = await run('taskset', ['--pid', '--cpu-list', String(process.pid)]);
  const list = stdout.slice(stdout.lastIndexOf(':') + 1);
  return list.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
