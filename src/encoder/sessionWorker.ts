import { parentPort, workerData } from 'node:worker_threads';
import { ExitGate } from './exitGate.js';
import { Graph, UnsuitableGraphError } from './graph.js';
import type { SessionReply, SessionRequest, SessionWorkerData } from './sessionProtocol.js';

/**
 * The thread on which forward passes run. onnxruntime-node runs them on the thread that asks, blocking it; here
 * they block nobody, so that the server goes on accepting, refusing and answering meanwhile.
 */
const port = parentPort;
if (port === null) throw new Error('sessionWorker.js is a worker, it is not run by itself');

const { settings, gate: shared } = workerData as SessionWorkerData;
const gate = new ExitGate(shared);
const send = (reply: SessionReply, transfer: readonly ArrayBuffer[] = []): void =>
  port.postMessage(reply, transfer);

let graph: Graph | undefined;
try {
  graph = await Graph.open(settings);
  // A first pass: a device may accept a graph and fail on its kernels.
  const probe = { ids: new Int32Array([settings.padId, settings.padId]), lengths: new Int32Array([2]) };
  const dimension = (await graph.embed(probe)).length;
  gate.leave();
  listen(graph);
  send({ kind: 'ready', dimension });
} catch (error) {
  await graph?.close();
  gate.leave();
  send({
    kind: 'unusable',
    blame: blame(error),
    message: error instanceof Error ? error.message.trim() : String(error),
  });
}

function listen(opened: Graph): void {
  let last = Promise.resolve();
  port?.on('message', (request: SessionRequest) => {
    last = last.then(() => (request.kind === 'run' ? run(opened, request) : close(opened)));
  });
}

async function run(opened: Graph, request: Extract<SessionRequest, { kind: 'run' }>): Promise<void> {
  if (!gate.enter()) return;
  try {
    const start = performance.now();
    const embeddings = await opened.embed(request).finally(() => gate.leave());
    const milliseconds = performance.now() - start;
    send({ kind: 'done', embeddings, milliseconds }, [embeddings.buffer as ArrayBuffer]);
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

async function close(opened: Graph): Promise<void> {
  if (!gate.enter()) return;
  await opened.close();
  gate.leave();
  port?.close();
}

/** A file that cannot be read or does not fit is the model's fault on any device; the rest is the device's. */
function blame(error: unknown): 'device' | 'model' {
  if (settings.device === 'cpu' || error instanceof UnsuitableGraphError) return 'model';
  const message = error instanceof Error ? error.message : String(error);
  return /Protobuf parsing failed|File doesn't exist|ModelProto|invalid model/i.test(message)
    ? 'model'
    : 'device';
}
