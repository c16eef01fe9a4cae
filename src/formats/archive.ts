import { isNativeError } from 'node:util/types';
// Of the libraries that are looked after, the one that reads by the archive's directory and unpacks a file as a stream, so
// that a bomb is cut off, and that refuses names and sizes that do not hold.
import { fromBufferPromise, type Entry, type ZipFile } from 'yauzl';
import { KshotError } from '../errors.js';
import { decodeText, MAX_FILE_BYTES } from './decode.js';
import { inFile, shortened } from './document.js';
import { JsonFile } from './jsonFile.js';

/** Files of one archive: agents have up to some thousand intents, two files each and more in other languages. */
const MAX_ENTRIES = 100_000;
/** What all files that are read may unpack to, in bytes. */
const MAX_UNPACKED_BYTES = 2 * MAX_FILE_BYTES;

/** The files of a ZIP archive, unpacked one by one when they are asked for, in memory only. */
export class Archive {
  /** Names by path below the folder that holds `agent.json`, where there is one. */
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #zip: ZipFile;
  #unpacked = 0;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  /** @throws KshotError `invalid_file` for an archive that is broken, encrypted, or names files outside of itself. */
  static async open(bytes: Uint8Array): Promise<Archive> {
    const entries = new Map<string, Entry>();
    try {
      const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      if (zip.entryCount > MAX_ENTRIES) {
        throw new KshotError(
          'invalid_file',
          `the archive says that it holds ${zip.entryCount} files; that is no agent`,
        );
      }
      for await (const entry of zip.eachEntry()) {
        const { fileName } = entry;
        // Folders, and what macOS adds.
        if (fileName.endsWith('/') || fileName.startsWith('__MACOSX/')) continue;
        if (entries.has(fileName)) {
          throw new KshotError(
            'invalid_file',
            `the archive holds "${shortened(fileName)}" twice; pack it anew`,
          );
        }
        entries.set(fileName, entry);
      }
      return new Archive(zip, belowAgent(entries));
    } catch (error) {
      throw broken(error);
    }
  }

  /** The paths of its files. */
  get names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** @throws KshotError `invalid_file`, naming the file: it is damaged, too long, or not JSON in UTF-8. */
  async json(name: string): Promise<JsonFile> {
    return new JsonFile(await this.#text(name), name);
  }

  async #text(name: string): Promise<string> {
    try {
      return decodeText(await this.#unpack(this.#entries.get(name)!));
    } catch (error) {
      throw inFile(name, broken(error));
    }
  }

  async #unpack(entry: Entry): Promise<Uint8Array> {
    if (entry.isEncrypted()) {
      throw new KshotError('invalid_file', 'it is encrypted; export the agent without a password');
    }
    // Said beforehand, and checked while it is unpacked: what is said may be wrong.
    this.#admit(entry.uncompressedSize);
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of await this.#zip.openReadStreamPromise(entry)) {
      parts.push(part as Uint8Array);
      length += (part as Uint8Array).length;
      this.#admit(length);
    }
    this.#unpacked += length;
    return Buffer.concat(parts, length);
  }

  #admit(bytes: number): void {
    if (this.#unpacked + bytes <= MAX_UNPACKED_BYTES) return;
    const limit = MAX_UNPACKED_BYTES / 1024 / 1024;
    throw new KshotError(
      'invalid_file',
      `the archive unpacks to more than ${limit} MiB; is it an agent's export?`,
    );
  }
}

/** Whether the bytes are a ZIP archive, an empty one too. */
export function isArchive(bytes: Uint8Array): boolean {
  const [first, second, third, fourth] = bytes;
  const isPk = first === 0x50 && second === 0x4b;
  return isPk && ((third === 3 && fourth === 4) || (third === 5 && fourth === 6));
}

/** An agent may have been packed together with the folder that it is in. */
function belowAgent(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> {
  if (entries.has('agent.json')) return entries;
  const [agent] = [...entries.keys()].filter((name) => /^[^/]+\/agent\.json$/.test(name));
  if (agent === undefined) return entries;
  const folder = agent.slice(0, -'agent.json'.length);
  const inside = [...entries].filter(([name]) => name.startsWith(folder));
  return new Map(inside.map(([name, entry]) => [name.slice(folder.length), entry]));
}

/** What the library throws, and zlib, in words; a bug of ours as it is. */
function broken(error: unknown): unknown {
  if (error instanceof KshotError || !isNativeError(error)) return error;
  if (error instanceof TypeError || error instanceof ReferenceError) return error;
  const message = /^(absolute path|invalid relative path|invalid characters in fileName)/.test(error.message)
    ? `the archive names a file outside of itself (${shortened(error.message)}); do not trust it`
    : `the ZIP archive is damaged (${shortened(error.message)}); export or download it again`;
  return new KshotError('invalid_file', message, { cause: error });
}
