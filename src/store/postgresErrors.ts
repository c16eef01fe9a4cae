import { KshotError } from '../errors.js';

/** What to do about a failure, by the beginning of its code: an SQLSTATE, or the network's. */
const REMEDIES: readonly (readonly [codes: readonly string[], remedy: string])[] = [
  [
    ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'],
    'the server cannot be reached: check that it runs, and where',
  ],
  [['ENOTFOUND', 'EAI_AGAIN'], 'the host name has no address: check it'],
  [
    ['ETIMEDOUT', 'ECONNRESET', 'EPIPE', 'ECONNABORTED', '08', '57P'],
    'the connection was lost, and is tried again; a write that was under way may have been kept or not: ask, or write it again',
  ],
  [['28'], 'the server refuses this user: check name, password and pg_hba.conf'],
  [['3D000'], 'there is no such database: create it, or name another'],
  [['42501', '3F000'], 'the user may not do this: let it own the database, or a schema of its own'],
  [['25006'], 'the server takes no writes, as a standby does: name the primary'],
  [['53100'], 'its disk is full: free some space; nothing of this write was kept'],
  [['53300'], 'the server has too many connections: allow it more, or kshot fewer (--store-connections)'],
  [['53', '54'], 'the server ran into a limit of its own; nothing of this write was kept'],
  [
    ['55P03', '57014', '40'],
    'others kept what was needed locked for too long; nothing of this write was kept: try again',
  ],
  [['58', 'XX001', 'XX002'], 'its files are damaged, or its disk fails: look into its log'],
];

/** The driver's own errors, which have no code. */
const LOST =
  /Connection terminated|Client has encountered a connection error|not queryable|timeout (exceeded|expired)|read timeout|server does not support SSL/i;

/** What is known of an error. Read by shape: the driver and the network may have an error class of their own. */
interface Failure {
  readonly message: string;
  readonly code: string;
}

/**
 * What an error that came up while using the store `location` is to be thrown as: KshotError `store_unavailable`, with the
 * cause and what to do, for what can go wrong with servers and networks; anything else as it is, because a failed
 * constraint or a wrong statement is a fault of ours and must not look like the operator's.
 */
export function asStoreFailure(error: unknown, location: string): unknown {
  if (error instanceof KshotError) return error;
  const { message, code } = failureOf(error);
  const looked = code || (LOST.test(message) ? 'ETIMEDOUT' : '');
  const remedy = REMEDIES.find(([codes]) => codes.some((known) => looked.startsWith(known)))?.[1];
  if (remedy === undefined) return error;
  const said = code === '' || message.includes(code) ? message : `${code}: ${message}`;
  return new KshotError('store_unavailable', `Store ${location}: ${remedy} (${said})`, { cause: error });
}

/** Whether two transactions got into each other's way: the one that was undone may be tried again. */
export function isConflict(error: unknown): boolean {
  return ['40001', '40P01'].includes(failureOf(error).code);
}

function failureOf(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return { message: '', code: '' };
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // Where a name has several addresses, each has failed.
  if (message === '' && 'errors' in error && Array.isArray(error.errors)) return failureOf(error.errors[0]);
  return { message, code };
}
