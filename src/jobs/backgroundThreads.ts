import { availableParallelism } from 'node:os';

/**
 * Threads of a forward pass that no request waits for: half of what there is, so that requests have the other half.
 *
 * @param threads what the operator has set for a forward pass; 0 or undefined for nothing.
 */
export function backgroundThreads(threads: number | undefined): number {
  const half = Math.max(1, Math.floor(availableParallelism() / 2));
  return Math.min(threads || half, half);
}
