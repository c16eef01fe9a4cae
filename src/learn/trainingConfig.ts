import { z } from 'zod';
import { KshotError } from '../errors.js';
import { createTrainedHead, TRAINED_HEAD_NAMES } from '../heads/trained.js';
import type { EpisodeShape } from './episodes.js';

/**
 * What a training is: the one schema of the configuration file and of the command's flags (scripts/train.ts), whose help is
 * made of the descriptions here.
 */

const fraction = z.number().gt(0).lt(1);

const countSchema = z
  .union(
    [
      z.int().nonnegative(),
      z.strictObject({ min: z.int().nonnegative(), max: z.int().nonnegative() }).readonly(),
    ],
    { error: 'must be a whole number, or {"min": a, "max": b}' },
  )
  .describe('A fixed number, or bounds between which one is drawn anew for every episode');

const setSchema = z
  .strictObject({
    set: z.string().min(1).describe('Name of a data set, or a .csv, .tsv, .jsonl or .json file'),
    split: z.string().optional().describe('Split of the set; train by default'),
    encoder: z
      .string()
      .optional()
      .describe("Folder or hub id of the encoder that embeds it, if not the run's: one that has not seen it"),
    marked: z.boolean().optional().describe('Relations: marks around the two entities in the text'),
    entities: z
      .boolean()
      .optional()
      .describe("Relations: the entities' pooled token states joined to the sentence's"),
    limit: z.int().positive().optional().describe('At most so many texts of each class, the first'),
    weight: z
      .number()
      .nonnegative()
      .optional()
      .describe('How often it is drawn, against the others; by default by the root of its number of classes'),
  })
  .readonly();

const episodeFields = {
  ways: countSchema.describe('N, classes of an episode; 5 or 5-40'),
  shots: countSchema.describe('K, support examples of a class; 5 or 1-10, drawn for each class by itself'),
  queries: z.int().positive().describe('Queries of each class'),
  leftOut: countSchema.describe('Classes that are queried and have no support: out of scope'),
  confusable: z.number().min(0).max(1).describe('Share of episodes whose classes are near to one another'),
};

