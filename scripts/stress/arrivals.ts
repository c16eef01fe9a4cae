import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { answerParent, runInChild } from '../bench/childProcess.js';
import { post } from '../bench/post.js';

// An open-loop HTTP load: requests come at their rate whether or not the former ones are answered, as those of many people do.

export interface Arrivals {
  /** Of the classify endpoint. */
  readonly url: string;
  readonly texts: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Sample {
  /** When it was sent, and how long it took to be answered; milliseconds since the load began. */
  readonly at: number;
  readonly ms: number;
  /** 0 for a connection that broke. */
  readonly status: number;
}

/**
 * Connections at the most, as a proxy in front would have them; a request that finds none free waits, and that counts. Without a
 * bound each request that waits is one more connection, and what is measured is how fast connections are taken.
 */
const CONNECTIONS = 1024;
/** Requests that came due are sent this often. */
const TICK_MS = 5;

/** Runs the load in a child process, until all requests are answered. */
export function runArrivals(arrivals: Arrivals): Promise<Sample[]> {
  return runInChild(fileURLToPath(import.meta.url), arrivals);
}

async function generate({ url, texts, perSecond, seconds }: Arrivals): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const samples: Promise<Sample>[] = [];
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor((Math.min(elapsed(), seconds * 1000) / 1000) * perSecond);
      while (samples.length < due) samples.push(send(samples.length));
      if (elapsed() < seconds * 1000) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  const all = await Promise.all(samples);
  agent.destroy();
  return all;

  async function send(n: number): Promise<Sample> {
    const at = elapsed();
    // No two alike: a text that waits already is not read twice.
    const body = JSON.stringify({ text: `${texts[n % texts.length]!} ${n}` });
    const status = await post(agent, url, body).catch(() => 0);
    return { at, ms: elapsed() - at, status };
  }
}

answerParent(generate);
