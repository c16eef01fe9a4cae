import { createHash } from 'node:crypto';
import { startProgress } from '../../src/cli/progress.js';
import type { Settings } from '../../src/config.js';
import { type CalibrationModel, readCalibration } from '../../src/heads/calibration.js';
import { EmbeddingCache } from '../../src/learn/embeddingCache.js';
import { Evaluator } from '../../src/learn/evaluation/evaluator.js';
import type { EncoderBench, FillOptions } from '../../src/learn/evaluation/fill.js';
import type { SetLoader } from '../../src/learn/setLoader.js';
import { openSetLoader, type SetFlags } from '../sets.js';

/** Encoders, opened when they are first needed, and what evaluates on their embeddings. */
export class Benches {
  readonly #cache: EmbeddingCache;
  readonly #loaders: SetLoader[] = [];
  readonly #benches = new Map<string, Promise<EncoderBench>>();

  constructor(
    private readonly flags: SetFlags,
    private readonly settings: Settings,
  ) {
    this.#cache = new EmbeddingCache(flags.cache);
  }

  /**
   * @param model folder or hub id of an encoder.
   * @param calibration a file.
   * @throws KshotError `invalid_file` for a calibration that cannot be read.
   */
  of(model: string, calibration: string | undefined): Promise<EncoderBench> {
    const key = JSON.stringify([model, calibration]);
    const bench = this.#benches.get(key) ?? this.#open(model, calibration);
    this.#benches.set(key, bench);
    return bench;
  }

  async #open(model: string, file: string | undefined): Promise<EncoderBench> {
    const calibration = file === undefined ? undefined : await readCalibration(file);
    const loader = openSetLoader(model, this.flags, this.#cache, this.settings);
    this.#loaders.push(loader);
    return {
      evaluator: new Evaluator({ loader, root: this.flags.datasets, calibration }),
      fingerprintOf: async ({ protocol }) => {
        const entities = protocol.kind === 'episodes' && protocol.entities;
        const spec = 'set' in protocol && entities ? { set: protocol.set, entities } : undefined;
        return (await loader.encoderOf(spec)).fingerprint;
      },
      calibration: calibration && digest(calibration),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#loaders.map((loader) => loader.close()));
    this.#cache.close();
  }
}

/** Of what evaluation takes from a calibration. */
function digest({ scope, sharpness }: CalibrationModel): string {
  return createHash('sha256').update(JSON.stringify({ scope, sharpness })).digest('hex');
}

/** A progress bar for each cell, and a line for each that is done. */
export const reporting: Pick<FillOptions, 'progress' | 'inform'> = {
  progress: (label) => {
    let bar: ReturnType<typeof startProgress> | undefined;
    return {
      update: (done, total) => {
        bar ??= startProgress(process.stderr, label, total);
        bar.update(done);
      },
      stop: () => bar?.stop(),
    };
  },
  inform: (message) => process.stderr.write(`${message}\n`),
};
