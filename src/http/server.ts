import { createServer, IncomingMessage, ServerResponse, STATUS_CODES, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { KshotError } from '../errors.js';
import type { Lifecycle } from './lifecycle.js';
import { problemResponse, TransportError } from './problem.js';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** A client has this long to send a whole request, and at most ten seconds for its headers. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly lifecycle: Lifecycle;
}

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /**
   * Takes no new connection and no new request, and lets those that were accepted finish.
   *
   * @returns false where some had not after `timeoutMs`: their connections were cut.
   */
  close(timeoutMs: number): Promise<boolean>;
}

/**
 * Connections that may wait to be taken; the operating system may allow fewer (Linux: net.core.somaxconn, 4096). One that finds
 * no room is tried again by its client after 1, 3, 7 s: a refusal in time needs a place to wait for it. Node's own is 511.
 */
const BACKLOG = 4096;
const LONGEST_HEADERS_MS = 10_000;
/** How often connections are looked over for time-outs, in milliseconds; Node's own default is 30 s. */
const CHECK_EVERY_MS = 2_000;
/** How often a closing server looks for connections that have fallen idle, in milliseconds. */
const SWEEP_EVERY_MS = 50;

/**
 * Listens.
 *
 * @throws KshotError `invalid_configuration` where the address or port cannot be had.
 */
export async function startServer(app: Express, options: ServerOptions): Promise<RunningServer> {
  const server = createServer(
    {
      ...messageClasses(app),
      requestTimeout: options.requestTimeoutMs,
      headersTimeout: Math.min(LONGEST_HEADERS_MS, options.requestTimeoutMs),
      keepAliveTimeout: options.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, options.requestTimeoutMs),
      noDelay: true,
    },
    app,
  );
  server.on('clientError', refuseMalformed);
  await listen(server, options.host, options.port);
  return {
    url: urlOf(server.address() as AddressInfo),
    close: (timeoutMs) => {
      options.lifecycle.stop();
      return drain(server, timeoutMs);
    },
  };
}

/**
 * Express changes the prototype of every request and response that it is given, which V8 pays for by compiling the
 * code that touches them anew and worse: measured here, half of the time that a request costs the server. Objects
 * that are made with Express's prototypes in place are not changed.
 */
export function messageClasses(app: Express) {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  app.request = AppRequest.prototype as Request;
  app.response = AppResponse.prototype as Response;
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      reject(
        new KshotError('invalid_configuration', `Cannot listen on ${host}, port ${port}: ${why}`, {
          cause: error,
        }),
      );
    });
    server.listen({ port, host, backlog: BACKLOG }, resolve);
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function drain(server: Server, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let inTime = true;
    const deadline = setTimeout(() => {
      inTime = false;
      server.closeAllConnections();
    }, timeoutMs);
    // A connection whose request was begun before the shutdown falls idle only when its answer is out.
    const sweep = setInterval(() => {
      server.closeIdleConnections();
    }, SWEEP_EVERY_MS);
    server.close(() => {
      clearTimeout(deadline);
      clearInterval(sweep);
      resolve(inTime);
    });
    server.closeIdleConnections();
  });
}

/** What is no HTTP, too long or too slow never becomes a request; it is answered on the bare socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { problem } = problemResponse(malformed(error.code), randomUUID());
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
      'content-type: application/problem+json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `x-request-id: ${problem.request_id}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}

function malformed(code: string | undefined): Error {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new TransportError('request_timeout', 'The request did not arrive in time');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new TransportError('header_too_large', 'The address or the headers are too long');
  }
  return new KshotError('invalid_request', 'This is not HTTP/1.1');
}
