import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { KshotError } from '../../errors.js';
import { writeWhole } from '../../heads/checkpoint.js';
import { type Cell, cellSchema } from './cell.js';

/** Setting, row, and run: one for each training of the row's head. */
const fileSchema = z.record(z.string(), z.record(z.string(), z.record(z.string(), cellSchema)));

/** The place of a cell in a benchmark. */
export interface Slot {
  /** `settingId`. */
  readonly setting: string;
  /** Name of the row. */
  readonly row: string;
  /** The head as the row's `heads` has it. */
  readonly head: string;
}

/** A setting within its benchmark. */
export function settingId({ group, name }: { readonly group: string; readonly name: string }): string {
  return `${group}, ${name}`;
}

/**
 * The evaluated cells of one benchmark, in a JSON file that is committed: what a page shows must be there for whoever has not
 * the checkpoints, and a cell that is there is not evaluated again.
 */
export class ResultStore {
  readonly #file: string | undefined;
  readonly #cells: z.infer<typeof fileSchema>;

  private constructor(file: string | undefined, cells: z.infer<typeof fileSchema>) {
    this.#file = file;
    this.#cells = cells;
  }

  /** A store that is written nowhere. */
  static inMemory(): ResultStore {
    return new ResultStore(undefined, {});
  }

  /** @throws KshotError `invalid_file` for a file that holds something else; one that is not there yet is empty. */
  static async open(file: string): Promise<ResultStore> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new ResultStore(file, {});
      throw new KshotError('invalid_file', `${file} cannot be read`, { cause: error });
    }
    try {
      return new ResultStore(file, z.decode(fileSchema, JSON.parse(text) as z.input<typeof fileSchema>));
    } catch (cause) {
      const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is no JSON';
      throw new KshotError('invalid_file', `${file} holds no results: ${reason}`, { cause });
    }
  }

  get({ setting, row, head }: Slot): Cell | undefined {
    return this.#cells[setting]?.[row]?.[head];
  }

  /** Stores a cell, and writes the file. @throws the file system's errors. */
  async put({ setting, row, head }: Slot, cell: Cell): Promise<void> {
    ((this.#cells[setting] ??= {})[row] ??= {})[head] = cell;
    if (this.#file === undefined) return;
    await mkdir(dirname(this.#file), { recursive: true });
    await writeWhole(this.#file, `${this.toJson()}\n`);
  }

  /** A line a cell. */
  toJson(): string {
    const nested = (value: unknown, depth: number): string => {
      if (depth === 0) return JSON.stringify(value);
      const entries = Object.entries(value as object).map(
        ([key, inner]) => `\n${JSON.stringify(key)}: ${nested(inner, depth - 1)}`,
      );
      return `{${entries.join(',')}\n}`;
    };
    return nested(z.encode(fileSchema, this.#cells), 3); // settings, rows, heads
  }
}
