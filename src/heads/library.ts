import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KshotError } from '../errors.js';
import {
  type CheckpointMetadata,
  readCheckpoint,
  readCheckpointMetadata,
  type StoredCheckpoint,
} from './checkpoint.js';
import { HEAD_NAMES, isHeadName } from './registry.js';
import { HeadVersion } from './version.js';

/** What a folder must be called for its checkpoint to be chosen by that name. */
const HEAD_NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u;

/** One head that there is, whether it can be served or not. */
export interface HeadEntry {
  readonly name: string;
  readonly kind: 'built-in' | 'trained';
  /** What serves; undefined for one that cannot. */
  readonly version: HeadVersion | undefined;
  /** Why it cannot be served; or, of one that serves, why its checkpoint could not be loaded when it was last looked at. */
  readonly problem: KshotError | undefined;
  /** Of the checkpoint that serves, else of the one that cannot, as far as it can be read. */
  readonly metadata: CheckpointMetadata | undefined;
}

/** What a look at the folder has brought. */
export interface HeadChange {
  readonly name: string;
  /**
   * `added`, `changed`: other weights serve from now on. `removed`: its folder is gone. `kept`: its checkpoint cannot be
   * loaded, and the former weights serve on. `refused`: it cannot be loaded, and there are no former weights.
   */
  readonly change: 'added' | 'changed' | 'removed' | 'kept' | 'refused';
  readonly problem: KshotError | undefined;
}

export interface LibraryOptions {
  /** Each of its folders with a `metadata.json` is a trained head of the folder's name; undefined: no trained heads. */
  readonly directory: string | undefined;
  /** The encoder whose embeddings are scored: its fingerprint, and D. */
  readonly encoder: { readonly fingerprint: string; readonly dimension: number };
}

/** The heads that bots may choose from: those that are built in, and the checkpoints of a folder. */
export class HeadLibrary {
  readonly #builtIn: readonly HeadEntry[];
  #trained: readonly HeadEntry[] = [];
  /** Versions that others have taken the place of. */
  #former: HeadVersion[] = [];

