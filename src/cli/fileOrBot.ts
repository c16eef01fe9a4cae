import type { Command } from 'commander';
import { usageError } from './connect.js';
import type { Context } from './io.js';
import type { ReadingOptions } from './readInput.js';

/** A verb, and what it makes of a file: "check", "checked". */
export interface Deed {
  readonly verb: string;
  readonly done: string;
}

/** Ends a command that works on a file, or on a bot of a server, where it is not clear which of the two. */
export function requireFileOrBot(
  command: Command,
  file: string | undefined,
  { bot, format, language }: ReadingOptions & { readonly bot?: string },
  { io }: Context,
  { verb, done }: Deed,
): void {
  if (file !== undefined) {
    if (bot !== undefined || command.getOptionValueSource('url') === 'cli') {
      usageError(command, `a file is ${done} without a server: name either a file, or --bot`);
    }
    return;
  }
  if ((format ?? language) !== undefined) usageError(command, '--format and --language are for a file');
  if ((bot ?? io.env['KSHOT_BOT'] ?? '') === '') {
    usageError(command, `${verb} what? Name a file, or say --bot NAME`);
  }
}
