import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BUNDLED_MODEL } from '../../src/config.js';
import { classify, listIntents, metric, send } from '../../test/e2e/api.js';
import type { Server } from '../../test/e2e/kshot.js';
import { type Fault, type Outcome, recovery, type WritesKept } from './fault.js';
import { BOT, type Stage } from './stage.js';
import { Tally } from './tally.js';

// Faults that one process can show. Each scenario counts what became of its requests.

const TEXT = 'i lost my card';
const KILL_AFTER_MS = 3000;
const DISK = '32m';
const DISK_BYTES = 32 * 2 ** 20;
const LORIS_CONNECTIONS = 200;
const LORIS_TIMEOUT_MS = 3000;
const LEAVERS = 20;
/** More than an index holds without a graph, and so without a snapshot. */
const INDEXED_TEXTS = 4200;
const TEXTS_A_WRITE = 600;

export const FAULTS: readonly Fault[] = [
  { name: 'kill -9 under load', run: killed },
  { name: 'full disk', run: fullDisk },
  { name: 'index snapshot cut short', run: snapshotCutShort },
  { name: 'slow-loris', run: slowLoris },
  { name: 'clients that leave mid-batch', run: leavers },
  { name: 'damaged encoder file', run: damagedEncoder },
];

function put(url: string, intent: string, examples: readonly string[] = [`${intent} a`, `${intent} b`]) {
  return send(url, 'PUT', `/v1/bots/${BOT}/intents/${intent}`, { body: { examples } });
}

function ask({ url }: Server, text = TEXT) {
  return send(url, 'POST', `/v1/bots/${BOT}/classify`, { body: { text } });
}

async function readBack({ url }: Server, acknowledged: readonly string[]): Promise<WritesKept> {
  const there = new Set((await listIntents(url, BOT)).map(({ name }) => name));
  const lost = acknowledged.filter((intent) => !there.has(intent));
  return { acknowledged: acknowledged.length, lost: lost.length };
}

async function killed(stage: Stage): Promise<Outcome> {
  const folder = await stage.folder();
  const server = await stage.serve(folder);
  const tally = new Tally();
  const acknowledged: string[] = [];
  let gone = false;
  const writer = async (writer: number) => {
    for (let n = 0; !gone; n++) {
      const intent = `written_${writer}_${n}`;
      if (await tally.add(put(server.url, intent))) acknowledged.push(intent);
    }
  };
  const reader = async () => {
    for (let n = 0; !gone; n++) await tally.add(ask(server, `where is my card ${n}`));
  };
  const work = [writer(0), writer(1), writer(2), reader(), reader()];
  await sleep(KILL_AFTER_MS);
  await server.process.end('SIGKILL');
  gone = true;
  await Promise.all(work);
  let again: Server | undefined;
  const recoveryMs = await recovery(async () => {
    again = await stage.serve(folder);
    await classify(again.url, BOT, [TEXT]);
  });
  return {
    ...tally,
    writes: await readBack(again!, acknowledged),
    recoveryMs,
    seen: 'the rest were under way; a start takes most of it',
  };
}

async function fullDisk(stage: Stage): Promise<Outcome | { skipped: string }> {
  if (process.getuid?.() !== 0) return { skipped: 'needs root, to mount a small file system' };
  const folder = await stage.folder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return { skipped: 'no file system can be mounted here' };
  }
  stage.onLeaving(() => execFileSync('umount', ['--lazy', folder]));
  const server = await stage.serve(join(folder, 'store'));
  const tally = new Tally();
  const acknowledged: string[] = [];
  const write = async (intent: string) => {
    if (await tally.add(put(server.url, intent))) acknowledged.push(intent);
  };
  for (let n = 0; n < 5; n++) await write(`before_${n}`);
  const ballast = join(folder, 'ballast');
  await writeFile(ballast, Buffer.alloc(DISK_BYTES)).catch(() => undefined); // as much as there is room for
  for (let n = 0; tally.refused < 5 && n < 200; n++) {
    await write(`full_${n}`);
    await tally.add(ask(server, `is it full ${n}`));
  }
  await rm(ballast);
  const recoveryMs = await recovery(async () => {
    while (!(await tally.add(put(server.url, 'room_again')))) await sleep(10);
  });
  return {
    ...tally,
    writes: await readBack(server, acknowledged),
    recoveryMs,
    seen: `refused as ${[...tally.codes].join(', ')}; classified meanwhile`,
  };
}

