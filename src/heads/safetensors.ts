import { KshotError } from '../errors.js';
import { fromFloat16, toFloat16 } from './float16.js';

// The safetensors format (https://huggingface.co/docs/safetensors): the length of the header in 8 bytes, the header as JSON
// (name to dtype, shape and place), the values one after the other. All little-endian, as every platform is that the
// heads' WebAssembly runs on.

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a header may be at most, in bytes: the format's own limit. */
const MAX_HEADER = 100_000_000;
const LENGTH_BYTES = 8;

/** The kinds of numbers that are read and written, and their bytes. BF16 is the upper half of F32. */
const BYTES = { F32: 4, BF16: 2, F16: 2 } as const;

export type Dtype = keyof typeof BYTES;

/** A safetensors file, its tensors in the order of the map. */
export function encodeSafetensors(tensors: ReadonlyMap<string, Tensor>, dtype: Dtype = 'F32'): Uint8Array {
  const entries: Record<string, object> = {};
  let end = 0;
  for (const [name, { shape, data }] of tensors) {
    const begin = end;
    end += data.length * BYTES[dtype];
    entries[name] = { dtype, shape, data_offsets: [begin, end] };
  }
  const header = Buffer.from(JSON.stringify(entries));
  const padding = -header.length & (LENGTH_BYTES - 1); // the values begin at a multiple of 8
  const start = LENGTH_BYTES + header.length + padding;
  const file = new Uint8Array(start + end).fill(0x20, LENGTH_BYTES, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length + padding), true);
  file.set(header, LENGTH_BYTES);
  let at = start;
  for (const { data } of tensors.values()) {
    const values = WRITTEN[dtype](data);
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

const WRITTEN: Readonly<Record<Dtype, (data: Float32Array) => Float32Array | Uint16Array>> = {
  F32: (data) => data,
  BF16: upperHalves,
  F16: toFloat16,
};

const READ: Readonly<Record<Dtype, (bytes: ArrayBuffer) => Float32Array>> = {
  F32: (bytes) => new Float32Array(bytes),
  BF16: (bytes) => fromUpperHalves(new Uint16Array(bytes)),
  F16: (bytes) => fromFloat16(new Uint16Array(bytes)),
};

/** Rounded to bfloat16: the nearest, of two equally near ones the even. */
function upperHalves(data: Float32Array): Uint16Array {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const halves = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    halves[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** By index: `Uint32Array.from` with a function takes thirty times as long, and a server reads millions as it starts. */
function fromUpperHalves(halves: Uint16Array): Float32Array {
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

/**
 * The tensors of a safetensors file, copied out of it, in the order that they lie in.
 *
 * @param wanted tells by name what is read; all by default.
 * @throws KshotError `invalid_file` where it is not such a file, is cut short, or holds other numbers than `Dtype` has
 *   among what is wanted.
 */
export function decodeSafetensors(
  file: Uint8Array,
  wanted: (name: string) => boolean = () => true,
): Map<string, Tensor> {
  const [header, start] = readHeader(file);
  const tensors = new Map<string, Tensor>();
  let end = 0;
  const byPlace = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => ({ name, ...readEntry(name, entry) }))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, dtype, shape, begin, end: next } of byPlace) {
    const misplaced = () => invalid(`the tensor "${name}" is not where the header says`);
    if (begin !== end || next < begin || start + next > file.length) throw misplaced();
    end = next;
    if (!wanted(name)) continue;
    if (!isDtype(dtype)) throw invalid(`the tensor "${name}" is none of ${Object.keys(BYTES).join(', ')}`);
    const size = shape.reduce((product, n) => product * n, 1);
    if (next - begin !== size * BYTES[dtype]) throw misplaced();
    const data = READ[dtype](Uint8Array.from(file.subarray(start + begin, start + next)).buffer);
    tensors.set(name, { shape, data });
  }
  if (start + end !== file.length) throw invalid('there is more in it than its header says');
  return tensors;
}

function readHeader(file: Uint8Array): [Record<string, unknown>, number] {
  if (file.length < LENGTH_BYTES) throw invalid('it is cut short');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const start = LENGTH_BYTES + length;
  if (length > MAX_HEADER || start > file.length) throw invalid('its header is cut short');
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(file.subarray(LENGTH_BYTES, start)).toString('utf8'));
  } catch (cause) {
    throw invalid('its header is no JSON', cause);
  }
  if (typeof header !== 'object' || header === null) throw invalid('its header is no JSON object');
  return [header as Record<string, unknown>, start];
}

interface Entry {
  readonly dtype: unknown;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, entry: unknown): Entry {
  const { dtype, shape, data_offsets } = (entry ?? {}) as Record<string, unknown>;
  if (!isSizes(shape) || !isSizes(data_offsets) || data_offsets.length !== 2) {
    throw invalid(`the header is wrong about the tensor "${name}"`);
  }
  return { dtype, shape, begin: data_offsets[0]!, end: data_offsets[1]! };
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(BYTES, value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

function invalid(reason: string, cause?: unknown): KshotError {
  return new KshotError('invalid_file', `This is no safetensors file that can be read: ${reason}.`, {
    cause,
  });
}
