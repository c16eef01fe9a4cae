import type { Device } from './device.js';
import type { Pooling } from './pooling.js';

/** What the session's worker is started with. */
export interface SessionSettings {
  /** Path of the ONNX file. */
  readonly weights: string;
  readonly device: Device;
  /** For a graph that has no `sentence_embedding`. */
  readonly pooling: Pooling;
  readonly padId: number;
  /** Threads of one forward pass; 0 leaves it to onnxruntime. */
  readonly threads: number;
}

/** What the worker is given at its start. */
export interface SessionWorkerData {
  readonly settings: SessionSettings;
  /** Of an ExitGate that is busy until the worker has loaded. */
  readonly gate: SharedArrayBuffer;
}

/** Texts of one forward pass, not yet padded. */
export interface PackedBatch {
  /** Token ids of all texts, one after the other. */
  readonly ids: Int32Array;
  /** `[rows]`, tokens of each text. */
  readonly lengths: Int32Array;
  /**
   * `[rows, S, 2]`: spans of each text whose states are wanted beside the embedding, as the first token and the one after
   * the last, which are equal where a span has none.
   */
  readonly spans?: Int32Array;
}

/** To the worker. Passes are answered in the order in which they were asked for. */
export type SessionRequest = ({ readonly kind: 'run' } & PackedBatch) | { readonly kind: 'close' };

/** From the worker. */
export type SessionReply =
  | { readonly kind: 'ready'; readonly dimension: number }
  /** Nothing can be run; `blame` says whether the device or the model's files are at fault. */
  | { readonly kind: 'unusable'; readonly blame: 'device' | 'model'; readonly message: string }
  /** `embeddings` is `[rows, D]`, or `[rows, 1 + S, D]` where spans were given, unit length. */
  | { readonly kind: 'done'; readonly embeddings: Float32Array; readonly milliseconds: number }
  | { readonly kind: 'failed'; readonly message: string };
