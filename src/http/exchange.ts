import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';
import type { Operation } from './operation.js';
import { type ErrorShape, PROBLEMS, problemResponse, type ProblemCode } from './problem.js';
import type { RefusalLog } from './refusalLog.js';
import type { RequestTrace, RequestTracer } from './requestTracer.js';
import { securityHeaders } from './securityHeaders.js';

/** What an operation answers: JSON, or text of another type. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly text?: { readonly type: string; readonly content: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an exchange reports to, and whether it is the last on its connection. */
export interface ExchangeContext {
  readonly log: Logger;
  readonly refusals: RefusalLog;
  readonly metrics: Metrics;
  /** Absent where requests are not traced. */
  readonly tracer?: RequestTracer | undefined;
  readonly isStopping: () => boolean;
}

/** The headers of every answer; JSON is not to be rendered, so nothing is allowed. */
const STANDARD_HEADERS = {
  ...securityHeaders({ 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] }),
  'cache-control': 'no-store',
};

const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;
const TRACEPARENT = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const UNMATCHED = 'unmatched';

/**
 * One request and its answer: its id, its log line, its place in the metrics. The line is written once, when the answer
 * is out or the client has left, and holds no text, no key and no query string.
 */
export class Exchange {
  readonly requestId: string;
  /** The template of the path that matched. */
  route = UNMATCHED;
  /** Probes come every few seconds and are logged at debug only. */
  private isProbe = false;
  /** How errors are said where it is not as a problem. */
  private errors: ErrorShape | undefined;

  private readonly startedAt = performance.now();
  private readonly trace: RequestTrace | undefined;
  private controller: AbortController | undefined;
  private bytes = 0;
  private code: ProblemCode | undefined;
  private fault: unknown;
  private notes: Record<string, unknown> | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly context: ExchangeContext,
  ) {
    this.requestId = requestIdOf(request);
    this.trace = context.tracer?.begin(request);
    context.metrics.requestStarted();
    response.once('close', () => {
      this.closed();
    });
  }

  /** The operation that the request asks for is known. */
  serves({ path, isProbe, errors }: Pick<Operation, 'path' | 'isProbe' | 'errors'>): void {
    this.route = path;
    this.isProbe = isProbe === true;
    this.errors = errors;
  }

  /** Aborts when the client leaves before it has its answer. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.response.closed) this.controller.abort();
    }
    return this.controller.signal;
  }

  /** Runs what answers the request, as part of its trace. */
  run(work: () => void): void {
    if (this.trace === undefined) work();
    else this.trace.run(work);
  }

  /** Adds fields to the log line. */
  note(fields: Record<string, unknown>): void {
    this.notes = { ...this.notes, ...fields };
  }

  answer({ status, json, text, headers }: Answer): void {
    if (text !== undefined) this.send(status, text.type, text.content, headers);
    else this.send(status, 'application/json', JSON.stringify(json), headers);
  }

  /** Answers with a problem, unless the answer has begun or nobody waits for it. */
  fail(error: unknown): void {
    const { problem, headers, unexpected } = problemResponse(error, this.requestId);
    this.code = problem.code;
    // Being busy or on the way down is no fault, and logging its stack would add to the load.
    const isFault = problem.status >= 500 && problem.code !== 'overloaded' && problem.code !== 'not_ready';
    if (isFault) this.fault = unexpected ?? error;
    if (this.response.headersSent || problem.code === 'cancelled') {
      this.response.destroy();
      return;
    }
    const { errors } = this;
    if (errors === undefined) {
      this.send(problem.status, 'application/problem+json', JSON.stringify(problem), headers);
    } else {
      const body = JSON.stringify(errors.body(problem));
      this.send(problem.status, 'application/json', body, { ...headers, ...errors.headers?.(problem) });
    }
  }

  private send(
    status: number,
    type: string,
    content: string,
    headers?: Readonly<Record<string, string>>,
  ): void {
    const { response } = this;
    if (response.closed) return;
    this.bytes = Buffer.byteLength(content);
    response.writeHead(status, {
      'content-type': type,
      'content-length': this.bytes,
      'x-request-id': this.requestId,
      ...STANDARD_HEADERS,
      ...headers,
      ...(this.context.isStopping() && { connection: 'close' }),
    });
    response.end(content);
  }

  /** Of the trace that the request is part of, whoever records it. */
  private get traceId(): string | undefined {
    return this.trace?.traceId ?? traceIdOf(this.request);
  }

  private endTrace(method: string, status: number): void {
    if (this.isProbe) return;
    const route = this.route === UNMATCHED ? undefined : this.route;
    const left = status === PROBLEMS.cancelled.status ? 'cancelled' : undefined;
    this.trace?.end({ requestId: this.requestId, method, route, status, code: this.code ?? left });
  }

  private isOfNote(): boolean {
    return this.code === 'overloaded' ? this.context.refusals.refused() : !this.isProbe;
  }

  private closed(): void {
    const { request, response, context } = this;
    const answered = response.writableFinished;
    if (!answered) this.controller?.abort();
    const status = answered ? response.statusCode : PROBLEMS.cancelled.status;
    const milliseconds = performance.now() - this.startedAt;
    const method = request.method ?? '';
    context.metrics.requestEnded(method, this.route, status, milliseconds);
    this.endTrace(method, status);

    const level = this.fault !== undefined ? 'error' : this.isOfNote() ? 'info' : 'debug';
    if (!context.log.isLevelEnabled(level)) return;
    context.log[level](
      {
        request_id: this.requestId,
        ...(this.traceId !== undefined && { trace_id: this.traceId }),
        method,
        route: this.route,
        status,
        ms: Math.round(milliseconds * 1000) / 1000,
        bytes: this.bytes,
        ...(this.code !== undefined && { code: this.code }),
        ...this.notes,
        ...(this.fault !== undefined && { err: this.fault }),
      },
      'request',
    );
  }
}

/** The caller's id where it sent a sane one, the trace's where it takes part in one, or a new one. */
function requestIdOf(request: IncomingMessage): string {
  const own = request.headers['x-request-id'];
  if (typeof own === 'string' && REQUEST_ID.test(own)) return own;
  return traceIdOf(request) ?? randomUUID();
}

function traceIdOf(request: IncomingMessage): string | undefined {
  const trace = request.headers.traceparent;
  return typeof trace === 'string' ? TRACEPARENT.exec(trace)?.[1] : undefined;
}
