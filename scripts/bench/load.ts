import { fileURLToPath } from 'node:url';
import { answerParent, runInChild } from './childProcess.js';
import { HttpConnection } from './httpConnection.js';

// A closed-loop HTTP load: so many clients, each with one request in flight, in a process of its own so that it does not
// share the server's thread.

export interface Load {
  /** Of the classify endpoint. */
  readonly url: string;
  readonly texts: readonly string[];
  readonly clients: number;
  readonly requests: number;
  /** No request is sent after these, whatever their number. */
  readonly seconds?: number;
  /** The core that it runs on. */
  readonly core?: number | undefined;
}

export interface LoadOutcome {
  /** Answered with 200. */
  readonly requestsPerSecond: number;
  /** Of each of them, in milliseconds, sorted. */
  readonly latencies: readonly number[];
  readonly failures: number;
}

/** Runs the load in a child process. */
export function runLoad({ core, ...load }: Load): Promise<LoadOutcome> {
  return runInChild(fileURLToPath(import.meta.url), load, core);
}

async function generate({ url, texts, clients, requests, seconds = Infinity }: Load): Promise<LoadOutcome> {
  const latencies: number[] = [];
  let sent = 0;
  let failures = 0;
  const started = performance.now();
  const client = async () => {
    const connection = new HttpConnection(url);
    while (sent < requests && performance.now() - started < seconds * 1000) {
      const text = texts[sent++ % texts.length]!;
      const from = performance.now();
      if ((await connection.post(JSON.stringify({ text }))) === 200) latencies.push(performance.now() - from);
      else failures++;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: clients }, client));
  const took = (performance.now() - started) / 1000;
  return { requestsPerSecond: latencies.length / took, latencies: latencies.sort((a, b) => a - b), failures };
}

answerParent(generate);
