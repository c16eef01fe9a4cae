import type { IncomingMessage } from 'node:http';

/** How the server has its requests traced, by whatever does so (src/telemetry). */
export interface RequestTracer {
  begin(request: IncomingMessage): RequestTrace;
}

/** The trace of one request. */
export interface RequestTrace {
  /** 32 hexadecimal digits: the caller's own where it takes part in a trace. */
  readonly traceId: string;
  /** Runs what answers the request: all that is done within belongs to its trace. */
  run(work: () => void): void;
  /** To be called once; a trace that never ends is nowhere to be seen. */
  end(outcome: RequestOutcome): void;
}

export interface RequestOutcome {
  readonly requestId: string;
  readonly method: string;
  /** The template of the path, undefined where none matched. */
  readonly route: string | undefined;
  /** 499: the client left. */
  readonly status: number;
  /** Of the problem that was answered. */
  readonly code: string | undefined;
}
