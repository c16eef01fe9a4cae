import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { Daemon } from './daemon.js';
import { freePort } from './freePort.js';
import { folderOf } from './programs.js';

const run = promisify(execFile);

/** Where Debian has a folder for each version. */
const DEBIAN = '/usr/lib/postgresql';
const VERSIONS = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];

/** The folder of PostgreSQL's programs, if this machine has them. */
const PROGRAMS = folderOf(
  ['initdb', 'postgres'],
  VERSIONS.map((version) => join(DEBIAN, version, 'bin')),
);

export const hasPostgres = PROGRAMS !== undefined;

const USER = 'kshot';

/** Who runs a program. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL server of its own, empty, on the loopback interface; what it was given is durable, as it is by default. */
export class Postgres {
  readonly url: string;
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #account: Account | undefined;
  #daemon: Daemon | undefined;

  private constructor(programs: string, folder: string, port: number, account: Account | undefined) {
    this.#programs = programs;
    this.#folder = folder;
    this.#port = port;
    this.#account = account;
    this.url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  }

  /** Made, and not yet started. @param folder which is its own. @throws Error where PostgreSQL is missing. */
  static async create(folder: string): Promise<Postgres> {
    if (PROGRAMS === undefined) throw new Error('There is no PostgreSQL here');
    // It refuses to run as root.
    const account = process.getuid?.() === 0 ? accountOf('postgres', 'nobody') : undefined;
    if (account !== undefined) await chown(folder, account.uid, account.gid);
    const flags = ['--auth=trust', `--username=${USER}`, '--encoding=UTF8', '--no-locale', '--no-sync'];
    await run(join(PROGRAMS, 'initdb'), [...flags, '--pgdata', folder], { ...account, cwd: folder });
    return new Postgres(PROGRAMS, folder, await freePort(), account);
  }

  /** Accepts connections when this resolves, after a crash too. */
  async start(): Promise<void> {
    const settings = [`port=${this.#port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='];
    const flags = ['-D', this.#folder, ...settings.flatMap((setting) => ['-c', setting])];
    const options = { ...this.#account, cwd: this.#folder };
    this.#daemon = new Daemon(join(this.#programs, 'postgres'), flags, options);
    await this.#daemon.until(() =>
      this.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
  }

  /** @param signal SIGINT cuts all connections and stops orderly, SIGQUIT does not tidy up, SIGKILL asks nobody. */
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> {
    await this.#daemon?.end(signal);
  }

  /** Runs a statement on a connection of its own. */
  async query(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined); // what is under way fails
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }
}

/** The first of them that the system knows. */
function accountOf(...names: readonly string[]): Account {
  for (const name of names) {
    try {
      const [uid, gid] = ['-u', '-g'].map((flag) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] })),
      );
      return { uid: uid!, gid: gid! };
    } catch {
      // The system has no such user.
    }
  }
  throw new Error(`PostgreSQL does not run as root, and there is no user ${names.join(' or ')}`);
}
