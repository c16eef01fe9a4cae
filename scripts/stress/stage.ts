import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
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
import { freePort } from './freePort.js';

const DEMO_FILE = fileURLToPath(new URL('../../../data/demo.yml', import.meta.url));

/** The bot that a new store has. */
export const BOT = 'demo';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Where a stress script has its servers and folders: loopback alone, and all is gone when the script is over. */
export class Stage {
  readonly #undo: (() => unknown)[] = [];
  #within: Stage | undefined;
  #down: Promise<void> | undefined;

  /** Does the work, then takes down whatever it has put up, the last first. Ctrl-C takes it down, too, and ends the process. */
  static async run<T>(work: (stage: Stage) => Promise<T>): Promise<T> {
    const stage = new Stage();
    const abandon = () => stage.#abandon();
    const interrupt = () => void stage.#takeDown().finally(() => process.exit(130));
    process.once('exit', abandon);
    for (const signal of SIGNALS) process.once(signal, interrupt);
    try {
      return await work(stage);
    } finally {
      await stage.#takeDown();
      for (const signal of SIGNALS) process.off(signal, interrupt);
      process.off('exit', abandon);
    }
  }

  /**
   * Does work on a stage of its own, which is taken down before this one; one at a time.
   *
   * @throws what the work throws, or the signal's reason, where that comes first.
   */
  async within<T>(work: (stage: Stage) => Promise<T>, signal: AbortSignal): Promise<T> {
    const stage = new Stage();
    this.#within = stage;
    this.#undo.push(() => stage.#takeDown());
    const over = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      const stop = () => reject(signal.reason as Error);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { signal: over.signal });
    });
    try {
      return await Promise.race([work(stage), stopped]);
    } finally {
      over.abort();
      await stage.#takeDown();
    }
  }

  /** Has something undone at the end, before what was put up earlier. Of a process that ends at once it is begun only. */
  onLeaving(undo: () => unknown): void {
    if (this.#down === undefined) {
      this.#undo.push(undo);
      return;
    }
    void undo();
    throw new Error('the stage has been taken down');
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'kshot-stress-'));
    this.onLeaving(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    return folder;
  }

  /**
   * A server that is ready. It has no cache: what is measured is not how fast texts are looked up. Nor does it write a line a
   * request, which somebody would have to read.
   *
   * @param on `core` that it runs on, alone: its encoder then has one thread; on all of them, where it is undefined. `port`: any
   *   free one where it is undefined. `env` on top of this process's own.
   * @throws Error with its output if it ends before.
   */
  async serve(
    dataDir: string,
    flags: readonly string[] = [],
    {
      core,
      env,
      ...on
    }: {
      readonly core?: number | undefined;
      readonly port?: number | undefined;
      readonly env?: NodeJS.ProcessEnv;
    } = {},
  ): Promise<Server> {
    const port = on.port ?? (await freePort());
    const process = new Kshot(
      [
        ...['serve', '--port', String(port), '--data-dir', dataDir],
        ...['--log-level', 'warn', '--embedding-cache-mb', '0'],
        ...(core === undefined ? [] : ['--threads', '1']),
        ...flags,
      ],
      env,
    );
    this.onLeaving(() => process.end('SIGKILL'));
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

  /** Twice is harmless. */
  #takeDown(): Promise<void> {
    this.#down ??= this.#undoAll();
    return this.#down;
  }

  /** Whatever fails, the rest is undone. @throws AggregateError of what failed. */
  async #undoAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be taken down');
  }

  /** Begins to undo all of it: there is no time to wait. */
  #abandon(): void {
    if (this.#within !== undefined) this.#within.#abandon();
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) void undo();
  }
}

/** Whether the server answers requests, and nobody else does at its port. */
async function isReady(url: string): Promise<boolean> {
  return send(url, 'GET', '/readyz').then(
    ({ status }) => status === 200,
    () => false,
  );
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
