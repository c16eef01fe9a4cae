import { setTimeout as sleep } from 'node:timers/promises';
import type { BotSummary } from '../../src/classify/service.js';
import { json, send } from '../../test/e2e/api.js';
import type { Kshot } from '../../test/e2e/kshot.js';
import { freePort } from './freePort.js';
import { hasNginx, Nginx } from './nginx.js';
import { hasPostgres, Postgres } from './postgres.js';
import { BOT, type Stage } from './stage.js';

// What deploy/compose puts up, as processes of this machine: three replicas, PostgreSQL, nginx.

const REPLICAS = 3;
const LOOK_AGAIN_MS = 5;

/** What is missing here that a cluster needs; undefined where there is all of it. */
export const CLUSTER_LACKS =
  [...(hasPostgres ? [] : ['PostgreSQL']), ...(hasNginx ? [] : ['nginx'])].join(' and ') || undefined;

/** One of the servers; a process may follow another, at the same address. */
export interface Replica {
  readonly url: string;
  readonly process: Kshot;
  /** Starts another process; ready when it resolves. */
  restart(): Promise<void>;
}

export class Cluster {
  readonly postgres: Postgres;
  readonly replicas: readonly Replica[];
  readonly proxy: Nginx;
  readonly #stage: Stage;

  private constructor(stage: Stage, postgres: Postgres, replicas: readonly Replica[], proxy: Nginx) {
    this.#stage = stage;
    this.postgres = postgres;
    this.replicas = replicas;
    this.proxy = proxy;
  }

  /** All of it ready. @throws Error where something does not start. */
  static async start(stage: Stage): Promise<Cluster> {
    const postgres = await Postgres.create(await stage.folder());
    stage.onLeaving(() => postgres.stop('SIGQUIT'));
    await postgres.start();
    const replicas = await Promise.all(
      Array.from({ length: REPLICAS }, () => startReplica(stage, postgres.url)),
    );
    const urls = replicas.map(({ url }) => url);
    const proxy = await Nginx.create(await stage.folder(), urls);
    stage.onLeaving(() => proxy.stop());
    await proxy.start();
    return new Cluster(stage, postgres, replicas, proxy);
  }

  /** A replica that the proxy does not know. @param store what it is to reach PostgreSQL by. */
  startReplica(store: string): Promise<Replica> {
    return startReplica(this.#stage, store);
  }

  /** Resolves when every replica answers by a revision of the bot, or a later one, of itself. */
  async inStep(revision: number): Promise<void> {
    await Promise.all(this.replicas.map(({ url }) => follows(url, revision)));
  }
}

/** Resolves when a server has a revision of the bot, or a later one; it is not told that somebody waits. */
export async function follows(url: string, revision: number): Promise<void> {
  const present = () =>
    send(url, 'GET', `/v1/bots/${BOT}`).then((answer) => json<BotSummary>(answer).revision);
  while ((await present().catch(() => 0)) < revision) await sleep(LOOK_AGAIN_MS);
}

async function startReplica(stage: Stage, store: string): Promise<Replica> {
  const folder = await stage.folder();
  const port = await freePort();
  const flags = ['--store', store, '--threads', '1'];
  let server = await stage.serve(folder, flags, { port });
  return {
    url: server.url,
    get process() {
      return server.process;
    },
    async restart() {
      server = await stage.serve(folder, flags, { port });
    },
  };
}
