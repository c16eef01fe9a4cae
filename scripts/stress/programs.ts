import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first folder that has all of these programs: of PATH, then of `besides`. Undefined where none has. */
export function folderOf(programs: readonly string[], besides: readonly string[]): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter((path) => path !== ''), ...besides];
  return folders.find((folder) => programs.every((program) => existsSync(join(folder, program))));
}
