import {
  bindDotKernel,
  PAGE_BYTES,
  reserveMemory,
  ROW_STEP,
  type DotKernel,
  type KernelMemory,
} from './dotKernel.js';

const FIRST_CAPACITY = 16;
/** From here on rows live in WebAssembly memory: a memory reserves address space, too much for thousands of tiny bots. */
const KERNEL_CAPACITY = 256;

/** Rows of floats in one contiguous block that grows by doubling, and their inner products with a query. */
export class RowStore {
  /** Floats from one row to the next. */
  private readonly stride: number;
  private capacity = 0;
  /** `[capacity, stride]`; what lies beyond the dimension is zero. */
  private rows = new Float32Array(0);
  private query = new Float32Array(0);
  private scores = new Float32Array(0);
  private memory: KernelMemory | undefined;
  private kernel: DotKernel | undefined;

  constructor(private readonly dimension: number) {
    this.stride = Math.ceil(dimension / ROW_STEP) * ROW_STEP;
  }

  /** A view `[D]`, valid until rows are added. */
  get(row: number): Float32Array {
    return this.rows.subarray(row * this.stride, row * this.stride + this.dimension);
  }

  /** Writes a row; the one after the last makes room for itself. */
  set(row: number, vector: Float32Array): void {
    if (row >= this.capacity) this.grow(Math.max(FIRST_CAPACITY, this.capacity * 2));
    this.rows.set(vector, row * this.stride);
  }

  copy(from: number, to: number): void {
    this.rows.copyWithin(to * this.stride, from * this.stride, (from + 1) * this.stride);
  }

  /** Gives the memory back. */
  clear(): void {
    this.capacity = 0;
    this.rows = this.query = this.scores = new Float32Array(0);
    this.memory = this.kernel = undefined;
  }

  /**
   * @param count of rows, from the first.
   * @returns `[count]`; overwritten by the next call.
   */
  innerProducts(query: Float32Array, count: number): Float32Array {
    if (this.kernel) {
      this.query.set(query);
      this.kernel.dot(0, this.rows.byteOffset, count, 4 * this.stride, this.scores.byteOffset);
    } else {
      this.innerProductsInJavaScript(query, count);
    }
    return this.scores;
  }

  private innerProductsInJavaScript(query: Float32Array, count: number): void {
    const { rows, stride, dimension, scores } = this;
    const even = dimension - (dimension % 4);
    for (let row = 0, at = 0; row < count; row++, at += stride) {
      let a = 0;
      let b = 0;
      let c = 0;
      let d = 0;
      for (let i = 0; i < even; i += 4) {
        a += query[i]! * rows[at + i]!;
        b += query[i + 1]! * rows[at + i + 1]!;
        c += query[i + 2]! * rows[at + i + 2]!;
        d += query[i + 3]! * rows[at + i + 3]!;
      }
      for (let i = even; i < dimension; i++) a += query[i]! * rows[at + i]!;
      scores[row] = a + b + c + d;
    }
  }

  private grow(capacity: number): void {
    if (capacity < KERNEL_CAPACITY || !this.growInMemory(capacity)) {
      const { rows } = this;
      this.rows = new Float32Array(capacity * this.stride);
      this.rows.set(rows);
      this.scores = new Float32Array(capacity);
    }
    this.capacity = capacity;
  }

  /** Returns false where no address space is left for one more memory: the JavaScript loop serves as well. */
  private growInMemory(capacity: number): boolean {
    const { stride, rows } = this;
    // Query, rows, scores.
    const pages = Math.ceil((4 * (stride + capacity * stride + capacity)) / PAGE_BYTES);
    const memory = this.memory ?? reserveMemory(pages);
    if (memory === undefined) return false;
    if (this.memory) memory.grow(pages - memory.buffer.byteLength / PAGE_BYTES);
    this.query = new Float32Array(memory.buffer, 0, stride);
    this.rows = new Float32Array(memory.buffer, 4 * stride, capacity * stride);
    this.scores = new Float32Array(memory.buffer, 4 * stride * (1 + capacity), capacity);
    if (this.memory) {
      this.rows.fill(0, this.capacity * stride, this.capacity * (stride + 1)); // where the scores were
    } else {
      this.rows.set(rows);
      this.memory = memory;
      this.kernel = bindDotKernel(memory);
    }
    return true;
  }
}
