import { defaultHead } from '../classify/headList.js';
import type { Settings } from '../config.js';
import { loadEncoder, modelFolder } from '../encoder/load.js';
import { type ModelFile, modelFiles } from '../encoder/modelFiles.js';
import { readCalibration } from '../heads/calibration.js';
import { HeadLibrary } from '../heads/library.js';
import { initHeads } from '../heads/runtime.js';
import { calibrationFile, encoderOptions, headsDirectory } from '../serve.js';

/** A trained head beside an encoder. */
export interface HeadFit {
  readonly name: string;
  /** Whether it can be served. */
  readonly fits: boolean;
  /** Fingerprint of the encoder that it was trained for, as far as it can be read. */
  readonly encoder: string | undefined;
  /** Why it cannot be served. */
  readonly problem: string | undefined;
}

export interface CalibrationFit {
  readonly file: string;
  /** Fingerprint of the encoder that it was made for; undefined where it does not say. */
  readonly encoder: string | undefined;
  readonly fits: boolean | undefined;
}

/** What was trained offline, and whether it fits an encoder. */
export interface EncoderFit {
  /** By name. */
  readonly heads: readonly HeadFit[];
  /** Of bots that choose none. */
  readonly defaultHead: string;
  readonly calibration: CalibrationFit;
}

/**
 * What a server would make of the heads and the calibration of these settings with an encoder.
 *
 * @throws KshotError `invalid_configuration` where the folder of heads cannot be read, `invalid_file` of `readCalibration`.
 */
export async function fitOf(
  settings: Settings,
  encoder: { readonly fingerprint: string; readonly dimension: number },
): Promise<EncoderFit> {
  const file = calibrationFile(settings);
  const calibration = await readCalibration(file);
  await initHeads();
  const library = new HeadLibrary({ directory: headsDirectory(settings).headsDirectory, encoder });
  try {
    await library.reload();
    const trained = library.entries.filter(({ kind }) => kind === 'trained');
    return {
      heads: trained.map(({ name, version, problem, metadata }) => ({
        name,
        fits: version !== undefined,
        encoder: metadata?.encoder,
        problem: problem?.message,
      })),
      defaultHead: defaultHead(library),
      calibration: {
        file,
        encoder: calibration.encoder,
        fits: calibration.encoder === undefined ? undefined : calibration.encoder === encoder.fingerprint,
      },
    };
  } finally {
    library.dispose();
  }
}

/** An encoder, and what was trained for it. */
export interface EncoderReport {
  readonly name: string;
  readonly folder: string;
  readonly fingerprint: string;
  readonly dimension: number;
  readonly maxTokens: number;
  readonly device: string;
  readonly files: readonly ModelFile[];
  readonly fit: EncoderFit;
}

/**
 * Loads the encoder that a server would load with these settings, and looks at it.
 *
 * @param warn told of what an operator should know of it.
 * @throws KshotError of `loadEncoder` and `fitOf`.
 */
export async function reportEncoder(
  settings: Settings,
  warn: (message: string) => void,
): Promise<EncoderReport> {
  const options = encoderOptions(settings);
  const encoder = await loadEncoder({ ...options, warn });
  try {
    const { name, fingerprint, dimension, maxTokens, device } = encoder;
    const folder = await modelFolder(options);
    const files = await modelFiles(folder);
    const fit = await fitOf(settings, encoder);
    return { name, folder, fingerprint, dimension, maxTokens, device, files, fit };
  } finally {
    await encoder.close();
  }
}
