import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClassifyResult, Intent, WriteResult } from '../../src/classify/service.js';
import type { Problem } from '../../src/http/problem.js';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** From the call to the last byte of the answer, in ms. */
  readonly milliseconds: number;
}

export interface SendOptions {
  /** A string and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** Sends a request whose path is not tidied up, on a connection of its own unless an agent is given. */
export function send(
  url: string,
  method: string,
  path: string,
  { body, headers = {}, agent }: SendOptions = {},
): Promise<Answer> {
  const started = performance.now();
  const bytes = body === undefined ? undefined : bytesOf(body);
  const all = {
    ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': bytes.length }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, path, headers: all, agent: agent ?? false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text, milliseconds: performance.now() - started });
      });
    });
    sent.on('error', reject);
    sent.end(bytes);
  });
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** The body of an answer. @throws Error, showing the answer, if it has another status. */
export function json<T>(answer: Answer, ...statuses: readonly number[]): T {
  const expected = statuses.length === 0 ? [200] : statuses;
  if (!expected.includes(answer.status)) throw new Error(`${answer.status}: ${answer.text.slice(0, 2000)}`);
  return JSON.parse(answer.text) as T;
}

/** The problem that an answer tells of. @throws Error if it is no problem+json of its own status. */
export function problemOf(answer: Answer): Problem {
  const problem = JSON.parse(answer.text) as Problem;
  const type = answer.headers['content-type'];
  if (type !== 'application/problem+json' || problem.status !== answer.status || problem.detail === '') {
    throw new Error(`no problem: ${answer.status} ${type} ${answer.text.slice(0, 2000)}`);
  }
  return problem;
}

export interface ClassifyFields {
  readonly top?: number;
  readonly explain?: boolean;
}

/** One result a text, in order. */
export async function classify(
  url: string,
  bot: string,
  texts: readonly string[],
  fields: ClassifyFields = {},
): Promise<ClassifyResult[]> {
  const answer = await send(url, 'POST', `/v1/bots/${bot}/classify`, { body: { texts, ...fields } });
  return json<{ results: ClassifyResult[] }>(answer).results;
}

export async function putIntent(
  url: string,
  bot: string,
  intent: string,
  examples: readonly string[],
): Promise<WriteResult> {
  const path = `/v1/bots/${bot}/intents/${encodeURIComponent(intent)}`;
  return json(await send(url, 'PUT', path, { body: { examples } }), 200, 201);
}

/** A bot's intents with their examples. */
export async function listIntents(url: string, bot: string): Promise<Intent[]> {
  const answer = await send(url, 'GET', `/v1/bots/${bot}/intents?examples=true`);
  return json<{ intents: Intent[] }>(answer).intents;
}

/** One figure of /metrics. @throws Error if it is not there. */
export async function metric(url: string, name: string): Promise<number> {
  const { text } = await send(url, 'GET', '/metrics');
  const line = text.split('\n').find((line) => line.startsWith(`${name} `));
  if (line === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(line.slice(name.length));
}

/**
 * Resolves when every head has adapted to its bot and every calibration is fitted: until then, answers to one text may
 * change from one request to the next.
 */
export async function settled(url: string): Promise<void> {
  while ((await metric(url, 'kshot_adaptations_pending')) > 0) await sleep(20);
}
