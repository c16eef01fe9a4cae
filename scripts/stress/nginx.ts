import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Daemon } from './daemon.js';
import { freePort } from './freePort.js';
import { folderOf } from './programs.js';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/compose/nginx.conf', import.meta.url));

/** The folder of nginx, if this machine has it; PATH often leaves out what is for administrators. */
const PROGRAMS = folderOf(['nginx'], ['/usr/sbin', '/usr/local/sbin']);

export const hasNginx = PROGRAMS !== undefined;

/** A log that has a line a request: its status, and those of the replicas that it was passed to, with commas between. */
const TRIES = 'tries.log';
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** nginx with the configuration of deploy/compose, in which addresses and paths alone are others. */
export class Nginx {
  readonly url: string;
  readonly #program: string;
  readonly #folder: string;
  readonly #port: number;
  #daemon: Daemon | undefined;

  private constructor(program: string, folder: string, port: number) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Configured, and not yet started.
   *
   * @param folder which is its own.
   * @param replicas the URLs of three.
   * @throws Error where nginx is missing.
   */
  static async create(folder: string, replicas: readonly string[]): Promise<Nginx> {
    if (PROGRAMS === undefined) throw new Error('There is no nginx here');
    const nginx = new Nginx(join(PROGRAMS, 'nginx'), folder, await freePort());
    const shipped = await readFile(CONFIGURATION, 'utf8');
    await writeFile(nginx.#configuration, localConfiguration(shipped, folder, nginx.#port, replicas));
    return nginx;
  }

  /** Listens when this resolves. @throws Error where it does not take the configuration. */
  async start(): Promise<void> {
    const log = join(this.#folder, 'error.log');
    const flags = ['-p', this.#folder, '-c', this.#configuration, '-e', log, '-g', 'daemon off;'];
    this.#daemon = new Daemon(this.#program, flags);
    await this.#daemon.until(() => isListening(this.#port));
  }

  get #configuration(): string {
    return join(this.#folder, 'nginx.conf');
  }

  /** How many requests were passed to more than one replica. */
  async triedAgain(): Promise<number> {
    const lines = (await readFile(join(this.#folder, TRIES), 'utf8')).split('\n');
    return lines.filter((line) => line.includes(',')).length;
  }

  /** At once, whatever is under way. */
  async stop(): Promise<void> {
    await this.#daemon?.end('SIGTERM');
  }
}

/** @throws Error where the configuration has not what is to be replaced. */
function localConfiguration(
  shipped: string,
  folder: string,
  port: number,
  replicas: readonly string[],
): string {
  const local: [shipped: string, here: string][] = [
    ['pid /run/nginx.pid;', `pid ${folder}/nginx.pid;`],
    ['error_log /dev/stderr warn;', `error_log ${folder}/error.log warn;`],
    [
      'access_log off;',
      [
        `log_format tries '$status $upstream_status';`,
        `access_log ${folder}/${TRIES} tries;`,
        // Compiled into it, and its user's alone.
        ...TEMPORARY.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
      ].join('\n'),
    ],
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ...replicas.map((url, n): [string, string] => [`kshot-${n + 1}:8080`, new URL(url).host]),
  ];
  return local.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${CONFIGURATION} has no "${from}"`);
    return text.replace(from, to);
  }, shipped);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
}
