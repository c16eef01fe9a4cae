import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readBotFile } from '../../src/cli/importExport.js';
import { table } from '../../src/cli/table.js';
import { send, settled } from '../../test/e2e/api.js';
import { Kshot, type Server } from '../../test/e2e/kshot.js';
import { machine } from '../bench/figures.js';
import { pin } from '../bench/pin.js';

const DEMO_FILE = fileURLToPath(new URL('../../../data/demo.yml', import.meta.url));

/** The bot that a new store has. */
export const BOT = 'demo';

/** Where a stress script has its servers and folders: loopback alone, and all is gone when the script is over. */
export class Stage {
  readonly #folders: string[] = [];
  readonly #processes: Kshot[] = [];
  readonly #leaving: (() => void)[] = [];

  /** Does the work, then takes down whatever it has put up. */
  static async run(work: (stage: Stage) => Promise<void>): Promise<void> {
    const stage = new Stage();
    const leave = () => stage.#kill();
    process.once('exit', leave);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
    try {
      await work(stage);
    } finally {
      process.off('exit', leave);
      stage.#kill();
      await Promise.all(stage.#processes.map(({ exited }) => exited));
      for (const undo of stage.#leaving) undo();
      for (const folder of stage.#folders) await rm(folder, { recursive: true, force: true });
    }
  }

  /** Has something undone at the end, before the folders go. */
  onLeaving(undo: () => void): void {
    this.#leaving.push(undo);
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'kshot-stress-'));
    this.#folders.push(folder);
    return folder;
  }

  /**
   * A server that is ready. It has no cache: what is measured is not how fast texts are looked up. Nor does it write a line a
   * request, which somebody would have to read.
   *
   * @param on `core` that it runs on, alone: its encoder then has one thread; on all of them, where it is undefined. `env` on
   *   top of this process's own.
   * @throws Error with its output if it ends before.
   */
  async serve(
    dataDir: string,
    flags: readonly string[] = [],
    { core, env }: { readonly core?: number | undefined; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Server> {
    const port = await freePort();
    const process = new Kshot(
      [
        ...['serve', '--port', String(port), '--data-dir', dataDir],
        ...['--log-level', 'warn', '--embedding-cache-mb', '0'],
        ...(core === undefined ? [] : ['--threads', '1']),
        ...flags,
      ],
      env,
    );
    this.#processes.push(process);
    const url = `http://127.0.0.1:${port}`;
    const ended = process.exited.then(({ stderr }) => {
      throw new Error(`the server ended:\n${stderr}`);
    });
    ended.catch(() => undefined);
    while (!(await isReady(url))) await Promise.race([sleep(20), ended]);
    if (core !== undefined) {
      await settled(url); // or its adaptation would have that core, too
      await pin(process.pid, core);
    }
    return { process, url };
  }

  #kill(): void {
    for (const process of this.#processes) void process.end('SIGKILL');
  }
}

/** Whether the server answers requests, and nobody else does at its port. */
async function isReady(url: string): Promise<boolean> {
  return send(url, 'GET', '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** A port of the loopback interface that nobody has taken. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The utterances of the demo bot. */
export async function demoTexts(): Promise<string[]> {
  return (await readBotFile(DEMO_FILE)).document.intents.flatMap(({ examples }) => examples);
}

/** Prints what was measured, when and on what. */
export function report(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): void {
  const when = new Date().toISOString().slice(0, 10);
  process.stdout.write(`\n${title}; ${when}, ${machine()}\n\n${table(headings, rows, right)}\n`);
}
