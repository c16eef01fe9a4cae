import { KshotError } from '../errors.js';
import { BatchingEncoder } from './batchingEncoder.js';
import { planDevices, type Device } from './device.js';
import type { EncoderObserver, SpanEncoder } from './encoder.js';
import { fingerprint, inspectWeights } from './fingerprint.js';
import { hubFolder, HubModel, parseHubId, type DownloadProgress } from './hub.js';
import { findWeights, isDirectory, readModelDirectory } from './modelDirectory.js';
import { finishReplacement } from './replacement.js';
import { openSession, type Session } from './session.js';
import { createTokenizer } from './tokenizer.js';

export interface EncoderOptions {
  /** A directory in the transformers.js layout, or a hub id (`org/name`, `org/name@revision`). */
  readonly model: string;
  readonly device: Device | 'auto';
  /** The weights' file without `.onnx`, such as `model_fp16`; chosen by device when absent. */
  readonly weights?: string | undefined;
  /** Where a hub model is kept; needed for one. */
  readonly cacheDir?: string;
  /** Fetch nothing: a hub model must be in the cache. */
  readonly offline?: boolean;
  readonly hubUrl?: string;
  /** Texts that share a forward pass at most; default 32. */
  readonly maxBatchTexts?: number;
  /** Tokens of a forward pass at most, padding included; default 2048 on a CPU, 16384 on a GPU. */
  readonly maxBatchTokens?: number;
  /** Texts that may wait; above it calls are refused; default 4096. */
  readonly maxQueuedTexts?: number;
  /** New work is refused where texts would wait longer for their pass, in milliseconds; absent, only their number counts. */
  readonly maxQueueMs?: number;
  /** Bound of the embedding cache; 0 turns it off; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Threads of a forward pass; 0, the default, leaves it to onnxruntime: one a physical core. */
  readonly threads?: number;
  readonly observer?: EncoderObserver;
  /** Told once, at load, of what an operator should know or mend. */
  readonly warn?: (message: string) => void;
  /** Told once, at load, of what is as expected. */
  readonly inform?: (message: string) => void;
  /** Told while a hub model is downloaded. */
  readonly progress?: (progress: DownloadProgress) => void;
}

export type { Device } from './device.js';
export type { DownloadProgress } from './hub.js';

const DEFAULT_HUB = 'https://huggingface.co';
const MIB = 1 << 20;
/**
 * The fixed cost of a pass in tokens: measured on 2 cores (0.8 ms, 0.05 ms a token). For GPUs an estimate: they read
 * thousands of tokens in the time that it takes to start a pass.
 */
const PASS_OVERHEAD: Readonly<Record<Device, number>> = { cpu: 16, cuda: 2048, webgpu: 2048 };
/** On a CPU passes beyond some hundred tokens only grow longer, not more efficient: 2048 take 0.12 s on 2 cores. */
const MAX_BATCH_TOKENS: Readonly<Record<Device, number>> = { cpu: 2048, cuda: 16384, webgpu: 16384 };

/** The folder that a model is loaded from, here or in the cache; of a hub model it may not be there yet. */
export async function modelFolder({
  model,
  cacheDir,
}: Pick<EncoderOptions, 'model' | 'cacheDir'>): Promise<string> {
  const id = parseHubId(model);
  if (id === undefined || cacheDir === undefined || (await isDirectory(model))) return model;
  return hubFolder(id, cacheDir);
}

/**
 * Loads an encoder: files (downloaded if need be), tokenizer, a session that has run once.
 *
 * @throws KshotError `encoder_unavailable` for files that are missing, damaged or no encoder's,
 *   `device_unavailable` for a device that cannot be had; `auto` falls back to the CPU instead and says why.
 */
export async function loadEncoder(options: EncoderOptions): Promise<SpanEncoder> {
  const source = await openModel(options);
  const model = await readModelDirectory(source.directory, source.name);
  const tokenizer = createTokenizer(model.tokenizer, model.tokenizerConfig, model.maxTokens);
  const { session, device, weights } = await openOnDevice(options, source, {
    pooling: model.pooling,
    padId: tokenizer.padId,
    threads: options.threads ?? 0,
  });
  const report = await inspectWeights(weights);
  if (report.dynamicallyQuantised) {
    options.warn?.(
      `${weights} quantises dynamically: an embedding depends on the texts that share its batch, so the same text ` +
        'may be answered differently. Prefer static int8, fp16 or fp32 weights',
    );
  }
  return new BatchingEncoder({
    name: model.name,
    fingerprint: fingerprint(report.digest, model),
    maxTokens: model.maxTokens,
    device,
    session,
    tokenizer,
    limits: {
      maxTexts: options.maxBatchTexts ?? 32,
      maxTokens: options.maxBatchTokens ?? MAX_BATCH_TOKENS[device],
      passOverhead: PASS_OVERHEAD[device],
    },
    maxQueuedTexts: options.maxQueuedTexts ?? 4096,
    maxQueueMs: options.maxQueueMs ?? Infinity,
    cacheBytes: options.cacheBytes ?? 64 * MIB,
    observer: options.observer,
  });
}

interface ModelSource {
  readonly directory: string;
  /** For a model of the hub: its id. */
  readonly name?: string;
  weights(device: Device): Promise<string>;
}

async function openModel(options: EncoderOptions): Promise<ModelSource> {
  const { model, weights } = options;
  await finishReplacement(model);
  if (await isDirectory(model)) {
    return { directory: model, weights: (device) => findWeights(model, device, weights) };
  }
  const id = parseHubId(model);
  if (id === undefined) {
    throw new KshotError(
      'encoder_unavailable',
      `There is no directory "${model}". Give the path of a model directory, or a hub id such as org/name`,
    );
  }
  if (options.cacheDir === undefined) {
    throw new KshotError(
      'invalid_configuration',
      `"${model}" is no directory here; a hub id needs a cacheDir`,
    );
  }
  const hub = new HubModel(id, {
    cacheDir: options.cacheDir,
    hubUrl: options.hubUrl ?? DEFAULT_HUB,
    offline: options.offline ?? false,
    progress: options.progress,
  });
  await hub.prepare();
  return { directory: hub.directory, name: model, weights: (device) => hub.weights(device, weights) };
}

interface OpenedSession {
  readonly session: Session;
  readonly device: Device;
  readonly weights: string;
}

async function openOnDevice(
  options: EncoderOptions,
  source: ModelSource,
  settings: Omit<Parameters<typeof openSession>[0], 'weights' | 'device'>,
): Promise<OpenedSession> {
  const plan = planDevices(options.device);
  if (plan.fallback !== undefined) {
    const tell = plan.fallback.expected ? options.inform : options.warn;
    tell?.(`The encoder runs on the CPU: ${plan.fallback.reason}`);
  }
  for (const device of plan.attempts) {
    const weights = await source.weights(device);
    try {
      return { session: await openSession({ ...settings, weights, device }), device, weights };
    } catch (error) {
      const last = device === plan.attempts.at(-1);
      if (last || !(error instanceof KshotError) || error.code !== 'device_unavailable') throw error;
      options.warn?.(`The encoder falls back to the CPU. ${error.message}`);
    }
  }
  throw new KshotError('device_unavailable', 'No device to try');
}
