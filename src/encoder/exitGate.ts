const IDLE = 0;
const BUSY = 1;
const SHUT = 2;
/** Longer than any pass within the default limits. */
const LONGEST_WAIT_MS = 5000;

/**
 * Between the main thread and a thread that runs native code. `process.exit()` stops threads at once, and
 * onnxruntime-node, stopped inside of a pass, aborts the whole process with its core; so the exit waits for the pass.
 */
export class ExitGate {
  private readonly state: Int32Array;

  /** @param shared one per pair of threads, starting as busy. */
  constructor(readonly shared: SharedArrayBuffer) {
    this.state = new Int32Array(shared);
  }

  static busy(): ExitGate {
    const gate = new ExitGate(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    Atomics.store(gate.state, 0, BUSY);
    return gate;
  }

  /** The thread begins native work. @returns false when the process ends: then it must not. */
  enter(): boolean {
    return Atomics.compareExchange(this.state, 0, IDLE, BUSY) === IDLE;
  }

  /** The thread's native work is done. */
  leave(): void {
    Atomics.compareExchange(this.state, 0, BUSY, IDLE);
    Atomics.notify(this.state, 0);
  }

  /** The process ends: waits, blocking, for work that runs, and lets no other begin. */
  readonly shut = (): void => {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    while (Atomics.compareExchange(this.state, 0, IDLE, SHUT) === BUSY) {
      const left = deadline - performance.now();
      if (left <= 0 || Atomics.wait(this.state, 0, BUSY, left) === 'timed-out') return;
    }
  };
}
