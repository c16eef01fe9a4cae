import { createHash } from 'node:crypto';
import { z } from 'zod';
import { decodeHits, encodeHits, type Strata } from './outcomes.js';
import { type Protocol, protocolSchema } from './protocol.js';

const interval = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });

/** Outcomes as they are stored: JSON of a number a line would be long. */
const strata = z.codec(
  z.record(z.string(), z.strictObject({ of: z.int(), hits: z.string() })),
  z.custom<Strata>(),
  {
    decode: (stored) => mapValues(stored, ({ of, hits }) => decodeHits(of, hits)),
    encode: (value) => mapValues(value, (outcomes) => ({ of: outcomes.of, hits: encodeHits(outcomes) })),
  },
);

const validationPoint = interval.extend({ step: z.number() });

/** What was measured of one head, on one setting, with one training. */
export const cellSchema = z.strictObject({
  /** Of all that the figures follow from (`cellKey`). */
  key: z.string(),
  protocol: protocolSchema,
  /** Absent where the head learns nothing offline. */
  training: z
    .strictObject({
      weights: z.string(),
      data: z.array(z.string()),
      seed: z.int(),
      episodes: z.int(),
      /** That the training took, on whatever else the machine did; not known of older ones. */
      seconds: z.number().optional(),
      /** That the process of the training took at the most, of one whose encoder learned. */
      peakMemoryMb: z.number().optional(),
      /** How far the encoder went from its starting weights to the learned ones (`interpolate`). */
      share: z.number().optional(),
      /** Its validations, for the learning curve. */
      history: z.array(validationPoint).optional(),
      /** Of the untrained prototypes on the validation's episodes. */
      baseline: interval.optional(),
    })
    .optional(),
  /** Why the head cannot be evaluated in this setting; there is nothing else then. */
  unsupported: z.string().optional(),
  strata: strata.optional(),
  calibration: z
    .strictObject({
      temperature: z.number(),
      ece: z.number(),
      reliability: z.array(z.strictObject({ count: z.int(), confidence: z.number(), accuracy: z.number() })),
    })
    .optional(),
  confusions: z.array(z.strictObject({ intent: z.string(), taken: z.string(), queries: z.int() })).optional(),
  outOfScope: z
    .strictObject({ auroc: interval, recall: interval, fpr95: z.number(), ece: z.number().optional() })
    .optional(),
});

export type Cell = z.infer<typeof cellSchema>;

/** By what scores queries are told to be in scope or out. */
export const DETECTORS = ['confidence', 'prototype', 'served'] as const;

export type Detector = (typeof DETECTORS)[number];

/** How a head is run, besides its parameters. */
export interface Variant {
  /** Whether the name of a class is one more support row; no setting of FewRel or ARSC shows names. */
  readonly nameRows: boolean;
  /** Out of scope: what decides. */
  readonly detector: Detector;
  /** For relations: whether entities stand between marks in the text (`RelationOptions`), as an encoder may have been trained. */
  readonly marked: boolean;
}

/** What a cell's figures follow from. */
export interface CellOrigin {
  readonly protocol: Protocol;
  readonly variant: Variant;
  /** Fingerprint. */
  readonly encoder: string;
  /** A head's name, or the SHA-256 of the weights of a trained one. */
  readonly head: string;
  /** Tells calibrations apart; undefined without one. */
  readonly calibration: string | undefined;
}

/** To be raised when the evaluation itself changes, so that what is stored is not taken for what would come out. */
const VERSION = 1;

/** Equal where figures would be equal: a cell whose key is stored need not be evaluated again. */
export function cellKey({ protocol, variant, encoder, head, calibration }: CellOrigin): string {
  const parts = [
    VERSION,
    Object.entries(protocol).sort(([a], [b]) => (a < b ? -1 : 1)),
    [variant.nameRows, variant.detector, ...(variant.marked ? ['marked'] : [])],
    encoder,
    head,
    calibration ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

function mapValues<V, W>(record: Readonly<Record<string, V>>, f: (value: V) => W): Record<string, W> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}
