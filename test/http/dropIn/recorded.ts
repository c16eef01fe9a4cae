import { request as httpRequest } from 'node:http';
import { startServer } from '../../../src/http/server.js';
import { harness, type Harness } from '../harness.js';

export const WRITER = 'writer-key-0123456789';
export const READER = 'reader-key-0123456789';
export const KEYS = { readWrite: [WRITER], readOnly: [READER] };

/** A request as its client sends it: what stands in it is sent, nothing more but host and length. */
export interface Recorded {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface Listening extends Harness {
  readonly url: string;
  post(request: Recorded): Promise<Answered>;
  close(): Promise<unknown>;
}

/** A server that listens, with the bot `bank`. */
export async function listening(changes: Parameters<typeof harness>[0] = {}): Promise<Listening> {
  const h = harness(changes);
  await h.service.putIntents('bank', [
    { name: 'card_lost', examples: ['i lost my card', 'my card is gone'] },
    { name: 'balance', examples: ['how much money is left'] },
  ]);
  const server = await startServer(h.app, {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 5000,
    keepAliveTimeoutMs: 5000,
    lifecycle: h.lifecycle,
  });
  return {
    ...h,
    url: server.url,
    post: (request) => post(server.url, request),
    close: () => server.close(100),
  };
}

function post(url: string, { path, headers, body }: Recorded): Promise<Answered> {
  const { hostname, port } = new URL(url);
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const sent = httpRequest({
      hostname,
      port,
      path,
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': content.length },
    });
    sent.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { statusCode = 0, headers: received } = response;
        resolve({ status: statusCode, headers: received, body: JSON.parse(text) as unknown });
      });
    });
    sent.end(content);
  });
}
