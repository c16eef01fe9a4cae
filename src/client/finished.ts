import type { CallOptions, Transport } from './transport.js';

const DEFAULT_INTERVAL_MS = 1000;

export interface FinishedOptions<T> extends CallOptions {
  /** Told of every look at what is not over. */
  readonly onProgress?: ((seen: T) => void) | undefined;
  /** Between two looks; default 1 s. */
  readonly intervalMs?: number | undefined;
}

/** Whether an evaluation or a job has ended, however it did: it neither waits for its turn nor runs. */
export function isOver({ status }: { readonly status: string }): boolean {
  return status !== 'queued' && status !== 'running';
}

/** Looks again and again, until it is over. */
export async function finished<T extends { readonly status: string }>(
  look: (options: CallOptions) => Promise<T>,
  transport: Transport,
  { onProgress, intervalMs = DEFAULT_INTERVAL_MS, ...options }: FinishedOptions<T> = {},
): Promise<T> {
  for (;;) {
    const seen = await look(options);
    if (isOver(seen)) return seen;
    onProgress?.(seen);
    await transport.sleep(intervalMs, options.signal);
  }
}
