import { fileURLToPath } from 'node:url';
import { answerParent, runInChild } from '../bench/childProcess.js';
import { HttpConnection } from '../bench/httpConnection.js';

// An open-loop HTTP load: requests come at their rate whether or not the former ones are answered, as those of many people do.

export interface Arrivals {
  /** Of the classify endpoint. */
  readonly url: string;
  readonly texts: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
  /** Of the requests, those whose text comes again and again; 0 where no two are alike. */
  readonly repeats?: number;
  /** Texts that differ are numbered from here: those of a former load may be in the server's cache. */
  readonly firstNumber?: number;
  /** The core that it runs on. */
  readonly core?: number | undefined;
}

export interface Sample {
  /** When it came due, and how long it took from then until it was answered; milliseconds since the load began. */
  readonly at: number;
  readonly ms: number;
  /** 0 for a connection that broke. */
  readonly status: number;
}

/**
 * Connections at the most, as a proxy in front would have them; a request that finds none free waits, and that counts. Without a
 * bound each request that waits is one more connection, and what is measured is how fast connections are taken.
 */
const CONNECTIONS = 4096;
/** Requests that came due are sent this often. */
const TICK_MS = 1;
/** Multiples of the golden ratio lie evenly between whole numbers: those which repeat are spread among the others, and no burst. */
const SPREAD = (Math.sqrt(5) - 1) / 2;

/** Runs the load in a child process, until all requests are answered. */
export function runArrivals({ core, ...arrivals }: Arrivals): Promise<Sample[]> {
  return runInChild(fileURLToPath(import.meta.url), arrivals, core);
}

async function generate(arrivals: Arrivals): Promise<Sample[]> {
  const { url, texts, perSecond, seconds, repeats = 0, firstNumber = 0 } = arrivals;
  const count = Math.floor(perSecond * seconds);
  const free: HttpConnection[] = [];
  const all: HttpConnection[] = [];
  const samples: Sample[] = [];
  const started = performance.now();
  const elapsed = () => performance.now() - started;
  let next = 0;
  let finished = () => {};
  const done = new Promise<void>((resolve) => (finished = resolve));

  const dueAt = (n: number) => (n * 1000) / perSecond;
  const sendDue = () => {
    while (next < count && dueAt(next) <= elapsed()) {
      const connection = free.pop() ?? open();
      if (connection === undefined) return;
      send(connection, next++);
    }
  };
  const send = (connection: HttpConnection, n: number) => {
    const at = dueAt(n);
    void connection.post(bodyOf(n)).then((status) => {
      samples.push({ at, ms: elapsed() - at, status });
      free.push(connection);
      if (samples.length === count) finished();
    });
  };
  const open = () => {
    if (all.length === CONNECTIONS) return undefined;
    const connection = new HttpConnection(url);
    all.push(connection);
    return connection;
  };
  const bodyOf = (n: number) => {
    const text = texts[n % texts.length]!;
    // A text that waits already is not read twice, so that those which do not repeat must all differ.
    return JSON.stringify({ text: (n * SPREAD) % 1 < repeats ? text : `${text} ${firstNumber + n}` });
  };

  const timer = setInterval(sendDue, TICK_MS);
  await done;
  clearInterval(timer);
  for (const connection of all) connection.close();
  return samples;
}

answerParent(generate);
