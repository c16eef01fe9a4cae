import type { z } from 'zod';
import { type FieldProblem, KshotError, type ProblemCode, type TransportCode } from '../errors.js';

export type { ProblemCode };

/** A request that cannot be served for a reason of transport; the counterpart of KshotError. */
export class TransportError extends Error {
  override readonly name = 'TransportError';

  constructor(
    readonly code: TransportCode,
    message: string,
    /** Headers that the answer must carry, such as Allow. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** The one table from codes to HTTP. The titles are for people and do not vary with the occurrence (RFC 9457). */
export const PROBLEMS: Readonly<Record<ProblemCode, { readonly status: number; readonly title: string }>> = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_file: { status: 400, title: 'The file cannot be read' },
  unauthorized: { status: 401, title: 'An API key is needed' },
  forbidden: { status: 403, title: 'The API key may not do this' },
  not_found: { status: 404, title: 'There is nothing at this path' },
  unknown_bot: { status: 404, title: 'There is no such bot' },
  unknown_intent: { status: 404, title: 'There is no such intent' },
  unknown_example: { status: 404, title: 'There is no such example' },
  unknown_text: { status: 404, title: 'There is no such unlabelled text' },
  unknown_evaluation: { status: 404, title: 'There is no such evaluation' },
  unknown_job: { status: 404, title: 'There is no such job' },
  unknown_version: { status: 404, title: 'There is no such version' },
  unknown_alias: { status: 404, title: 'There is no such alias' },
  unknown_key: { status: 404, title: 'There is no such API key' },
  method_not_allowed: { status: 405, title: 'The path does not know this method' },
  request_timeout: { status: 408, title: 'The request did not arrive in time' },
  head_unavailable: { status: 409, title: 'The head cannot be served' },
  intent_exists: { status: 409, title: 'The bot has an intent of that name' },
  nothing_to_evaluate: { status: 409, title: 'There is nothing to evaluate' },
  nothing_to_compare: { status: 409, title: 'There is nothing to compare with' },
  version_exists: { status: 409, title: 'The version exists and is another' },
  version_in_use: { status: 409, title: 'An alias points at the version' },
  name_taken: { status: 409, title: 'The name is taken' },
  nothing_to_roll_back: { status: 409, title: 'The alias has pointed nowhere else' },
  no_managing_key: { status: 409, title: 'No API key could manage keys' },
  too_many_keys: { status: 409, title: 'There are too many API keys' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is of a type that is not taken here' },
  rate_limited: { status: 429, title: 'The API key has used up its rate' },
  header_too_large: { status: 431, title: 'The address or the headers are too long' },
  // No client waits for this one; it is what logs and metrics count.
  cancelled: { status: 499, title: 'The client went away' },
  internal_error: { status: 500, title: 'The server failed' },
  invalid_configuration: { status: 500, title: 'The server is configured wrongly' },
  process_killed: { status: 500, title: 'A process of the server was killed' },
  overloaded: { status: 503, title: 'The server is busy' },
  not_ready: { status: 503, title: 'The server is starting or stopping' },
  encoder_unavailable: { status: 503, title: 'The encoder is not available' },
  device_unavailable: { status: 503, title: 'The device is not available' },
  store_in_use: { status: 503, title: 'The store is in use' },
  store_unavailable: { status: 503, title: 'The store is not available' },
  revision_unavailable: { status: 503, title: 'The revision is not here yet' },
};

/** The body of an error, `application/problem+json` (RFC 9457). */
export interface Problem {
  /** A reference to the code's entry in the docs page. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable; what clients branch on. */
  readonly code: ProblemCode;
  /** Every offending place of the request. */
  readonly errors?: readonly FieldProblem[];
  readonly request_id: string;
}

/** An error in the words of another service. The status is the problem's. */
export interface ErrorShape {
  readonly schema: z.ZodType;
  readonly body: (problem: Problem) => unknown;
  readonly headers?: (problem: Problem) => Readonly<Record<string, string>>;
}

export interface ProblemResponse {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** Set where the error is none of ours: a bug, to be logged whole; the client learns nothing of it. */
  readonly unexpected?: unknown;
}

/** Without word from the error, a client should wait this long before it tries again. */
const RETRY_AFTER_MS = 1000;

/** Turns whatever was thrown into an answer. Nothing of an unexpected error is shown to the client. */
export function problemResponse(error: unknown, requestId: string): ProblemResponse {
  if (error instanceof TransportError) {
    return { problem: problem(error.code, error.message, requestId), headers: error.headers };
  }
  if (!(error instanceof KshotError)) {
    const detail = `The server failed; its log has more under the request id ${requestId}`;
    return { problem: problem('internal_error', detail, requestId), headers: {}, unexpected: error };
  }
  const answer = problem(error.code, error.message, requestId, error.fields);
  const headers: Record<string, string> = {};
  if (answer.status === 503 || answer.status === 429) {
    const seconds = Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1000);
    headers['retry-after'] = String(Math.max(1, seconds));
  }
  if (answer.status === 401) headers['www-authenticate'] = 'Bearer realm="kshot"';
  return { problem: answer, headers };
}

function problem(
  code: ProblemCode,
  detail: string,
  requestId: string,
  fields: readonly FieldProblem[] = [],
): Problem {
  const { status, title } = PROBLEMS[code];
  return {
    type: `/docs#${code}`,
    title,
    status,
    detail,
    code,
    ...(fields.length > 0 && { errors: fields }),
    request_id: requestId,
  };
}

/** A 400 that names one place of the request. */
export function invalidField(field: string, message: string): KshotError {
  return new KshotError('invalid_request', `${field}: ${message}`, { fields: [{ field, message }] });
}
