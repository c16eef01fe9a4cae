import { z } from 'zod';
import { DETECTORS, type Variant } from './cell.js';
import { BENCHMARK_NAMES, type Setting, type SettingOptions, standardSettings } from './protocol.js';

const row = z.strictObject({
  /** How tables and charts call it. */
  name: z.string(),
  /**
   * Runs: names of heads that learn nothing offline, or folders of checkpoints, one for each seed. `{set}` stands for the
   * setting's set.
   */
  heads: z.array(z.string()).min(1),
  /**
   * Folder of an encoder that was trained with the head, instead of the benchmark's; among the checkpoints. `{head}` stands for
   * the run, `{set}` for the setting's set.
   */
  encoder: z.string().optional(),
  /** For relations: whether the encoder was trained with marks around the entities. */
  marked: z.boolean().default(false),
  /** Whether class names are support rows, where the protocol shows names. Default: yes, as the server has it. */
  nameRows: z.boolean().default(true),
  /** What decides on scope. Default: the head's own confidence. */
  detector: z.enum(DETECTORS).default('confidence'),
  /** Whether the benchmark's calibration has a temperature of the head; logits are taken as they are if not. */
  calibrated: z.boolean().default(true),
});

const published = z.strictObject({
  name: z.string(),
  /** Percent, by setting (`settingId`). */
  figures: z.record(z.string(), z.number()),
  source: z.string(),
});

const benchmark = z.strictObject({
  benchmark: z.enum(BENCHMARK_NAMES),
  title: z.string(),
  /** What there is to say about data and protocol: Markdown. */
  about: z.string(),
  /** Folder of the encoder; `{set}` as above. */
  encoder: z.string(),
  /** File of the calibration (src/heads/calibration.ts); logits are taken as they are without one. */
  calibration: z.string().optional(),
  /** What the encoder had seen. */
  encoderSeen: z.string(),
  options: z
    .strictObject({
      sets: z.array(z.string()).optional(),
      split: z.string().optional(),
      episodes: z.int().positive().optional(),
      draws: z.int().positive().optional(),
      seed: z.int().optional(),
      entities: z.boolean().optional(),
    })
    .default({}),
  rows: z.array(row),
  /** Rows that the others are compared with, on the same queries; the first is the untrained baseline. */
  baselines: z.array(z.string()),
  published: z.array(published).default([]),
  /** The row whose confusions are shown, and whose reliability stands beside that of the baselines. */
  featured: z.string().optional(),
});

export const planSchema = z.strictObject({ benchmarks: z.array(benchmark) });

export type Plan = z.infer<typeof planSchema>;
export type BenchmarkPlan = z.infer<typeof benchmark>;
export type RowPlan = z.infer<typeof row>;

export function settingsOf({ benchmark, options }: BenchmarkPlan): Setting[] {
  return standardSettings(benchmark, options satisfies SettingOptions);
}

/** `{set}` filled in. */
export function fillSet(pattern: string, { protocol }: Setting): string {
  return pattern.replaceAll('{set}', 'set' in protocol ? protocol.set : protocol.kind);
}

export function variantOf({ nameRows, detector, marked }: RowPlan): Variant {
  return { nameRows, detector, marked };
}
