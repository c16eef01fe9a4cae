import type { z } from 'zod';
import type { ClassifyService } from '../classify/service.js';
import type { ErrorCode } from '../errors.js';
import type { Caller } from '../keys/caller.js';
import type { Access, BotScope, KeyPlaces } from './auth.js';
import type { Answer } from './exchange.js';
import type { ErrorShape } from './problem.js';

/** A status that an operation answers with when all goes well. */
export interface Success {
  readonly description: string;
  /** Of the JSON body; several where it is one of them. */
  readonly schemas?: readonly z.ZodType[];
  /** The content type where the body is no JSON. */
  readonly type?: string;
  /** The content types where there are several, whatever their schemas. */
  readonly types?: readonly string[];
}

/** A body that is a file: taken as bytes. */
export interface Upload {
  /** The content types that it may have. */
  readonly types: readonly string[];
  readonly maxBytes: number;
}

/**
 * One row of the route table: all that the server needs to serve it and the OpenAPI document to describe it, so that
 * the two cannot differ.
 */
export interface Operation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** As OpenAPI writes it: `/v1/bots/{bot}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly access: Access;
  readonly bots?: BotScope;
  /** Where a key may stand besides the usual headers. */
  readonly keyPlaces?: KeyPlaces;
  /** How errors are said where it is not as a problem: by an operation that stands in for another service's. */
  readonly errors?: ErrorShape;
  /** Schemas beside those of all operations, by the names that the OpenAPI document gives them. */
  readonly ownSchemas?: {
    readonly request: Readonly<Record<string, z.ZodType>>;
    readonly response: Readonly<Record<string, z.ZodType>>;
  };
  /** What stands in the path and after the question mark; `query` undefined takes anything there and ignores it. */
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** In the place of `body`; `run` gets the bytes. */
  readonly upload?: Upload;
  readonly success: Readonly<Record<number, Success>>;
  /** What can go wrong besides what follows from the fields above. */
  readonly problems: readonly ErrorCode[];
  /** Probes are logged at debug. */
  readonly isProbe?: boolean;
  /** Whether the operation needs the service: while there is none it is refused before its body is read. */
  readonly needsService: boolean;
  /** Whether it encodes the texts of its body: while too many wait it is refused before the body is read. */
  readonly encodes?: boolean;
  run(call: Call): Promise<Answer>;
}

/** An answer that all went well. */
export function ok(json: unknown): Answer {
  return { status: 200, json };
}

/** The answer to a write. @param isNew whether it made something that was not there. */
export function written(isNew: boolean, json: unknown): Answer {
  return { status: isNew ? 201 : 200, json };
}

/** A request whose parts have been validated. */
export interface Call {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The file of an operation that takes one; empty for others. */
  readonly bytes: Uint8Array;
  readonly caller: Caller;
  /** @throws KshotError `not_ready`. */
  readonly service: ClassifyService;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Adds fields to the request's log line. */
  readonly note: (fields: Record<string, unknown>) => void;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

interface TypedCall<P, Q, B> extends Call {
  readonly params: Output<P>;
  readonly query: Output<Q>;
  readonly body: Output<B>;
}

/** Writes a row whose `run` sees the types of its own schemas. */
export function operation<
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  row: Omit<Operation, 'bots' | 'params' | 'query' | 'body' | 'run'> & {
    readonly bots?: BotScope<Output<B>>;
    readonly params?: P;
    readonly query?: Q;
    readonly body?: B;
    run(call: TypedCall<P, Q, B>): Promise<Answer>;
  },
): Operation {
  // The server validates each part with the row's own schema before it calls run, which makes the cast true.
  return row as Operation;
}
