import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { KshotError } from '../errors.js';
import { writeWhole } from './checkpoint.js';
import { type Sharpness, UNCALIBRATED } from './temperature.js';

// The calibration that was trained over episodes (npm run calibrate), as a file: the detector of what is out of scope, and
// the temperatures of the heads.

const weight = z.number();
/** Coming nearer never makes a text less in scope. */
const rising = z.number().nonnegative();
const ofIntent = { prototype: rising, best: rising, expected: weight, named: weight };
const rises = (weights: { prototype: number; best: number }) => weights.prototype + weights.best > 0;
const flat = { error: 'prototype and best are both 0: every text would be judged alike' };

const calibrationSchema = z.strictObject({
  format: z.literal(1),
  /** Fingerprint of the encoder that it is for; absent where nobody has said. */
  encoder: z.string().optional(),
  scope: z.strictObject({
    cohesion: z.number().min(0).max(1),
    fitted: z
      .strictObject({ ...ofIntent, inside: weight, outside: weight, bias: weight })
      .refine(rises, flat),
    default: z.strictObject({ ...ofIntent, lnIntents: weight, bias: weight }).refine(rises, flat),
  }),
  /** By the name of the head. */
  sharpness: z.record(
    z.string(),
    z.strictObject({
      base: z.number().positive(),
      lnIntents: z.number().nonnegative(),
      lnRows: z.number().nonnegative(),
    }),
  ),
  training: z.strictObject({
    /** Sets, and the encoder that each was embedded by. */
    data: z.array(z.string()),
    seed: z.int(),
    /** Bots that the detector was trained on, of all sets together. */
    episodes: z.int().positive(),
    /** What a query in scope weighs in the fit, against one out of scope. */
    inScopeWeight: z.number().positive(),
  }),
  /** What was measured, leaving one set out. */
  results: z.record(z.string(), z.json()),
});

/** How kshot's scores become probabilities, wherever a bot's own examples do not tell. */
export type Calibration = Omit<z.infer<typeof calibrationSchema>, 'format'>;

/** What serving needs of it. */
export type CalibrationModel = Pick<Calibration, 'scope' | 'sharpness'>;

/** The sharpness of a head; of one that was not calibrated, that of logits as they are. */
export function sharpnessOf({ sharpness }: Pick<Calibration, 'sharpness'>, head: string): Sharpness {
  return (Object.hasOwn(sharpness, head) ? sharpness[head] : undefined) ?? UNCALIBRATED;
}

/**
 * @throws KshotError `invalid_file` where there is none, or it is not as `writeCalibration` writes it.
 */
export async function readCalibration(file: string): Promise<Calibration> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new KshotError('invalid_file', `The calibration ${file} cannot be read.`, { cause });
  }
  try {
    const { format: _format, ...calibration } = calibrationSchema.parse(JSON.parse(text));
    return calibration;
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is no JSON';
    throw new KshotError(
      'invalid_file',
      `${file} is no calibration: ${reason}. Restore it, or train it again with npm run calibrate.`,
      { cause },
    );
  }
}

/** Writes a calibration, whole or not at all. @throws the file system's error. */
export async function writeCalibration(file: string, calibration: Calibration): Promise<void> {
  const stored = calibrationSchema.parse({ format: 1, ...calibration });
  await writeWhole(file, `${JSON.stringify(stored, null, 2)}\n`);
}