async function snapshotCutShort(stage: Stage): Promise<Outcome> {
  const folder = await stage.folder();
  const server = await stage.serve(folder);
  const tally = new Tally();
  for (let from = 0; from < INDEXED_TEXTS; from += TEXTS_A_WRITE) {
    const examples = Array.from({ length: TEXTS_A_WRITE }, (_, i) => `order ${from + i}`);
    await tally.add(put(server.url, `orders_${from}`, examples));
  }
  await server.process.end('SIGTERM');
  // The graph is built beside the writes, and may not have been done; a start builds it before it is ready.
  await (await stage.serve(folder)).process.end('SIGTERM');
  const snapshots = join(folder, 'index', BOT);
  const files = await readdir(snapshots, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    await truncate(path, Math.floor((await stat(path)).size / 2));
  }
  let again: Server | undefined;
  const recoveryMs = await recovery(async () => {
    again = await stage.serve(folder);
    await tally.add(ask(again));
  });
  const told = again!.process.log.some(({ msg }) => msg.includes('index was built anew'));
  const written = (await listIntents(again!.url, BOT)).flatMap(({ examples }) => examples).length;
  return {
    ...tally,
    writes: { acknowledged: INDEXED_TEXTS, lost: Math.max(0, INDEXED_TEXTS - written) },
    recoveryMs,
    seen: `${files.length} files cut; the log ${told ? 'says' : 'does NOT say'} that the index was built anew`,
  };
}

async function slowLoris(stage: Stage): Promise<Outcome> {
  const server = await stage.serve(await stage.folder(), ['--request-timeout-ms', String(LORIS_TIMEOUT_MS)]);
  const { hostname, port } = new URL(server.url);
  const sockets: Socket[] = [];
  let said408 = 0;
  const started = performance.now();
  const closed = Array.from({ length: LORIS_CONNECTIONS }, async (_, n) => {
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    sockets.push(socket);
    socket.write(`POST /v1/bots/${BOT}/classify HTTP/1.1\r\nhost: x\r\n`);
    // Half of them dribble their headers, half a body.
    if (n % 2 === 1) socket.write('content-type: application/json\r\ncontent-length: 1000\r\n\r\n');
    socket
      .setEncoding('utf8')
      .on('data', (text: string) => (said408 += text.startsWith('HTTP/1.1 408') ? 1 : 0));
    await once(socket, 'close');
  });
  const dribble = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('a');
  }, 200);
  const tally = new Tally();
  let isOver = false;
  const honest = (async () => {
    while (!isOver) await tally.add(ask(server));
  })();
  await Promise.all(closed);
  const recoveryMs = performance.now() - started;
  isOver = true;
  clearInterval(dribble);
  await honest;
  return {
    ...tally,
    recoveryMs,
    seen: `${LORIS_CONNECTIONS} connections cut, ${said408} told so (408); other clients answered meanwhile`,
  };
}

async function leavers(stage: Stage): Promise<Outcome> {
  const server = await stage.serve(await stage.folder());
  const tally = new Tally();
  await Promise.all(
    Array.from({ length: LEAVERS }, async (_, n) => {
      tally.sent++;
      const texts = Array.from({ length: 100 }, (_, i) => `nobody waits for ${n} ${i}`);
      await leave(`${server.url}/v1/bots/${BOT}/classify`, JSON.stringify({ texts }));
    }),
  );
  const recoveryMs = await recovery(async () => {
    while ((await metric(server.url, 'kshot_encoder_queued_texts')) > 0) await sleep(5);
    await tally.add(ask(server));
  });
  const inFlight = (await metric(server.url, 'kshot_http_requests_in_flight')) - 1; // /metrics itself
  return { ...tally, recoveryMs, seen: `${LEAVERS} left; ${inFlight} requests and no text are left over` };
}

/** Sends a request, and leaves as soon as it is out. */
function leave(url: string, body: string): Promise<void> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', headers, agent: false });
    sent.on('error', () => undefined).on('close', resolve);
    sent.end(body, () => setTimeout(() => sent.destroy(), 20));
  });
}

async function damagedEncoder(stage: Stage): Promise<Outcome> {
  const folder = await stage.folder();
  const model = join(folder, 'encoder');
  await cp(BUNDLED_MODEL, model, { recursive: true });
  const weights = join(model, 'onnx', 'model_quantized.onnx');
  await truncate(weights, Math.floor((await stat(weights)).size / 2));
  const flags = ['--model', model, '--device', 'cpu'];
  const why = await stage.serve(join(folder, 'store'), flags).then(
    () => 'IT STARTED ALL THE SAME',
    (error: Error) => error.message.trim().split('\n').at(-1) ?? '',
  );
  await cp(join(BUNDLED_MODEL, 'onnx', 'model_quantized.onnx'), weights);
  const tally = new Tally();
  const recoveryMs = await recovery(async () => {
    await tally.add(ask(await stage.serve(join(folder, 'store'), flags)));
  });
  return { ...tally, recoveryMs, seen: `does not start: ${why.slice(0, 90)}…` };
}
