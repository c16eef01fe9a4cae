import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { type numpy as np, tree } from '@jax-js/jax';
import { identifyEncoder } from '../../encoder/fingerprint.js';
import { loadEncoder } from '../../encoder/load.js';
import { KshotError } from '../../errors.js';
import { saveCheckpoint } from '../../heads/checkpoint.js';
import { createTrainedHead } from '../../heads/trained.js';
import { classIndices, type TextClass } from '../datasets/textSet.js';
import type { EmbeddingCache } from '../embeddingCache.js';
import type { TaskSource } from '../episodeStream.js';
import type { LearnedParams } from '../learner.js';
import type { Proportion } from '../../statistics/measures.js';
import { Random } from '../../statistics/random.js';
import { relationFingerprint } from '../relationEmbedding.js';
import type { TrainingConfig } from '../trainingConfig.js';
import type { TrainingData } from '../trainingData.js';
import { startParams, streamsOf, type Trainee } from '../trainingRun.js';
import { type Bert, writeBertWeights } from './bert.js';
import { EncoderLearner } from './encoderLearner.js';
import { type LayerParams, upperLayers, withUpperLayers } from './layers.js';
import { lowerLayersModel, TOKEN_STATES } from './onnx/bertGraph.js';
import { agreementOf } from './onnx/checkEmbeddings.js';
import { exportEncoder } from './onnx/exportEncoder.js';
import { encodeModel } from './onnx/schema.js';
import { TokenGraph } from './onnx/tokenGraph.js';
import type { StartingEncoder } from './startingEncoder.js';
import { type TokenInput, type TokenizedSet, tokenizeSet, wholeText } from './tokenInput.js';
import { type LowerLayers, TokenStates } from './tokenStates.js';
import { UpperEncoder } from './upperEncoder.js';

