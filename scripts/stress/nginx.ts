import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bound } from '../bench/pin.js';
import { Daemon } from './daemon.js';
import { freePort } from './freePort.js';
import { folderOf } from './programs.js';

const CONFIGURATION = fileURLToPath(new URL('../../../deploy/compose/nginx.conf', import.meta.url));

/** The folder of nginx, if this machine has it; PATH often leaves out what is for administrators. */
const PROGRAMS = folderOf(['nginx'], ['/usr/sbin', '/usr/local/sbin']);

export const hasNginx = PROGRAMS !== undefined;

/** A log that has a line for each request that was passed to more than one replica: nginx then has commas between their statuses. */
const TRIES = 'tries.log';
/** What is shipped to be logged. */
const REFUSED = 'refused.log';
/** A line of the shipped configuration for each replica, and what grows with their number. */
const SERVER = /( *server )kshot-\d+:8080(.*\n)/g;
const LIMIT = /(limit_conn kshot_classifications )(\d+)/g;
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
   * @param replicas their URLs: as many as are shipped, or fewer.
   * @throws Error where nginx is missing.
   */
  static async create(folder: string, replicas: readonly string[]): Promise<Nginx> {
    if (PROGRAMS === undefined) throw new Error('There is no nginx here');
    const nginx = new Nginx(join(PROGRAMS, 'nginx'), folder, await freePort());
    const shipped = await readFile(CONFIGURATION, 'utf8');
    await writeFile(nginx.#configuration, localConfiguration(shipped, folder, nginx.#port, replicas));
    return nginx;
  }

  /**
   * Listens when this resolves.
   *
   * @param core that it runs on; any, where it is undefined.
   * @throws Error where it does not take the configuration.
   */
  async start(core?: number): Promise<void> {
    const log = join(this.#folder, 'error.log');
    const flags = ['-p', this.#folder, '-c', this.#configuration, '-e', log, '-g', 'daemon off;'];
    this.#daemon = new Daemon(...bound(core, this.#program, flags));
    await this.#daemon.until(() => isListening(this.#port));
  }

  get #configuration(): string {
    return join(this.#folder, 'nginx.conf');
  }

  /** How many requests were passed to more than one replica. */
  async triedAgain(): Promise<number> {
    return (await this.#linesOf(TRIES)).length;
  }

  /** The requests that it has refused itself, as far as they are logged yet. */
  async refused(): Promise<{ readonly request_id: string; readonly path: string }[]> {
    const lines = await this.#linesOf(REFUSED);
    return lines.map((line) => JSON.parse(line) as { request_id: string; path: string });
  }

  async #linesOf(log: string): Promise<string[]> {
    return (await readFile(join(this.#folder, log), 'utf8')).split('\n').slice(0, -1);
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
      'access_log /dev/stdout ',
      [
        `map $upstream_status $tried_again { '~,' 1; default 0; }`,
        `log_format tries '$upstream_status';`,
        `access_log ${folder}/${TRIES} tries if=$tried_again;`,
        // Compiled into it, and its user's alone.
        ...TEMPORARY.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
        `access_log ${folder}/${REFUSED} `,
      ].join('\n'),
    ],
    ['listen 8080 ', `listen 127.0.0.1:${port} `],
  ];
  const configuration = local.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${CONFIGURATION} has no "${from}"`);
    return text.replace(from, to);
  }, shipped);
  return withReplicas(configuration, replicas);
}

/** @throws Error where the configuration has not as many. */
function withReplicas(configuration: string, replicas: readonly string[]): string {
  let shipped = 0;
  const text = configuration.replace(SERVER, (_, before: string, after: string) => {
    const url = replicas[shipped++];
    return url === undefined ? '' : `${before}${new URL(url).host}${after}`;
  });
  if (replicas.length > shipped) throw new Error(`${CONFIGURATION} has ${shipped} replicas`);
  return text.replace(
    LIMIT,
    (_, before: string, most: string) => `${before}${(Number(most) * replicas.length) / shipped}`,
  );
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
