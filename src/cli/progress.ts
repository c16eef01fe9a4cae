import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './io.js';

export interface Progress {
  /** @param done of the total. */
  update(done: number): void;
  stop(): void;
}

/** A progress bar on a terminal, nothing elsewhere. */
export function startProgress(output: Output, label: string, total: number): Progress {
  if (output.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    { format: `${label} {bar} {value}/{total}, {eta_formatted} left`, stream: output, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    update: (done) => bar.update(done),
    stop: () => bar.stop(),
  };
}
