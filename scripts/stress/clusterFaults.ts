import { setTimeout as sleep } from 'node:timers/promises';
import { send } from '../../test/e2e/api.js';
import { TcpProxy } from '../../test/store/tcpProxy.js';
import { type Cluster, CLUSTER_LACKS, follows, type Replica } from './cluster.js';
import { type Fault, type FaultOptions, type Outcome, recovery } from './fault.js';
import { SteadyLoad } from './steadyLoad.js';

// Faults of three replicas that share a PostgreSQL database, behind nginx, while clients classify and write.

/** Before the fault, and when it is over. */
const STEADY_MS = 3000;
/** Longer than nginx waits for the answer to a short classification, twice. */
const HUNG_MS = 12_000;
/** Writes of which one replica is not notified. */
const UNNOTICED = 5;
const LOOK_AGAIN_MS = 10;

/** @param cluster the one that they are tried on, one after the other; asked for when the first is. */
export function clusterFaults(cluster: () => Promise<Cluster>): Fault[] {
  const underLoad =
    (fault: ClusterFault, writers?: number): Fault['run'] =>
    async (_, options) =>
      CLUSTER_LACKS === undefined
        ? counted(await cluster(), fault, options, writers)
        : { skipped: `there is no ${CLUSTER_LACKS} here` };
  return [
    { name: 'cluster: kill -9 of a replica', run: underLoad(replicaKilled) },
    { name: 'cluster: a replica hangs', run: underLoad(replicaHangs) },
    { name: 'cluster: rolling restart', run: underLoad(rollingRestart) },
    { name: 'cluster: PostgreSQL stopped', run: underLoad((...parts) => databaseAway('SIGINT', ...parts)) },
    {
      name: 'cluster: kill -9 of PostgreSQL',
      run: underLoad((...parts) => databaseAway('SIGKILL', ...parts)),
    },
    { name: 'cluster: notifications lost', run: underLoad(notificationsLost, 0) },
    { name: 'cluster: listening connections cut', run: underLoad(listenersCut) },
  ];
}

/** What a fault itself tells; the rest is counted. */
type Told = Pick<Outcome, 'recoveryMs' | 'seen'>;
type ClusterFault = (cluster: Cluster, load: SteadyLoad, options: FaultOptions) => Promise<Told>;

async function counted(
  cluster: Cluster,
  fault: ClusterFault,
  options: FaultOptions,
  writers?: number,
): Promise<Outcome> {
  const before = await cluster.proxy.triedAgain();
  const load = await SteadyLoad.start(cluster.proxy.url, writers);
  try {
    await sleep(STEADY_MS);
    const told = await fault(cluster, load, options);
    await sleep(STEADY_MS);
    await load.stop();
    return {
      ...load.reads.with(load.writes),
      ...told,
      triedAgain: (await cluster.proxy.triedAgain()) - before,
      writes: await load.readBack(cluster.replicas.map(({ url }) => url)),
    };
  } finally {
    await load.stop();
  }
}

async function replicaKilled({ replicas }: Cluster, load: SteadyLoad): Promise<Told> {
  const [victim] = replicas;
  const recoveryMs = await recovery(async () => {
    await victim!.process.end('SIGKILL');
    await victim!.restart();
    await follows(victim!.url, load.revision);
  });
  return { recoveryMs, seen: 'a start takes most of it' };
}

async function replicaHangs({ replicas }: Cluster, load: SteadyLoad): Promise<Told> {
  const [victim] = replicas;
  victim!.process.signal('SIGSTOP');
  await sleep(HUNG_MS);
  victim!.process.signal('SIGCONT');
  const recoveryMs = await recovery(() => follows(victim!.url, load.revision));
  const [read, write] = [load.reads, load.writes].map(({ slowest }) => seconds(slowest));
  return {
    recoveryMs,
    seen: `for ${HUNG_MS / 1000} s; the slowest classification took ${read}, the slowest write ${write}`,
  };
}

async function rollingRestart({ replicas }: Cluster, load: SteadyLoad): Promise<Told> {
  const each: number[] = [];
  for (const replica of replicas) {
    each.push(
      await recovery(async () => {
        await replica.process.end('SIGTERM');
        await replica.restart();
        await follows(replica.url, load.revision);
      }),
    );
  }
  return { recoveryMs: Math.max(...each), seen: `the longest of ${each.length} restarts` };
}

async function databaseAway(
  signal: 'SIGINT' | 'SIGKILL',
  ...[cluster, load, { outageSeconds }]: Parameters<ClusterFault>
): Promise<Told> {
  await cluster.postgres.stop(signal);
  await sleep(outageSeconds * 1000);
  const readiness = await Promise.all(cluster.replicas.map(({ url }) => send(url, 'GET', '/readyz')));
  const unready = readiness.filter(({ status }) => status === 503).length;
  await cluster.postgres.start();
  const recoveryMs = await recovery(async () => {
    let revision: number | undefined;
    while ((revision = await load.write()) === undefined) await sleep(LOOK_AGAIN_MS);
    await cluster.inStep(revision);
  });
  const { reads, writes } = load;
  return {
    recoveryMs,
    seen: `for ${outageSeconds} s; ${reads.answered} texts classified, ${reads.refused} refused; writes refused as ${[...writes.codes].join(', ')}; ${unready} replicas not ready`,
  };
}

/** A replica more, which hears of no write, and none comes to it; the revisions that it looks at now and then tell it. */
async function notificationsLost(cluster: Cluster, load: SteadyLoad): Promise<Told> {
  const store = new URL(cluster.postgres.url);
  const proxy = new TcpProxy({ host: store.hostname, port: Number(store.port) });
  await proxy.start();
  proxy.dropsNotifications = true;
  store.port = String(proxy.port);
  const deaf = await cluster.startReplica(store.href);
  const [writer, other] = cluster.replicas;
  const longest = { deaf: 0, other: 0 };
  for (let n = 0; n < UNNOTICED; n++) {
    const revision = (await load.write(writer!.url)) ?? load.revision;
    const delayOf = ({ url }: Replica) => recovery(() => follows(url, revision));
    const [late, soon] = await Promise.all([delayOf(deaf), delayOf(other!)]);
    longest.deaf = Math.max(longest.deaf, late);
    longest.other = Math.max(longest.other, soon);
  }
  await deaf.process.end('SIGTERM');
  await proxy.stop();
  return {
    recoveryMs: longest.deaf,
    seen: `the longest of ${UNNOTICED}; a replica that was notified: ${seconds(longest.other)}`,
  };
}

/** Each replica has one connection that holds shared advisory locks, and that is the one it listens on. */
const CUT_LISTENERS = `
  SELECT pg_terminate_backend(pid)
  FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock') listening`;

async function listenersCut(cluster: Cluster, load: SteadyLoad): Promise<Told> {
  await cluster.postgres.query(CUT_LISTENERS);
  const recoveryMs = await recovery(async () => {
    await load.write();
    await cluster.inStep(load.revision);
  });
  return { recoveryMs, seen: 'until a write that followed at once was seen by all' };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
