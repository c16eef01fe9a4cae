import { basename, extname, join } from 'node:path';
import type { Encoder, SpanEncoder } from '../encoder/encoder.js';
import { KshotError } from '../errors.js';
import { DATASET_NAMES, readDataset, type DatasetName } from './datasets/catalogue.js';
import { readTable } from './datasets/table.js';
import { firstRows, withoutTextsOf, type TextClass, type TextSet } from './datasets/textSet.js';
import { embedSet, type EmbeddedSet } from './embeddedSet.js';
import type { EmbeddingCache } from './embeddingCache.js';
import { embedRelations, relationFingerprint, relationSource } from './relationEmbedding.js';

/** A part of a data set, and how it is to be embedded. */
export interface SetSpec {
  /** A name of the catalogue, or a table of anybody's: a file that ends in .csv, .tsv, .jsonl or .json. */
  readonly set: string;
  /** One of the set's splits; a table has none. Default: `train`. */
  readonly split?: string | undefined;
  /** Folder or hub id of the encoder that embeds it; that of the run by default. */
  readonly encoder?: string | undefined;
  /** For relations: marks around the two entities in the text (`ReadOptions`). */
  readonly marked?: boolean | undefined;
  /** For relations: the entities' pooled token states joined to the sentence's embedding (`embedRelations`). */
  readonly entities?: boolean | undefined;
  /** At most so many texts of each class, the first in the file; all by default. */
  readonly limit?: number | undefined;
  /** How often episodes are drawn from it, against the others (`EpisodeSource`). */
  readonly weight?: number | undefined;
}

export interface SetLoaderOptions {
  /** The folder of the data sets, as `scripts/fetchData` fills it. */
  readonly root: string;
  /** The folder that the names of tables are relative to; the working folder by default. */
  readonly tables?: string;
  readonly cache: EmbeddingCache;
  /** Folder or hub id of the encoder of specs that name none. */
  readonly encoder: string;
  /** A `SpanEncoder`, if sets are to be embedded with their `entities`. */
  readonly openEncoder: (model: string) => Promise<Encoder>;
  /** A class in the words that the server would embed for it; empty where its name says nothing. */
  readonly describe: (described: TextClass) => string;
  /** Asked for when a set is to be embedded; what it gives is told how many of the different texts are. */
  readonly progress?: (label: string) => (done: number, total: number) => void;
}

/** What made the embeddings of a set. */
export interface EmbeddedBy {
  readonly name: string;
  /** Tells entity-pooled embeddings from plain ones too. */
  readonly fingerprint: string;
}

const TABLE_ENDINGS = ['.csv', '.tsv', '.jsonl', '.json', '.ndjson'];

/**
 * Data sets by their names, read and embedded. One set may be embedded by another encoder than the rest: a head that shall
 * be good at intents which the encoder has never seen must be trained on embeddings of such, so that CLINC150 is embedded by
 * an encoder that was trained without it.
 */
export class SetLoader {
  readonly #options: SetLoaderOptions;
  readonly #encoders = new Map<string, Promise<Encoder>>();

  constructor(options: SetLoaderOptions) {
    this.#options = options;
  }

  /** As `readSets`. */
  read(spec: SetSpec): Promise<readonly TextSet[]> {
    const { root, tables } = this.#options;
    return readSets(root, spec, tables);
  }

  /**
   * Reads and embeds the sets of a spec.
   *
   * @param without sets whose texts must not be met: they are taken out.
   * @returns one set; of ARSC one a task.
   * @throws like `read`, and KshotError `invalid_configuration` for an encoder whose embeddings have another dimension than
   *   those of the run's, and what encoder and cache throw.
   */
  async load(spec: SetSpec, without: readonly TextSet[] = []): Promise<readonly EmbeddedSet[]> {
    const sets = await this.read(spec);
    return this.embed(spec, without.length === 0 ? sets : sets.map((set) => withoutTextsOf(set, without)));
  }

  /**
   * Reads the sets of a spec for a training whose encoder learns, which embeds an episode's texts when it is drawn.
   *
   * @param without sets whose texts must not be met: they are taken out.
   * @returns sets without embeddings, which have their dimension.
   * @throws like `read`, and what opening the encoder throws.
   */
  async loadTexts(spec: SetSpec, without: readonly TextSet[] = []): Promise<readonly EmbeddedSet[]> {
    const encoder = await this.#encoderFor(spec);
    const { dimension } = spec.entities ? relationSource(spanning(encoder)) : encoder;
    const none = {
      embeddings: new Float32Array(0),
      names: new Float32Array(0),
      outOfScope: new Float32Array(0),
    };
    const sets = await this.read(spec);
    return sets.map((set) => ({ set: withoutTextsOf(set, without), dimension, ...none }));
  }

