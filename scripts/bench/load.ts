import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { answerParent, runInChild } from './childProcess.js';
import { post } from './post.js';

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
}

export interface LoadOutcome {
  readonly requestsPerSecond: number;
  /** Of each request that was sent, in milliseconds, sorted. */
  readonly latencies: readonly number[];
  readonly failures: number;
}

/** Runs the load in a child process. */
export function runLoad(load: Load): Promise<LoadOutcome> {
  return runInChild(fileURLToPath(import.meta.url), load);
}

async function generate({ url, texts, clients, requests, seconds = Infinity }: Load): Promise<LoadOutcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latencies: number[] = [];
  let sent = 0;
  let failures = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (sent < requests && performance.now() - started < seconds * 1000) {
        const text = texts[sent++ % texts.length]!;
        const from = performance.now();
        if ((await post(agent, url, JSON.stringify({ text }))) !== 200) failures++;
        latencies.push(performance.now() - from);
      }
    }),
  );
  const took = (performance.now() - started) / 1000;
  agent.destroy();
  return { requestsPerSecond: latencies.length / took, latencies: latencies.sort((a, b) => a - b), failures };
}

answerParent(generate);
