import { send } from '../../test/e2e/api.js';

/** Requests to the classify endpoint that a server has answered so, by the upper bound of their time in milliseconds; cumulative. */
export type Buckets = ReadonlyMap<number, number>;

/** What a server says of its own times; none where it has not answered so yet. */
export async function readBuckets(url: string, status: number): Promise<Buckets> {
  const { text } = await send(url, 'GET', '/metrics');
  const line = /^kshot_http_request_duration_seconds_bucket\{(.*)\} (\d+)$/gm;
  const buckets = new Map<number, number>();
  for (const [, labels = '', count] of text.matchAll(line)) {
    if (!labels.includes('route="/v1/bots/{bot}/classify"') || !labels.includes(`status="${status}"`))
      continue;
    const bound = /le="([^"]+)"/.exec(labels)![1]!;
    buckets.set(bound === '+Inf' ? Infinity : Number(bound) * 1000, Number(count));
  }
  return buckets;
}

/**
 * The least bound in milliseconds that the share `q` of what came between two readings has kept; NaN where nothing came.
 *
 * @param before may be empty.
 */
export function boundOf(before: Buckets, after: Buckets, q: number): number {
  const came = (bound: number) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0);
  const all = came(Infinity);
  if (all === 0) return NaN;
  return [...after.keys()].sort((a, b) => a - b).find((bound) => came(bound) >= q * all)!;
}