/** The configuration with the defaults of what may be left out. */
export const trainingSchema = z
  .strictObject({
    head: z.enum(TRAINED_HEAD_NAMES).describe('The head to train'),
    options: z
      .record(z.string(), z.union([z.number(), z.boolean()]))
      .default({})
      .describe('Options of the head, such as width=64'),
    out: z
      .string()
      .min(1)
      .optional()
      .describe('Folder that the checkpoint is written to; models/heads/<head> by default'),
    encoder: z
      .string()
      .optional()
      .describe('Folder or hub id of the encoder that the head is trained for; the bundled one by default'),
    data: z
      .array(setSchema)
      .min(1)
      .describe('Sets to train on, as set[:split][+marked][+entities][+limit][@encoder]'),
    exclude: z
      .array(setSchema)
      .default([])
      .describe('Sets whose texts are taken out of what is trained on, as set[:split]'),
    validation: z
      .union(
        [
          z
            .strictObject({
              classes: fraction.describe('Share of the classes of each set that is held out, by the seed'),
            })
            .readonly(),
          z.array(setSchema).min(1),
        ],
        { error: 'must be {"classes": a share between 0 and 1}, or a list of sets' },
      )
      .default({ classes: 0.2 })
      .describe('Share of the classes of each training set that is held out, or sets as set:split'),
    names: z
      .boolean()
      .default(true)
      .describe("A class's name, where it says something, is one more support row, as it is in the server"),
    episode: z
      .strictObject({
        ...episodeFields,
        ways: episodeFields.ways.default(5),
        shots: episodeFields.shots.default(5),
        queries: episodeFields.queries.default(5),
        leftOut: episodeFields.leftOut.default(0),
        confusable: episodeFields.confusable.default(0),
      })
      .prefault({})
      .describe('What an episode is like'),
    validationEpisode: z
      .strictObject(episodeFields)
      .partial()
      .default({})
      .describe('What is different about the episodes of the validation'),
    validationEpisodes: z.int().min(2).default(300).describe('Episodes of the validation, always the same'),
    episodes: z.int().positive().default(4000).describe('Episodes to train on at the most'),
    pool: z
      .int()
      .positive()
      .optional()
      .describe('Different episodes to train on, over and over; by default all are different'),
    batch: z.int().positive().default(1).describe('Episodes whose gradients are averaged for a step'),
    rate: z.number().positive().default(0.001).describe('Learning rate (AdamW)'),
    weightDecay: z.number().nonnegative().default(0).describe('Decoupled weight decay'),
    warmup: z.int().nonnegative().default(100).describe('Steps over which the rate rises'),
    clip: z.number().positive().default(1).describe('Largest norm of a gradient'),
    schedule: z
      .enum(['constant', 'cosine'])
      .default('cosine')
      .describe('The rate after the warm-up: constant, or cosine down to 0'),
    validateEvery: z.int().positive().default(200).describe('Steps between validations'),
    patience: z
      .int()
      .positive()
      .default(8)
      .describe('Validations in a row without a new best after which the training ends'),
    unfreeze: z
      .strictObject({
        layers: z
          .int()
          .positive()
          .describe("Layers of the encoder, from the last, that learn with the head: 'end to end'"),
        rate: z.number().positive().default(5e-5).describe('Learning rate of those layers (AdamW)'),
        maxTokens: z
          .int()
          .min(8)
          .default(128)
          .describe('Tokens that a text is cut at while those layers learn'),
        interpolation: z
          .array(z.number().min(0).max(1))
          .min(1)
          .default([0, 0.2, 0.4, 0.6, 0.8, 1])
          .describe('How far from the starting weights to the learned ones: the best by validation is taken'),
      })
      .optional()
      .describe('The layers of the encoder that learn; by default none'),
    half: z
      .boolean()
      .default(false)
      .describe('Write the checkpoint in 16 bits (BF16), three digits, half the file'),
    seed: z.int().nonnegative().default(1).describe('Seed of everything that is drawn'),
  })
  .superRefine(({ data, validation, unfreeze }, context) => {
    const sets = Array.isArray(validation) ? [...data, ...validation] : data;
    if (unfreeze !== undefined && sets.some(({ encoder }) => encoder !== undefined)) {
      context.addIssue({
        code: 'custom',
        path: ['data'],
        message: 'an encoder that learns embeds all sets: none can have another one',
      });
    }
    if (new Set(sets.map(({ entities }) => entities === true)).size > 1) {
      context.addIssue({
        code: 'custom',
        path: ['data'],
        message: 'entities must be on for all sets of training and validation, or for none',
      });
    }
  });

export type TrainingConfig = z.infer<typeof trainingSchema>;

/** The configuration as it may be written: what has a default may be left out. */
export type TrainingConfigInput = z.input<typeof trainingSchema>;

/**
 * Validates a configuration and fills in the defaults, those of the head's options among them.
 *
 * @param where the file or command that it comes from, for the message.
 * @throws KshotError `invalid_configuration` that names every wrong field, or an option that the head has not.
 */
export function readTrainingConfig(given: unknown, where: string): TrainingConfig {
  const outcome = trainingSchema.safeParse(given);
  if (outcome.success) {
    // All of the head's options, so that a default that changes later changes no training that was written down.
    const { options } = createTrainedHead(outcome.data.head, outcome.data.options);
    return { ...outcome.data, options };
  }
  const fields = outcome.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  const lines = fields.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`));
  throw new KshotError('invalid_configuration', `${where}: ${lines.join('; ')}`, { fields });
}

/** What the episodes of the training are like: in a mixture, classes with too few texts are passed over. */
export function trainingShape({ episode }: TrainingConfig): EpisodeShape {
  return { ...episode, smallClasses: 'leave-out' };
}

/** What the episodes of the validation are like. */
export function validationShape({ episode, validationEpisode }: TrainingConfig): EpisodeShape {
  const given = Object.entries(validationEpisode).filter(([, value]) => value !== undefined);
  return { ...episode, ...Object.fromEntries(given), smallClasses: 'leave-out' };
}
