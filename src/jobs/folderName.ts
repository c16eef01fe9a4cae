import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isDirectory } from '../encoder/modelDirectory.js';
import { KshotError } from '../errors.js';

// What a request names is looked up in a folder of the operator's, and cannot lie outside of it.

/** One or more plain names with slashes between: none begins with a dot, so none leads up; no drive, no root, no backslash. */
const PLAIN_PATH = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N} _.+-]*(\/[\p{L}\p{N}_][\p{L}\p{M}\p{N} _.+-]*)*$/u;

const OUTSIDE = 'must be a name, or a path of names, inside of the folder that the server was given';

export function isPlainPath(name: string): boolean {
  return PLAIN_PATH.test(name);
}

/** A name, or a path of names with slashes between, that stays inside of whatever folder it is looked up in. */
export const folderName = z.string().max(200).refine(isPlainPath, OUTSIDE);

/**
 * The folder of an encoder that a request names.
 *
 * @param encoders the folder of the setting `--encoders`.
 * @returns its absolute path.
 * @throws KshotError `invalid_configuration` where the setting is missing; `encoder_unavailable` where there is no such folder.
 */
export async function encoderFolder(encoders: string | undefined, name: string): Promise<string> {
  if (encoders === undefined) throw missingSetting(`the encoder "${name}" is to be used`, 'encoders');
  const folder = resolve(join(encoders, name));
  if (isPlainPath(name) && (await isDirectory(folder))) return folder;
  throw new KshotError(
    'encoder_unavailable',
    `there is no encoder "${name}" in the folder that --encoders (KSHOT_ENCODERS) names`,
  );
}

/** @param why what cannot be done without it. */
export function missingSetting(why: string, setting: 'datasets' | 'encoders'): KshotError {
  const flag = `--${setting} (KSHOT_${setting.toUpperCase()})`;
  return new KshotError(
    'invalid_configuration',
    `${why}, and the server was started without ${flag}, the folder in which they are`,
  );
}
