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

/**
 * What an error that came up while using the store `location` is to be thrown as: KshotError `store_unavailable`, with the
 * cause and what to do, for what can go wrong with servers and networks; anything else as it is, because a failed
 * constraint or a wrong statement is a fault of ours and must not look like the operator's.
 */
export function asStoreFailure(error: unknown, location: string): unknown {
  if (error instanceof KshotError || !(error instanceof Error)) return error;
  const remedy = remedyFor(error);
  if (remedy === undefined) return error;
  return new KshotError('store_unavailable', `Store ${location}: ${remedy} (${describe(error)})`, {
    cause: error,
  });
}

/** Whether two transactions got into each other's way: the one that was undone may be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && ['40001', '40P01'].includes(codeOf(error));
}

function remedyFor(error: Error): string | undefined {
  const code = codeOf(error) || (LOST.test(error.message) ? 'ETIMEDOUT' : '');
  return REMEDIES.find(([codes]) => codes.some((known) => code.startsWith(known)))?.[1];
}

/** Of several addresses that were tried, the first one's. */
function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? codeOf(first) : '';
}

function describe(error: Error): string {
  const code = codeOf(error);
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const message = error.message || (first instanceof Error ? first.message : '');
  return code === '' || message.includes(code) ? message : `${code}: ${message}`;
}
