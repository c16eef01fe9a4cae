/**
 * The errors of the domain. A code is stable: clients may branch on it. How a code becomes an HTTP status is
 * written down once, in src/http/problem.ts.
 */
export type ErrorCode =
  /** The request is malformed; `fields` says where. */
  | 'invalid_request'
  /** A configuration value is wrong or two of them contradict each other. */
  | 'invalid_configuration'
  /** A file to import cannot be read as what it claims to be. */
  | 'invalid_file'
  | 'unknown_bot'
  | 'unknown_intent'
  | 'unknown_example'
  /** There is no unlabelled text of that id. */
  | 'unknown_text'
  /** The bot has an intent of that name already. */
  | 'intent_exists'
  | 'unknown_evaluation'
  | 'unknown_job'
  /** Of a bot that has too few examples, or a test set without texts. */
  | 'nothing_to_evaluate'
  /** There is no other evaluation to compare with, or one of the two is not done. */
  | 'nothing_to_compare'
  | 'unknown_version'
  | 'unknown_alias'
  /** There is a version of that name, and it holds another revision of the bot. */
  | 'version_exists'
  /** An alias points at the version. */
  | 'version_in_use'
  /** A version has the name that an alias is to have, or the other way round. */
  | 'name_taken'
  /** An alias has pointed at no other version before. */
  | 'nothing_to_roll_back'
  /** An API key is missing or wrong. */
  | 'unauthorized'
  /** The API key is valid but may not write, or not touch that bot. */
  | 'forbidden'
  /** The API key has sent more requests than its rate allows; `retryAfterMs` says when to come back. */
  | 'rate_limited'
  | 'unknown_key'
  /** Keys would be in force, and none of them could manage keys. */
  | 'no_managing_key'
  /** There are as many API keys in force as may be. */
  | 'too_many_keys'
  /** More work is queued than the server admits; `retryAfterMs` says when to come back. */
  | 'overloaded'
  /** The server starts or stops. */
  | 'not_ready'
  /** The client went away, or cancelled, before the work was done. */
  | 'cancelled'
  /** The encoder's files are absent or wrong. */
  | 'encoder_unavailable'
  /** The head asked for cannot be served here: its checkpoint is damaged, or was made for another encoder. */
  | 'head_unavailable'
  /** The device asked for cannot be had here. */
  | 'device_unavailable'
  /** A process that worked for this one was killed: by the system for want of memory, most likely. */
  | 'process_killed'
  /** Another process has the store open. */
  | 'store_in_use'
  /** The store cannot be read or written. */
  | 'store_unavailable'
  /** This process has not taken in the revision that was asked for; another one wrote it, or nobody has. */
  | 'revision_unavailable';

/** What goes wrong before the domain is reached, and so has no ErrorCode. */
export type TransportCode =
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'header_too_large'
  | 'internal_error';

/** All that a client may be told. */
export type ProblemCode = ErrorCode | TransportCode;

/** One offending place of a request: a JSON path such as `texts.3` and what is wrong with it. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export interface ErrorDetails {
  readonly fields?: readonly FieldProblem[];
  /** When to try again, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Every error that kshot throws on purpose. The message says what to do about it. */
export class KshotError extends Error {
  override readonly name = 'KshotError';
  readonly fields: readonly FieldProblem[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.fields = details.fields;
    this.retryAfterMs = details.retryAfterMs;
  }
}
