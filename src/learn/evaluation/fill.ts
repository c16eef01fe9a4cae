import { KshotError } from '../../errors.js';
import { cellKey } from './cell.js';
import type { Evaluator, Measured } from './evaluator.js';
import { findHead } from './evaluatedHead.js';
import type { Report } from './episodic.js';
import { type BenchmarkPlan, fillSet, type RowPlan, settingsOf, variantOf } from './plan.js';
import type { Setting } from './protocol.js';
import { type ResultStore, settingId } from './resultStore.js';
import { readTraining } from './training.js';

/** An encoder, and what evaluates on what it embeds. */
export interface EncoderBench {
  readonly evaluator: Pick<Evaluator, 'dimensionOf' | 'evaluate'>;
  /** Fingerprint of what makes the embeddings of a setting. */
  fingerprintOf(setting: Setting): Promise<string>;
  /** Tells calibrations apart; absent without one. */
  readonly calibration?: string | undefined;
}

export interface FillOptions {
  /**
   * @param encoder and @param calibration as the plan names them, the set filled in.
   * @param trained whether the encoder is a row's own, among the checkpoints.
   */
  bench(encoder: string, calibration: string | undefined, trained: boolean): Promise<EncoderBench>;
  /** The folder of a checkpoint, or the name of a head that has none, from a row's `heads`. */
  locate(head: string): string;
  /** Which rows are looked at; the cells of others stay as they are. Default: all. */
  wanted?(row: RowPlan): boolean;
  /** Told of each cell that is evaluated. */
  progress?(label: string): { update: Report; stop(): void };
  /** Told of each cell that was evaluated, and how long it took. */
  inform(message: string): void;
  /** Told of an encoder, calibration or checkpoint that is absent or of no use; throws where that shall be the end. */
  missing(error: KshotError): void;
}

/**
 * Evaluates the cells of a benchmark that the store does not hold, and stores each as soon as it is there. A checkpoint that is
 * absent leaves what is stored of it as it is.
 *
 * @throws KshotError what reading sets and opening encoders throws.
 */
export async function fillBenchmark(
  plan: BenchmarkPlan,
  store: ResultStore,
  options: FillOptions,
): Promise<void> {
  for (const setting of settingsOf(plan)) {
    for (const row of plan.rows) {
      if (options.wanted?.(row) === false) continue;
      const calibration =
        plan.calibration === undefined || !row.calibrated ? undefined : fillSet(plan.calibration, setting);
      for (const head of row.heads) {
        const sought =
          row.encoder === undefined
            ? options.bench(fillSet(plan.encoder, setting), calibration, false)
            : opened(
                options.bench(fillSet(row.encoder.replaceAll('{head}', head), setting), undefined, true),
                setting,
              );
        const bench = await found(sought, options);
        if (bench !== undefined) await fillCell(setting, row, head, bench, store, options);
      }
    }
  }
}

async function fillCell(
  setting: Setting,
  row: RowPlan,
  head: string,
  bench: EncoderBench,
  store: ResultStore,
  options: FillOptions,
): Promise<void> {
  const { protocol } = setting;
  const slot = { setting: settingId(setting), row: row.name, head };
  const encoder = await bench.fingerprintOf(setting);
  const evaluable = await found(findHead(options.locate(fillSet(head, setting)), encoder), options);
  if (evaluable === undefined) return;
  const variant = variantOf(row);
  const judged = protocol.kind === 'intents' || protocol.kind === 'out-of-scope';
  const key = cellKey({
    protocol,
    variant,
    encoder,
    head: evaluable.identity,
    calibration: judged ? bench.calibration : undefined,
  });
  if (store.get(slot)?.key === key) return;

  const label = `${slot.setting}: ${row.name}`;
  const evaluated = evaluable.open(await bench.evaluator.dimensionOf(protocol, variant));
  const bar = options.progress?.(label);
  const start = performance.now();
  let measured: Measured;
  try {
    measured = await bench.evaluator.evaluate(
      evaluated,
      protocol,
      variant,
      bar && ((done, total) => bar.update(done, total)),
    );
  } finally {
    evaluated.dispose();
    bar?.stop();
  }
  options.inform(`${label}: ${measured.unsupported ?? timeOf(measured, performance.now() - start)}`);
  const { metadata } = evaluable;
  const training = metadata === undefined ? {} : { training: readTraining(evaluable.identity, metadata) };
  await store.put(slot, { key, protocol, ...training, ...measured });
}

/** A row's own encoder may not have been trained: that leaves the row out, where without the benchmark's there is nothing to do. */
async function opened(sought: Promise<EncoderBench>, setting: Setting): Promise<EncoderBench> {
  const bench = await sought;
  await bench.fingerprintOf(setting);
  return bench;
}

/** What was looked for, or undefined where it is absent or of no use, which is said. */
async function found<T>(sought: Promise<T>, options: Pick<FillOptions, 'missing'>): Promise<T | undefined> {
  try {
    return await sought;
  } catch (error) {
    if (!(error instanceof KshotError)) throw error;
    options.missing(error);
    return undefined;
  }
}

/** "8.2 s, 8.2 ms an episode", as far as there are such. */
function timeOf({ strata = {} }: Measured, milliseconds: number): string {
  const units = Object.values(strata).reduce((sum, { hits }) => sum + hits.length, 0);
  return `${(milliseconds / 1000).toFixed(1)} s, ${(milliseconds / units).toFixed(2)} ms a unit`;
}
