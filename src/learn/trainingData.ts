import { KshotError } from '../errors.js';
import type { TextSet } from './datasets/textSet.js';
import type { Count, EpisodeShape } from './episodes.js';
import type { TaskSource } from './episodeStream.js';
import { Random } from '../statistics/random.js';
import { nameOf, type SetLoader, type SetSpec } from './setLoader.js';
import { splitClasses } from './splits.js';
import { type TrainingConfig, trainingShape, validationShape } from './trainingConfig.js';

/** What a head is trained and validated on: no class of a set is in both. */
export interface TrainingData {
  readonly training: readonly TaskSource[];
  readonly validation: readonly TaskSource[];
  /** For people: sets, splits, encoders, and what was taken out. */
  readonly description: readonly string[];
  /** Of the encoder that the head is trained for. */
  readonly encoder: string;
}

/**
 * Reads and embeds what a configuration names; nothing is embedded where the encoder learns and no neighbours are asked for.
 * Texts of the excluded and of the validation's sets are taken out of what is
 * trained on.
 *
 * @throws what `SetLoader` throws, and KshotError `invalid_configuration` where nothing is left to validate on.
 */
export async function loadTrainingData(config: TrainingConfig, loader: SetLoader): Promise<TrainingData> {
  const { data, exclude, validation } = config;
  const held = Array.isArray(validation) ? validation : [];
  const without = (await Promise.all([...exclude, ...held].map((spec) => loader.read(spec)))).flat();

  const embedded = config.unfreeze === undefined || asksForNeighbours(config);
  const trainable = await loadAll(data, loader, without, embedded);
  const validated = await loadAll(held, loader, [], embedded);
  const parts = Array.isArray(validation)
    ? { training: trainable, validation: validated, kept: [] }
    : holdOut(trainable, validation.classes, config, new Random(config.seed));
  const { fingerprint } = await loader.encoderOf({ ...data[0]!, encoder: undefined });
  return {
    training: parts.training,
    validation: parts.validation,
    encoder: fingerprint,
    description: [
      ...data.map(nameOf),
      ...exclude.map((spec) => `without the texts of ${nameOf(spec)}`),
      ...held.map((spec) => `validated on ${nameOf(spec)}`),
      ...parts.kept,
    ],
  };
}

function asksForNeighbours(config: TrainingConfig): boolean {
  return [trainingShape(config), validationShape(config)].some(({ confusable = 0 }) => confusable > 0);
}

async function loadAll(
  specs: readonly SetSpec[],
  loader: SetLoader,
  without: readonly TextSet[],
  embedded: boolean,
): Promise<TaskSource[]> {
  const loaded: TaskSource[] = [];
  for (const spec of specs) {
    const sets = await (embedded ? loader.load(spec, without) : loader.loadTexts(spec, without));
    // The weight is the spec's: where it is many sets, each has its share of it.
    const weight = spec.weight === undefined ? {} : { weight: spec.weight / sets.length };
    loaded.push(...sets.map((one) => ({ embedded: one, ...weight })));
  }
  return loaded;
}

/** Divides the classes of every set that has enough of them for both; the others are for training alone. */
function holdOut(
  sets: readonly TaskSource[],
  share: number,
  config: TrainingConfig,
  random: Random,
): { training: TaskSource[]; validation: TaskSource[]; kept: string[] } {
  const training: TaskSource[] = [];
  const validation: TaskSource[] = [];
  const kept: string[] = [];
  for (const { embedded, ...rest } of sets) {
    const names = embedded.set.classes.map(({ name }) => name);
    const valid = Math.round(share * names.length);
    const enough =
      valid >= leastClasses(validationShape(config)) &&
      names.length - valid >= leastClasses(trainingShape(config));
    if (!enough) {
      training.push({ embedded, ...rest });
      continue;
    }
    // One generator for all: two splits of one set have the same classes held out.
    const split = splitClasses(names, { valid, test: 0 }, random.split('held out'));
    training.push({ embedded, classes: split.train, ...rest });
    validation.push({ embedded, classes: split.valid });
    kept.push(`validated on ${valid} classes of ${embedded.set.name}, which were not trained on`);
  }
  if (validation.length > 0) return { training, validation, kept };
  throw new KshotError(
    'invalid_configuration',
    `no set has enough classes to hold ${share * 100} % of them out for the validation: hold out a larger share, ask for ` +
      'fewer ways in the validation, or name sets to validate on',
  );
}

function leastClasses({ ways, leftOut = 0 }: EpisodeShape): number {
  return least(ways) + least(leftOut);
}

function least(count: Count): number {
  return typeof count === 'number' ? count : count.min;
}
