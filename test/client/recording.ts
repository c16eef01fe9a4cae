import { Kshot, type KshotOptions } from '../../src/client/index.js';

export interface Sent {
  readonly method: string;
  /** Path and query, still encoded. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What a try meets: an answer, or an error of the network. */
export type Reply = Response | Error;

/** A client whose requests are recorded, and answered as was said, first come first served; then with an empty object. */
export function recording(replies: Reply[] = [], options: Partial<KshotOptions> = {}) {
  const sent: Sent[] = [];
  const waits: number[] = [];
  const kshot = new Kshot({
    url: 'http://kshot.test',
    fetch: (input, init) => {
      const request = new Request(input, init);
      const { pathname, search } = new URL(request.url);
      sent.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: init?.body ?? undefined,
      });
      const reply = replies.shift() ?? Response.json({});
      return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
    },
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    random: () => 0,
    ...options,
  });
  return { kshot, sent, waits };
}

/** A problem+json answer. */
export function refusal(status: number, code: string, more: object = {}, headers?: Record<string, string>) {
  const problem = { type: `/docs#${code}`, title: code, status, detail: `It is ${code}`, code, ...more };
  return Response.json(problem, {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}
