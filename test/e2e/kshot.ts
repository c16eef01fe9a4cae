import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The very program that ships, compiled beside these tests. */
const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface Exit {
  /** null for a process that a signal ended. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `kshot` that runs in a process of its own. */
export class Kshot {
  /** Resolves when the process is gone and its output was read to the end. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: LogLine[] = [];
  #stdout = '';
  #stderr = '';
  #unread = '';
  #waiting: (() => void)[] = [];
  #gone = false;

  /** @param env on top of this process's own, of which no setting of kshot is handed on. */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, stdin: string | Buffer = '') {
    this.#child = spawn(process.execPath, [MAIN, ...args], { env: { ...environment(), ...env } });
    const { stdin: input, stdout, stderr } = this.#child;
    if (input === null || stdout === null || stderr === null) throw new Error(`${MAIN} did not start`);
    input.on('error', () => {}); // It may end without having read it.
    input.end(stdin);
    stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    stderr.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        this.#gone = true;
        this.#wake();
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has logged so far. */
  get log(): readonly LogLine[] {
    return this.#log;
  }

  /** The first line of the log with that message. @throws Error with the whole output if it ends before. */
  async logged(message: string): Promise<LogLine> {
    for (;;) {
      const line = this.#log.find(({ msg }) => msg === message);
      if (line !== undefined) return line;
      if (this.#gone)
        throw new Error(`kshot (process ${this.pid}) ended without "${message}":\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves as `exited` does. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }

  /** Sends a signal that does not end it. */
  signal(signal: 'SIGHUP' | 'SIGSTOP' | 'SIGCONT' | 'SIGUSR2'): void {
    this.#child.kill(signal);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #read(text: string): void {
    this.#stderr += text;
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.#log.push(JSON.parse(line) as LogLine);
    this.#wake();
  }
}

/** Runs a command to its end. */
export function kshot(
  args: readonly string[],
  { env = {}, stdin = '' }: { readonly env?: NodeJS.ProcessEnv; readonly stdin?: string | Buffer } = {},
): Promise<Exit> {
  return new Kshot(args, env, stdin).exited;
}

/** Less to warm up, and the same answers: a start is what these tests do most. */
const SMALL_BATCHES = ['--max-batch-texts', '8'];

/** A server that takes any free port; it may not be ready yet. */
export function launch(dataDir: string, flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Kshot {
  return new Kshot(['serve', '--port', '0', '--data-dir', dataDir, ...SMALL_BATCHES, ...flags], env);
}

export interface Server {
  readonly process: Kshot;
  readonly url: string;
}

/** A launched server once it is ready. */
export async function ready(process: Kshot): Promise<Server> {
  const { url } = await process.logged('ready');
  return { process, url: String(url) };
}

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KSHOT_')));
}
