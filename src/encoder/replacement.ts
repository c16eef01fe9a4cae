import { chmod, copyFile, mkdir, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { KshotError } from '../errors.js';
import { isDirectory, readModelDirectory } from './modelDirectory.js';
import { modelFiles } from './modelFiles.js';

// An encoder's folder is replaced in two steps. The other encoder is copied beside it, which may take long and may fail. Then
// three renames: the former `<folder>.former` out of the way, the folder to `<folder>.former`, the copy to the folder.
// Between the last two there is no folder for a moment; the copy is called `<folder>.new` by then, which says that it is whole
// and is to take the place. Who finds no folder but that finishes the replacement.

const COPY = '.unfinished';
const WHOLE = '.new';
const FORMER = '.former';
const BEFORE_FORMER = '.discarded';

/** A copy that is ready to take the place of a folder. */
export interface Replacement {
  /** Where the copy is. */
  readonly directory: string;
  /** What the encoder will be called in its new place. */
  readonly name: string;
  /** Puts it in its place; what was there becomes the former one. @throws KshotError `encoder_unavailable`. */
  install(): Promise<void>;
  /** Removes it. @throws KshotError `encoder_unavailable`. */
  discard(): Promise<void>;
}

/** Where the encoder is kept that was replaced last. */
export function formerOf(folder: string): string {
  return `${resolve(folder)}${FORMER}`;
}

/**
 * Copies an encoder beside the folder that it is to replace, which has been settled. A model without a name of its own goes by its folder's, which it
 * would lose: the copy is given it.
 *
 * @param source may be the folder's former encoder.
 * @throws KshotError `encoder_unavailable` where it cannot be copied, `invalid_configuration` for a source that holds the
 *   folder, or is what a killed replacement has left.
 */
export async function copyEncoder(source: string, folder: string): Promise<Replacement> {
  const to = resolve(folder);
  const copy = to + COPY;
  await describing(to, async () => {
    await mkdir(dirname(to), { recursive: true });
    refuseSource(await realpath(source), join(await realpath(dirname(to)), basename(to)));
    for (const left of [COPY, WHOLE, BEFORE_FORMER]) await rm(to + left, { recursive: true, force: true });
    for (const { path } of await modelFiles(source)) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await copyFile(join(source, path), join(copy, path));
      await chmod(join(copy, path), 0o644); // Of a read-only original the copy would be one too.
      await flush(join(copy, path));
    }
  });
  return {
    directory: copy,
    name: await keepName(source, to),
    install: () => describing(to, () => install(to)),
    discard: () => describing(to, () => rm(copy, { recursive: true, force: true })),
  };
}

/**
 * Where a replacement was killed when the folder was just not there, puts the new encoder into its place.
 *
 * @throws KshotError `encoder_unavailable` where it cannot be.
 */
export async function finishReplacement(folder: string): Promise<void> {
  const to = resolve(folder);
  if ((await isDirectory(to)) || !(await isDirectory(to + WHOLE))) return;
  await describing(to, () => putInPlace(to));
}

/**
 * Has the folder and the former one be what they were before, or after, a replacement that was killed. Only where no other is
 * under way.
 *
 * @throws KshotError `encoder_unavailable` where it cannot be done.
 */
export async function settleReplacement(folder: string): Promise<void> {
  await finishReplacement(folder);
  const to = resolve(folder);
  if (!(await isDirectory(to + BEFORE_FORMER)) || (await isDirectory(to + FORMER))) return;
  await describing(to, () => rename(to + BEFORE_FORMER, to + FORMER));
}

async function install(to: string): Promise<void> {
  await rename(to + COPY, to + WHOLE);
  if (await isDirectory(to)) {
    if (await isDirectory(to + FORMER)) await rename(to + FORMER, to + BEFORE_FORMER);
    await rename(to, to + FORMER);
  }
  await putInPlace(to);
  await rm(to + BEFORE_FORMER, { recursive: true, force: true });
}

async function putInPlace(to: string): Promise<void> {
  try {
    await rename(to + WHOLE, to);
  } catch (error) {
    // A server that starts at this very moment may have done it.
    if (!(await isDirectory(to))) throw error;
  }
}

/** @param source and the folder, both by their real paths. */
function refuseSource(source: string, to: string): void {
  if (to.startsWith(source + sep)) {
    throw new KshotError(
      'invalid_configuration',
      `${source} holds ${to}, which it is to replace: copy the encoder into a folder of its own`,
    );
  }
  for (const left of [COPY, WHOLE, BEFORE_FORMER].map((ending) => to + ending)) {
    if (source !== left && !source.startsWith(left + sep)) continue;
    throw new KshotError(
      'invalid_configuration',
      `${source} is what an interrupted replacement has left, and is cleared away by the next one: copy it elsewhere first`,
    );
  }
}

/** The name that the copy will have in its place. */
async function keepName(source: string, to: string): Promise<string> {
  const { name } = await readModelDirectory(source);
  const copied = await readModelDirectory(to + COPY);
  if (copied.name === name) return name; // its own
  // What stands in for the folder goes by the folder's name, wherever it was kept meanwhile.
  if (resolve(source) === formerOf(to)) return basename(to);
  const file = join(to + COPY, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await describing(to, async () => {
    await writeFile(file, `${JSON.stringify({ ...config, _name_or_path: name }, null, 2)}\n`);
    await flush(file);
  });
  return name;
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Turns what the file system throws into an error that says what is to be done. */
async function describing<T>(to: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof KshotError) throw cause;
    throw new KshotError(
      'encoder_unavailable',
      `${to} cannot be replaced (${cause instanceof Error ? cause.message : String(cause)}). This user must be able to write ` +
        `the folder ${dirname(to)}, and its disk have room for another encoder`,
      { cause },
    );
  }
}
