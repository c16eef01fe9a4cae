import { Presets, SingleBar } from 'cli-progress';
import type { Output } from './io.js';

export interface Progress {
  /**
   * @param done of the total.
   * @param note what else there is to say; stands behind the bar.
   */
  update(done: number, note?: string): void;
  stop(): void;
}

/** A progress bar on a terminal, nothing elsewhere. */
export function startProgress(output: Output, label: string, total: number): Progress {
  if (output.isTTY !== true) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    {
      format: `${label} {bar} {value}/{total}, {eta_formatted} left{note}`,
      stream: output,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(done, { note: note === '' ? '' : ` | ${note}` }),
    stop: () => bar.stop(),
  };
}

/** A bar for work that may turn out to be none: it is shown when some is left, and goes when all is done. */
export function lateProgress(output: Output, label: string): (done: number, total: number) => void {
  let bar: Progress | undefined;
  return (done, total) => {
    if (done >= total) return bar?.stop();
    bar ??= startProgress(output, label, total);
    bar.update(done);
  };
}
