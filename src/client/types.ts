import type { ClassifyOptions, ImportResult, IntentDefinition } from '../classify/service.js';
import type { SuggestionStrategy } from '../classify/suggestionStrategies.js';
import type { ExportFormat, ImportFormat } from '../formats/formatNames.js';
import type { CallOptions } from './transport.js';

// What the client adds to the types of the wire format: answers that only HTTP has, and the options of its methods.

export interface Health {
  readonly status: 'ok';
  /** The server's. */
  readonly version: string;
}

/** An intent with the number of its examples. */
export interface IntentSummary {
  readonly name: string;
  readonly description: string | null;
  readonly examples: number;
}

/** What an imported file was read as, and what it changed. */
export interface FileImport extends ImportResult {
  readonly format: ImportFormat;
  /** Whose texts were read; null where the file names none. */
  readonly language: string | null;
  /** Of the file, not read. */
  readonly languages_left_out: readonly string[];
  /** What was passed over, or read in a way that may surprise. */
  readonly notes: readonly string[];
}

/** What an intent is to be. */
export type IntentContents = Omit<IntentDefinition, 'name'>;

/** Undefined is as good as left out, for every option. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface ClassifyCallOptions extends CallOptions, Optional<Pick<ClassifyOptions, 'top' | 'explain'>> {
  /** The name of a version or an alias; left out: the bot as it is now. */
  readonly version?: string | undefined;
  /** That a write has returned: the bot answers by this revision or a later one, whichever server took the write. */
  readonly minRevision?: number | undefined;
}

export interface ImportFileOptions extends CallOptions {
  /** Whether only to say what would change. */
  readonly dryRun?: boolean | undefined;
  /** Whether what the bot has and the file has not goes. */
  readonly prune?: boolean | undefined;
  /** What the file is; its content tells where it is left out. */
  readonly format?: ImportFormat | undefined;
  /** The one to read of a file in several. */
  readonly language?: string | undefined;
}

export interface ExportFileOptions extends CallOptions {
  /** Default `jsonl`. */
  readonly format?: ExportFormat | undefined;
  /** Of the texts; a CLU project names one. */
  readonly language?: string | undefined;
  /** The name of a version or an alias; left out: the bot as it is now. */
  readonly version?: string | undefined;
}

export interface SuggestCallOptions extends CallOptions {
  readonly strategy?: SuggestionStrategy | undefined;
  /** Default 10. */
  readonly limit?: number | undefined;
}

export interface UnlabelledListOptions extends CallOptions {
  /** Default 100. */
  readonly limit?: number | undefined;
  /** What `next` was on the page before. */
  readonly after?: number | undefined;
}
