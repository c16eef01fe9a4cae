import { Option, type Command } from 'commander';
import { type FileReading, IMPORT_FORMATS, type ImportFormat } from '../formats/formats.js';
import { readBotBounded } from '../formats/readBounded.js';
import { readBounded, readBytes, readOptions } from './importExport.js';
import type { Context } from './io.js';

/** How a file is read whose content does not tell, or that holds several languages. */
export interface ReadingOptions {
  readonly format?: ImportFormat;
  readonly language?: string;
}

/** @returns the command. */
export function addReadingOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <name>', 'read the file as this').choices(IMPORT_FORMATS))
    .option('--language <tag>', "the language to read of a file in several (default: the agent's own)");
}

/** @throws KshotError `invalid_file`: file, place and what to do. */
export async function readInput(
  file: string,
  { format, language }: ReadingOptions,
  { io }: Context,
): Promise<FileReading> {
  const override = {
    ...(format === undefined ? {} : { format }),
    ...(language === undefined ? {} : { language }),
  };
  if (file !== '-') return readBotBounded(await readBytes(file), { ...readOptions(file), ...override });
  return readBotBounded(await readBounded(io.stdin), { ...override, file: 'standard input' });
}
