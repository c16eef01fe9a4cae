import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { KshotError } from '../errors.js';
import type { Device } from './device.js';
import { OPTIONAL_FILES, REQUIRED_FILES, WEIGHTS_BY_DEVICE, findWeights, isFile } from './modelDirectory.js';

/** How far the download of one file is. */
export interface DownloadProgress {
  readonly file: string;
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes in all, where the server says so. */
  readonly total?: number;
}

export interface HubOptions {
  /** Where models are kept; one folder a model and revision. */
  readonly cacheDir: string;
  readonly hubUrl: string;
  /** Use what is there, fetch nothing. */
  readonly offline: boolean;
  readonly progress: ((progress: DownloadProgress) => void) | undefined;
}

/** A model's address: `org/name`, and optionally `@` and a branch, tag or commit. */
export interface HubId {
  readonly repository: string;
  readonly revision: string;
}

const HUB_ID = /^(?<repository>\w[\w.-]*\/\w[\w.-]*)(@(?<revision>\w[\w./-]*))?$/;
/** What the hub said it does not have, so that it is asked once only. */
const ABSENT_FILES = '.absent.json';

/** @returns undefined for what cannot be a hub id, such as a path. */
export function parseHubId(model: string): HubId | undefined {
  const groups = HUB_ID.exec(model)?.groups;
  if (groups?.['repository'] === undefined || model.includes('..')) return undefined;
  return { repository: groups['repository'], revision: groups['revision'] ?? 'main' };
}

/** Where a model of the hub is kept. */
export function hubFolder({ repository, revision }: HubId, cacheDir: string): string {
  return join(cacheDir, ...repository.split('/'), revision.replaceAll('/', '--'));
}

/** A model of the hub as a directory on this disk, downloaded once. */
export class HubModel {
  readonly directory: string;

  constructor(
    private readonly id: HubId,
    private readonly options: HubOptions,
  ) {
    this.directory = hubFolder(id, options.cacheDir);
  }

  /**
   * Fetches what is missing of the configuration and the tokenizer.
   *
   * @throws KshotError `encoder_unavailable` when the hub cannot be reached or lacks the model.
   */
  async prepare(): Promise<void> {
    for (const file of REQUIRED_FILES) {
      if (!(await this.has(file))) {
        throw new KshotError(
          'encoder_unavailable',
          `"${this.id.repository}" is no directory here, and ${this.options.hubUrl} has no ${file} for it ` +
            `at revision "${this.id.revision}". Check the name, or give the path of a model directory`,
        );
      }
    }
    for (const file of OPTIONAL_FILES) await this.has(file);
  }

  /** The weights for a device, downloaded if need be. Like `findWeights`. */
  async weights(device: Device, stem?: string): Promise<string> {
    for (const candidate of stem === undefined ? WEIGHTS_BY_DEVICE[device] : [stem]) {
      for (const folder of ['onnx/', '']) {
        const file = `${folder}${candidate}.onnx`;
        if (!(await this.has(file))) continue;
        await this.has(`${file}_data`); // weights above 2 GB lie beside the graph
        return join(this.directory, file);
      }
    }
    return findWeights(this.directory, device, stem);
  }

  /** Whether the model has a file; after `true` it is on this disk. */
  private async has(file: string): Promise<boolean> {
    const path = join(this.directory, file);
    if (await isFile(path)) return true;
    const absent = await this.readAbsent();
    if (absent.includes(file)) return false;
    if (this.options.offline) {
      throw new KshotError(
        'encoder_unavailable',
        `${path} is missing and downloads are turned off. Start once online, or give the path of a model directory`,
      );
    }
    if (await this.download(file, path)) return true;
    await writeFile(join(this.directory, ABSENT_FILES), JSON.stringify([...absent, file]));
    return false;
  }

  /** @returns false when the hub has no such file. */
  private async download(file: string, path: string): Promise<boolean> {
    const { repository, revision } = this.id;
    const url = `${this.options.hubUrl}/${repository}/resolve/${encodeURIComponent(revision)}/${file}`;
    await mkdir(dirname(path), { recursive: true });
    const partial = `${path}.${randomBytes(6).toString('hex')}.partial`;
    try {
      const response = await fetch(url);
      // The hub answers 401 for repositories that do not exist, or that the public may not read.
      if (response.status === 404 || response.status === 401) {
        await response.body?.cancel();
        return false;
      }
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      const length = Number(response.headers.get('content-length') ?? NaN);
      const counted = this.count(file, Number.isNaN(length) ? undefined : length);
      await pipeline(
        Readable.fromWeb(response.body as ReadableStream<Uint8Array>),
        counted,
        createWriteStream(partial),
      );
      await rename(partial, path);
      return true;
    } catch (cause) {
      throw new KshotError('encoder_unavailable', `${url} cannot be downloaded: ${reasonOf(cause)}`, {
        cause,
      });
    } finally {
      await rm(partial, { force: true });
    }
  }

  private count(file: string, total: number | undefined): Transform {
    let loaded = 0;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        loaded += chunk.length;
        this.options.progress?.({ file, loaded, ...(total === undefined ? {} : { total }) });
        done(null, chunk);
      },
    });
  }

  private async readAbsent(): Promise<string[]> {
    const path = join(this.directory, ABSENT_FILES);
    if (!(await isFile(path))) return [];
    return JSON.parse(await readFile(path, 'utf8')) as string[];
  }
}

/** fetch hides why it failed one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