  /**
   * Embeds sets that were read by other means, as those of the spec are.
   *
   * @returns set for set.
   * @throws KshotError as `load`.
   */
  async embed(spec: SetSpec, sets: readonly TextSet[]): Promise<readonly EmbeddedSet[]> {
    const encoder = await this.#encoderFor(spec);
    const { cache, describe, progress } = this.#options;
    const report = progress?.(`embedding ${nameOf(spec)}`);
    const options = report === undefined ? {} : { progress: report };
    const embed = (texts: readonly string[]) => cache.embedAll(encoder, texts, options);
    const embedded: EmbeddedSet[] = [];
    for (const set of sets) {
      embedded.push(
        spec.entities
          ? await embedRelations(set, spanning(encoder), cache, options)
          : await embedSet(set, encoder.dimension, embed, describe),
      );
    }
    return embedded;
  }

  /** What embeds the sets of a spec; without one, the run's encoder. @throws what opening it throws. */
  async encoderOf(spec?: SetSpec): Promise<EmbeddedBy> {
    const encoder = await this.#open(spec?.encoder ?? this.#options.encoder);
    const fingerprint = spec?.entities ? relationFingerprint(spanning(encoder)) : encoder.fingerprint;
    return { name: encoder.name, fingerprint };
  }

  /** Closes the encoders that were opened; the cache stays as it is. */
  async close(): Promise<void> {
    const opened = await Promise.allSettled([...this.#encoders.values()]);
    this.#encoders.clear();
    for (const one of opened) if (one.status === 'fulfilled') await one.value.close();
  }

  async #encoderFor(spec: SetSpec): Promise<Encoder> {
    const own = await this.#open(spec.encoder ?? this.#options.encoder);
    const main = await this.#open(this.#options.encoder);
    if (own.dimension === main.dimension) return own;
    throw new KshotError(
      'invalid_configuration',
      `${nameOf(spec)}: the encoder ${own.name} makes embeddings of ${own.dimension} numbers, ${main.name} of ` +
        `${main.dimension}; one head can only learn from embeddings of one dimension`,
    );
  }

  #open(model: string): Promise<Encoder> {
    const known = this.#encoders.get(model);
    if (known !== undefined) return known;
    const opening = this.#options.openEncoder(model);
    this.#encoders.set(model, opening);
    return opening;
  }
}

/**
 * Reads the sets of a spec without embedding them.
 *
 * @param root the folder of the data sets.
 * @param tables the folder that the names of tables are relative to.
 * @returns one set; of ARSC one a task.
 * @throws KshotError `invalid_configuration` for a set or split that there is not, `invalid_file` for what is wrong with
 *   the files.
 */
export async function readSets(
  root: string,
  spec: SetSpec,
  tables: string = '',
): Promise<readonly TextSet[]> {
  const sets = await readWhole(root, spec, tables);
  const { limit } = spec;
  return limit === undefined ? sets : sets.map((set) => firstRows(set, limit));
}

async function readWhole(
  root: string,
  { set, split, marked }: SetSpec,
  tables: string,
): Promise<readonly TextSet[]> {
  if (isTable(set)) {
    if (split === undefined) return [await readTable(join(tables, set), basename(set))];
    throw new KshotError('invalid_configuration', `${set} is a table and has no split "${split}"`);
  }
  if (!isDataset(set)) {
    throw new KshotError(
      'invalid_configuration',
      `there is no set "${set}"; there are ${DATASET_NAMES.join(', ')}, and tables: files that end in ` +
        TABLE_ENDINGS.join(', '),
    );
  }
  return readDataset(root, set, split ?? DEFAULT_SPLIT, marked === undefined ? {} : { marked });
}

const DEFAULT_SPLIT = 'train';

function spanning(encoder: Encoder): SpanEncoder {
  if ('encodeSpans' in encoder) return encoder as SpanEncoder;
  throw new KshotError(
    'invalid_configuration',
    `the encoder ${encoder.name} gives no token states, which embeddings with entities are pooled from`,
  );
}

/** A spec as the command line has it: `clinc150:train@encoders/without-clinc150`, `fewrel:train+entities`, `arsc:train+100`. */
export function nameOf({ set, split, encoder, marked, entities, limit }: SetSpec): string {
  const part = isTable(set) ? set : `${set}:${split ?? DEFAULT_SPLIT}`;
  const kinds = `${marked ? '+marked' : ''}${entities ? '+entities' : ''}${limit === undefined ? '' : `+${limit}`}`;
  return `${part}${kinds}${encoder === undefined ? '' : `@${encoder}`}`;
}

/** Whether a set's name is that of a file. */
export function isTable(set: string): boolean {
  return TABLE_ENDINGS.includes(extname(set).toLowerCase());
}

function isDataset(set: string): set is DatasetName {
  return (DATASET_NAMES as readonly string[]).includes(set);
}
