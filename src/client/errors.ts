import type { FieldProblem, ProblemCode } from '../errors.js';

/** Every error that the client throws on purpose; by itself, one of calls that cannot be made. No message holds the API key. */
export class KshotClientError extends Error {
  override readonly name: string = 'KshotClientError';
}

/** No answer came: nobody listens there, or the connection broke. */
export class KshotConnectionError extends KshotClientError {
  override readonly name: string = 'KshotConnectionError';
}

/** No whole answer came in time. What was asked for may have been done, or be done yet. */
export class KshotTimeoutError extends KshotConnectionError {
  override readonly name = 'KshotTimeoutError';
}

export interface ApiErrorDetails {
  /** The HTTP status. */
  readonly status: number;
  /** What to branch on; a newer server may have others, and what is no kshot has none. */
  readonly code: ProblemCode | (string & {}) | undefined;
  /** What is the matter and what to do, in the server's words. */
  readonly detail: string;
  /** The offending places of the request. */
  readonly fields: readonly FieldProblem[];
  /** Finds the request in the server's log. */
  readonly requestId: string | undefined;
  /** How long the server wants to be left alone, in ms; undefined where it did not say. */
  readonly retryAfterMs: number | undefined;
}

/** The server refused. The message is its detail, with the offending places. */
export class KshotApiError extends KshotClientError implements ApiErrorDetails {
  override readonly name = 'KshotApiError';
  readonly status: number;
  readonly code: ApiErrorDetails['code'];
  readonly detail: string;
  readonly fields: readonly FieldProblem[];
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(details: ApiErrorDetails) {
    super(messageOf(details));
    this.status = details.status;
    this.code = details.code;
    this.detail = details.detail;
    this.fields = details.fields;
    this.requestId = details.requestId;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The most places that a message names. */
const FIELDS_NAMED = 3;

function messageOf({ detail, fields }: ApiErrorDetails): string {
  // The detail tells the first place, mostly; say it again only where it does not.
  const further = fields.filter(
    ({ field, message }) => !(detail.includes(field) && detail.includes(message)),
  );
  const named = further.slice(0, FIELDS_NAMED).map(({ field, message }) => `${field} ${message}`);
  if (further.length > FIELDS_NAMED) named.push(`${further.length - FIELDS_NAMED} more`);
  return named.length === 0 ? detail : `${detail} (${named.join('; ')})`;
}