  /** Holds the built-in heads; the trained ones come with the first `reload`. */
  constructor(private readonly options: LibraryOptions) {
    const { dimension } = options.encoder;
    this.#builtIn = HEAD_NAMES.map((name) => ({
      name,
      kind: 'built-in',
      version: new HeadVersion({ kind: 'built-in', name, head: name, dimension }),
      problem: undefined,
      metadata: undefined,
    }));
  }

  /** All heads: the built-in ones, then the trained ones by name. */
  get entries(): readonly HeadEntry[] {
    return [...this.#builtIn, ...this.#trained];
  }

  /** The entry that bots mean by a name. A built-in head goes before a folder of its name. */
  find(name: string): HeadEntry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  /**
   * Looks at the folder anew. New weights are in their entries when this resolves, all at once; former ones are held until
   * `release`. A checkpoint that cannot be served is no error, but has its entry's `problem`. jax-js must have been started
   * (`initHeads`).
   *
   * @throws KshotError `invalid_configuration` where the folder cannot be read; everything is as it was then.
   */
  async reload(): Promise<HeadChange[]> {
    const before = new Map(this.#trained.map((entry) => [entry.name, entry]));
    const after: HeadEntry[] = [];
    for (const name of await this.#folders()) after.push(await this.#load(name, before.get(name)));
    this.#trained = after;

    const serving = new Set(after.map(({ version }) => version));
    for (const { version } of before.values()) {
      if (version !== undefined && !serving.has(version)) this.#former.push(version);
    }
    const there = new Set(after.map(({ name }) => name));
    return [
      ...after.flatMap((entry) => changeOf(before.get(entry.name), entry)),
      ...[...before.keys()]
        .filter((name) => !there.has(name))
        .map((name) => ({ name, change: 'removed' as const, problem: undefined })),
    ];
  }

  /** Gives back what is held of former versions that are in use no longer. */
  release(inUse: ReadonlySet<HeadVersion>): void {
    for (const version of this.#former) if (!inUse.has(version)) version.dispose();
    this.#former = this.#former.filter((version) => inUse.has(version));
  }

  /** Gives everything back. */
  dispose(): void {
    for (const { version } of this.entries) version?.dispose();
    this.release(new Set());
  }

  /** The names of folders that hold a checkpoint, sorted. */
  async #folders(): Promise<string[]> {
    const { directory } = this.options;
    if (directory === undefined) return [];
    let names: string[];
    try {
      names = await readdir(directory);
    } catch (cause) {
      throw new KshotError('invalid_configuration', `The folder of heads, ${directory}, cannot be read.`, {
        cause,
      });
    }
    const isCheckpoint = await Promise.all(
      names.map((name) => isFile(join(directory, name, 'metadata.json'))),
    );
    return names.filter((name, i) => isCheckpoint[i] && !name.startsWith('.')).sort();
  }

  async #load(name: string, former: HeadEntry | undefined): Promise<HeadEntry> {
    const directory = join(this.options.directory!, name);
    try {
      const wrong = headNameProblem(name);
      if (wrong !== undefined) throw new KshotError('invalid_configuration', wrong);
      const { head, tensors, metadata, sha256 } = await this.#read(directory);
      const source = {
        kind: 'trained',
        name,
        head: head.name,
        options: head.options,
        tensors,
        sha256,
      } as const;
      const version =
        former?.version?.id === sha256
          ? former.version
          : new HeadVersion({ ...source, dimension: metadata.dimension });
      return { name, kind: 'trained', version, problem: undefined, metadata };
    } catch (error) {
      const problem = asKshotError(name, error);
      const { version } = former ?? {};
      const metadata = version === undefined ? await metadataOf(directory) : former!.metadata;
      return { name, kind: 'trained', version, problem, metadata };
    }
  }

  /** A checkpoint for this encoder. */
  async #read(directory: string): Promise<StoredCheckpoint> {
    const { fingerprint, dimension } = this.options.encoder;
    const read = () => readCheckpoint(directory, { encoder: fingerprint });
    const checkpoint = await read().catch((error: unknown) => {
      // It may just have been replaced, between our look at its metadata and at the weights that they name.
      if (error instanceof KshotError && error.code === 'invalid_file') return read();
      throw error;
    });
    if (checkpoint.metadata.dimension !== dimension) {
      throw new KshotError(
        'invalid_file',
        `The checkpoint ${directory} is for embeddings of ${checkpoint.metadata.dimension} numbers; the encoder's have ${dimension}.`,
      );
    }
    return checkpoint;
  }
}

function changeOf(before: HeadEntry | undefined, { name, version, problem }: HeadEntry): HeadChange[] {
  if (problem !== undefined) return [{ name, change: version === undefined ? 'refused' : 'kept', problem }];
  if (before?.version === version) return [];
  return [{ name, change: before?.version === undefined ? 'added' : 'changed', problem }];
}

/** Why a trained head cannot have a name; undefined where it can. */
export function headNameProblem(name: string): string | undefined {
  if (isHeadName(name)) {
    return `The name "${name}" is a built-in head's: give the checkpoint's folder another.`;
  }
  if (HEAD_NAME.test(name)) return undefined;
  return `"${name}" cannot be a head's name: it must be 1 to 64 letters, digits, ".", "_" or "-", and begin with a letter or digit.`;
}

/** A checkpoint may be wrong in ways that its head trips over before anyone says so. */
function asKshotError(name: string, error: unknown): KshotError {
  if (error instanceof KshotError) return error;
  return new KshotError('invalid_file', `The checkpoint ${name} cannot be loaded: ${String(error)}`, {
    cause: error,
  });
}

/** For the listing; what is wrong with the checkpoint is known already. */
function metadataOf(directory: string): Promise<CheckpointMetadata | undefined> {
  return readCheckpointMetadata(directory).catch(() => undefined);
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