export interface EncoderTrainingOptions {
  /** Where the head's checkpoint goes; the encoder goes to `encoder` in it. */
  readonly out: string;
  /** Of embeddings, and of the states that the layers that do not learn give. */
  readonly cache: EmbeddingCache;
  /** A class in the words that the server would embed for it; empty where its name says nothing. */
  readonly describe: (described: TextClass) => string;
  /** Told of what takes a while besides the training, then how much of it is done. */
  readonly progress?: (label: string) => (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Of the layers; 0, the default, leaves their number to onnxruntime. */
  readonly threads?: number;
  /** Told how the accuracy goes with the share of the way from the starting weights to the learned ones. */
  readonly interpolated?: (shares: readonly InterpolationPoint[], chosen: InterpolationPoint) => void;
}

/** The validation of weights that are so far on the way from the start to what was learned. */
export interface InterpolationPoint extends Proportion {
  readonly share: number;
}

/** What is to be given back after the run. */
export type EncoderTrainee = Trainee & { close(): Promise<void> };

/** Texts that the exported encoder is calibrated and checked on. */
const CALIBRATION_TEXTS = 400;
/** Texts that layers and graph are compared on before anything is learned. */
const COMPARED_TEXTS = 16;
/** What a number of an embedding may be off by: the states that the layers are given are kept in half precision. */
const TOLERANCE = 1e-3;

/**
 * An encoder's upper layers and a head, to be trained together by `runTraining`. What comes of it is interpolated with the
 * starting weights as far as is best by validation (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"): what is
 * learned alone loses what the start knew of classes that are far from the training's.
 *
 * @param config with `unfreeze`.
 * @param data embedded by the starting encoder's folder.
 * @throws KshotError `invalid_configuration` for a head that cannot learn so, `encoder_unavailable` where layers and graph do
 *   not agree, and what the cache throws.
 */
export async function encoderTrainee(
  config: TrainingConfig,
  data: TrainingData,
  encoder: StartingEncoder,
  options: EncoderTrainingOptions,
): Promise<EncoderTrainee> {
  const { layers, interpolation } = config.unfreeze!;
  const { bert } = encoder;
  const head = createTrainedHead(config.head, config.options);
  if (head.adaptsAlike === true) {
    throw new KshotError(
      'invalid_configuration',
      `${config.head} adapts by steps that its loss knows nothing of, so that no gradient reaches the encoder: train another head with --unfreeze`,
    );
  }
  if (layers > bert.shape.layers) {
    throw new KshotError(
      'invalid_configuration',
      `${encoder.from} has ${bert.shape.layers} layers, of which ${layers} cannot learn: unfreeze fewer`,
    );
  }
  const entities = config.data.some((spec) => spec.entities === true);
  const tokenized = (sources: readonly TaskSource[]): TokenizedSet[] =>
    sources.map(({ embedded: { set } }) => tokenizeSet(set, encoder.tokenizer, options.describe, entities));
  const sets = { training: tokenized(data.training), validation: tokenized(data.validation) };

  const lower = await openLowerLayers(bert, bert.shape.layers - layers, options.threads);
  const states = new TokenStates(lower, options.cache);
  const parts = sets.training[0]!.texts[0]!.parts.length;
  const opening = UpperEncoder.open(bert.shape, layers, parts, states, options.threads);
  const upper = await opening.catch(async (error: unknown) => {
    await lower.close();
    throw error;
  });
  const start = upperLayers(bert, layers);
  /** Embeddings of whole texts by layers: `[n, D]`. */
  const sentences = async (ofLayers: LayerParams[], ids: readonly (readonly number[])[]) => {
    const inputs = ids.map((one) => wholeText(one, parts));
    return firstParts(await upper.embed(ofLayers, inputs), bert.shape.width, parts);
  };
  const close = async () => {
    tree.dispose(start);
    await upper.close();
    await lower.close();
  };
  try {
    const texts = [...sets.training, ...sets.validation].flatMap(inputsOf);
    const progress = options.progress?.('states of the lower layers');
    await states.prepare(texts, {
      ...(progress === undefined ? {} : { progress }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    await compare(
      (ids) => sentences(start, ids),
      encoder,
      data.training[0]!.embedded.set.texts.slice(0, COMPARED_TEXTS),
    );
  } catch (error) {
    await close();
    throw error;
  }

  const streams = streamsOf(config, data);
  const learner = new EncoderLearner(head, upper, start, {
    training: { stream: streams.training, sets: sets.training },
    validation: { stream: streams.validation, sets: sets.validation, episodes: config.validationEpisodes },
    nameRows: config.names,
  });
  return {
    learner,
    start: () => ({ head: startParams(head, config, data), encoder: tree.ref(start) }),
    identity: lower.fingerprint,
    close,
    async write(best, metadata) {
      const { params, points, chosen } = await interpolate(learner, start, best, interpolation);
      options.interpolated?.(points, chosen);
      const texts = calibrationTexts(data, encoder, config.seed);
      const reference = await sentences(
        params.encoder as LayerParams[],
        texts.map(({ ids }) => ids),
      );
      const folder = join(options.out, 'encoder');
      const learned = withUpperLayers(bert, params.encoder as LayerParams[]);
      await exportEncoder(learned, {
        from: encoder.from,
        name: basename(resolve(options.out)),
        folder,
        texts: texts.map(({ text }) => text),
        reference,
        tolerance: TOLERANCE,
        calibratedOn: `${texts.length} texts that it was trained on`,
        trainedOn: [
          `The last ${layers} of its ${bert.shape.layers} layers, with the head ${head.name}, on`,
          ...data.description.map((line) => `\n- ${line}`),
          `\n\nThen ${chosen.share} of the way from the start to what was learned, chosen on the validation's classes.`,
        ].join(''),
        ...(options.progress === undefined ? {} : { progress: options.progress }),
      });
      await writeBertWeights(folder, learned, 'F16');
      const results = {
        ...metadata.results,
        interpolation: points.map((point) => ({ ...point })),
        share: chosen.share,
        peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
      };
      const identity = await identifyEncoder(folder, 'cpu');
      const fingerprint = entities ? relationFingerprint(identity) : identity.fingerprint;
      await saveCheckpoint(options.out, params.head, { ...metadata, results, encoder: fingerprint });
    },
  };
}

/**
 * The weights on the way from the start to what was learned that are best by validation; of equals those nearest to the start.
 *
 * @param start not consumed. @param learned consumed.
 * @returns parameters, the caller's own.
 */
export async function interpolate(
  learner: Pick<EncoderLearner, 'accuracy'>,
  start: LayerParams[],
  learned: LearnedParams,
  shares: readonly number[],
): Promise<{ params: LearnedParams; points: InterpolationPoint[]; chosen: InterpolationPoint }> {
  const at = (share: number): LearnedParams => ({
    head: tree.ref(learned.head),
    encoder: tree.map(
      (from: np.Array, to: np.Array) => from.mul(1 - share).add(to.mul(share)),
      tree.ref(start),
      tree.ref(learned.encoder!),
    ),
  });
  const points: InterpolationPoint[] = [];
  for (const share of [...shares].sort((a, b) => a - b)) {
    const params = at(share);
    points.push({ share, ...(await learner.accuracy(params)) });
    tree.dispose(params);
  }
  const chosen = points.reduce((best, point) => (point.value > best.value ? point : best));
  const params = at(chosen.share);
  tree.dispose(learned);
  return { params, points, chosen };
}

/** The frozen layers in onnxruntime. */
async function openLowerLayers(
  bert: Bert,
  layers: number,
  threads: number | undefined,
): Promise<LowerLayers & { close(): Promise<void> }> {
  const model = lowerLayersModel(bert, layers, 'float16');
  const graph = await TokenGraph.open(model, threads);
  const { width } = bert.shape;
  return {
    longest: bert.shape.positions,
    fingerprint: createHash('sha256').update(encodeModel(model)).digest('hex').slice(0, 16),
    width,
    async run(texts, length) {
      const ids = new Int32Array(texts.length * length);
      const mask = new Uint8Array(ids.length);
      for (const [row, tokens] of texts.entries()) {
        ids.set(tokens, row * length);
        mask.fill(1, row * length, row * length + tokens.length);
      }
      const states = new Uint16Array(ids.length * width);
      // As many texts at a time as onnxruntime has some thousand tokens of.
      const rows = Math.max(1, Math.floor(PASS_TOKENS / length));
      for (let from = 0; from < texts.length; from += rows) {
        const to = Math.min(from + rows, texts.length);
        const part = (values: Int32Array | Uint8Array) => values.subarray(from * length, to * length);
        const pass = await graph.run({ rows: to - from, ids: part(ids), mask: part(mask) }, [TOKEN_STATES]);
        states.set(pass[TOKEN_STATES].data, from * length * width);
      }
      return states;
    },
    close: () => graph.close(),
  };
}

/** Tokens of a pass through the frozen layers, padding included. */
const PASS_TOKENS = 2048;

function inputsOf({ texts, names }: TokenizedSet): TokenInput[] {
  return [...texts, ...names.filter((name) => name !== undefined)];
}

/** @throws KshotError `encoder_unavailable` where the layers give other embeddings than the encoder's graph. */
async function compare(
  sentences: (ids: readonly (readonly number[])[]) => Promise<Float32Array>,
  { folder, tokenizer }: StartingEncoder,
  texts: readonly string[],
): Promise<void> {
  const own = await sentences(texts.map((text) => tokenizer.tokenize(text).ids));
  const encoder = await loadEncoder({ model: folder, device: 'cpu' });
  const { embeddings } = await encoder.encode(texts).finally(() => encoder.close());
  const { deviation } = agreementOf(own, embeddings, encoder.dimension);
  if (deviation <= TOLERANCE) return;
  throw new KshotError(
    'encoder_unavailable',
    `the layers that are to learn give embeddings that are ${deviation.toExponential(1)} off those of the encoder's graph: it ` +
      'is no BERT as kshot knows them',
  );
}

/** Texts of the training that are not cut, no text twice, drawn by the seed. */
function calibrationTexts(
  { training }: TrainingData,
  { tokenizer }: StartingEncoder,
  seed: number,
): { text: string; ids: readonly number[] }[] {
  const random = new Random(seed).split('calibration');
  const share = Math.ceil(CALIBRATION_TEXTS / training.length);
  const drawn = training.flatMap(({ embedded: { set }, classes }) => {
    const learned = new Set(classes === undefined ? set.classes.keys() : classIndices(set, classes));
    const texts = [...new Set(set.texts.filter((_, row) => learned.has(set.labels[row]!)))];
    return random.split(set.name).sample(texts, Math.min(share, texts.length));
  });
  return [...new Set(drawn)].flatMap((text) => {
    const { ids, truncated } = tokenizer.tokenize(text);
    return truncated ? [] : [{ text, ids }];
  });
}

/** Of texts whose parts are all the same, what a part would be alone: `[n, S D]` to `[n, D]`. */
function firstParts(embeddings: Float32Array, D: number, S: number): Float32Array {
  const length = Math.sqrt(S);
  return Float32Array.from({ length: embeddings.length / S }, (_, i) => {
    const row = Math.floor(i / D);
    return embeddings[row * S * D + (i % D)]! * length;
  });
}
