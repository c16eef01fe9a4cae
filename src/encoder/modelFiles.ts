import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ModelFile {
  /** Below the model's folder. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * The files of a model's folder, by path, all but the hidden ones. A link to a file is that file, as caches of the hub have
 * them; one to a folder is passed over, as it may lead anywhere.
 *
 * @throws the file system's error where the folder cannot be read.
 */
export async function modelFiles(directory: string): Promise<ModelFile[]> {
  const files: ModelFile[] = [];
  const read = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(directory, folder), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) await read(path);
      else {
        const found = await stat(join(directory, path));
        if (found.isFile()) files.push({ path, bytes: found.size });
      }
    }
  };
  await read('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}
