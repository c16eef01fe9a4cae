import { writeFile } from 'node:fs/promises';
import { KshotError } from '../errors.js';
import { isSystemError, systemReason } from './importExport.js';

/** Writes a file, or replaces it. @throws KshotError `invalid_file`: file and reason. */
export async function writeOutput(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const message = `${file} cannot be written: ${systemReason(error)}`;
    throw new KshotError('invalid_file', message, { cause: error });
  }
}
