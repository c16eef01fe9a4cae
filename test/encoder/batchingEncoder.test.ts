import { describe, expect, test } from '@jest/globals';
import { BatchingEncoder } from '../../src/encoder/batchingEncoder.js';
import type { EncoderObserver } from '../../src/encoder/encoder.js';
import type { Pass, Session } from '../../src/encoder/session.js';
import type { PackedBatch } from '../../src/encoder/sessionProtocol.js';
import type { TextTokenizer } from '../../src/encoder/tokenizer.js';
import { KshotError } from '../../src/errors.js';

/** One pass that the test ends when it likes. */
interface HeldPass {
  readonly lengths: number[];
  succeed(): void;
  fail(): void;
}

/** Embeds a text of n tokens that starts with id k as [n, k]; passes end when the test says so. */
class HeldSession implements Session {
  readonly dimension = 2;
  readonly passes: HeldPass[] = [];
  closed = false;

  run(batch: PackedBatch): Promise<Pass> {
    return new Promise((resolve, reject) => {
      const lengths = [...batch.lengths];
      let from = 0;
      const embeddings = Float32Array.from(
        lengths.flatMap((tokens) => {
          const first = batch.ids[from] ?? NaN;
          from += tokens;
          return [tokens, first];
        }),
      );
      this.passes.push({
        lengths,
        succeed: () => resolve({ embeddings, milliseconds: 10 }),
        fail: () => reject(new KshotError('encoder_unavailable', 'a pass failed')),
      });
    });
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** One token a character, its code. Fails on "bad". */
const CHARACTERS: TextTokenizer = {
  padId: 0,
  tokenize: (text) => {
    if (text === 'bad') throw new KshotError('invalid_request', 'cannot be read');
    return { ids: Array.from(text, (c) => c.charCodeAt(0)), truncated: text.endsWith('!') };
  },
  locate: (_text, spans) => spans.map(([start, end]) => [start, end]),
};

interface Setup {
  maxTexts?: number;
  maxQueuedTexts?: number;
  maxQueueMs?: number;
  now?: () => number;
  cacheBytes?: number;
  observer?: EncoderObserver;
}

function setUp(options: Setup = {}): { encoder: BatchingEncoder; session: HeldSession } {
  const session = new HeldSession();
  const encoder = new BatchingEncoder({
    name: 'held',
    fingerprint: 'f',
    maxTokens: 100,
    device: 'cpu',
    session,
    tokenizer: CHARACTERS,
    limits: { maxTexts: options.maxTexts ?? 4, maxTokens: 1000, passOverhead: 100 },
    maxQueuedTexts: options.maxQueuedTexts ?? 100,
    maxQueueMs: options.maxQueueMs ?? Infinity,
    now: options.now ?? (() => 0),
    cacheBytes: options.cacheBytes ?? 0,
    observer: options.observer,
  });
  return { encoder, session };
}

/** Lets the event loop turn: what is queued goes to the session, what ended is handed out. */
const turn = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Ends passes as they come until `work` is done. */
async function endPasses<T>(session: HeldSession, work: Promise<T>): Promise<T> {
  let done = false;
  void work.catch(() => undefined).finally(() => (done = true));
  for (let next = 0; !done;) {
    for (; next < session.passes.length; next++) session.passes[next]?.succeed();
    await turn();
  }
  return work;
}

describe('batching', () => {
  test('calls of one turn of the event loop share a pass; each gets its own rows, in order', async () => {
    const { encoder, session } = setUp();
    const calls = Promise.all([encoder.encode(['aa', 'b']), encoder.encode(['ccc'])]);
    const [first, second] = await endPasses(session, calls);
    expect(session.passes.map((pass) => pass.lengths)).toEqual([[1, 2, 3]]);
    expect(first).toEqual({
      rows: 2,
      embeddings: new Float32Array([2, 97, 1, 98]),
      truncated: [false, false],
    });
    expect([...second.embeddings]).toEqual([3, 99]);
  });

  test('what arrives while a pass runs waits for the next one and shares it', async () => {
    const { encoder, session } = setUp();
    const calls = [encoder.encode(['a'])];
    await turn();
    for (const text of ['b', 'c', 'd']) {
      calls.push(encoder.encode([text]));
      await turn();
    }
    expect(session.passes).toHaveLength(1);
    expect(encoder.stats().queuedTexts).toBe(3);
    await endPasses(session, Promise.all(calls));
    expect(session.passes.map((pass) => pass.lengths.length)).toEqual([1, 3]);
  });

  test('one pass is asked for ahead, once a full batch waits', async () => {
    const { encoder, session } = setUp();
    const calls = [encoder.encode(['a'])];
    await turn();
    calls.push(encoder.encode(Array.from('bcdefghijklm')));
    await turn();
    expect(session.passes.map((pass) => pass.lengths.length)).toEqual([1, 4]);
    await endPasses(session, Promise.all(calls));
    expect(session.passes.map((pass) => pass.lengths.length)).toEqual([1, 4, 4, 4]);
  });

  test('a call beyond the size of a batch is split, not refused', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 5 });
    const texts = Array.from({ length: 1000 }, (_, i) => String.fromCharCode(1000 + i));
    const encoded = await endPasses(session, encoder.encode(texts));
    expect(session.passes).toHaveLength(250);
    expect([...encoded.embeddings]).toEqual(texts.flatMap((text) => [1, text.charCodeAt(0)]));
  });

  test('the same text is read once at a time', async () => {
    const { encoder, session } = setUp();
    const call = Promise.all([encoder.encode(['a', 'b', 'a']), encoder.encode(['a'])]);
    const [first, second] = await endPasses(session, call);
    expect(session.passes.map((pass) => pass.lengths)).toEqual([[1, 1]]);
    expect([...first.embeddings]).toEqual([1, 97, 1, 98, 1, 97]);
    expect([...second.embeddings]).toEqual([1, 97]);
  });

  test('no texts need no pass', async () => {
    const { encoder, session } = setUp();
    expect(await encoder.encode([])).toEqual({ rows: 0, embeddings: new Float32Array(0), truncated: [] });
    expect(session.passes).toHaveLength(0);
  });

  test('says which texts were cut', async () => {
    const { encoder, session } = setUp();
    expect((await endPasses(session, encoder.encode(['a', 'b!']))).truncated).toEqual([false, true]);
  });

  test('the observer hears of every pass and every wait', async () => {
    const passes: number[][] = [];
    let waits = 0;
    const observer: EncoderObserver = {
      batch: (rows, length, milliseconds) => void passes.push([rows, length, milliseconds]),
      queued: (milliseconds) => void (waits += milliseconds >= 0 ? 1 : 0),
    };
    const { encoder, session } = setUp({ observer });
    await endPasses(session, encoder.encode(['a', 'bbb']));
    expect(passes).toEqual([[2, 3, 10]]);
    expect(waits).toBe(2);
  });
});

describe('failures', () => {
  test('a pass that fails rejects exactly the calls in it', async () => {
    const { encoder, session } = setUp({ maxTexts: 2 });
    const first = encoder.encode(['a', 'b', 'c']); // two passes
    const second = encoder.encode(['d']);
    await turn();
    session.passes[0]?.fail();
    await expect(first).rejects.toMatchObject({ code: 'encoder_unavailable' });
    await endPasses(session, second);
    expect([...(await second).embeddings]).toEqual([1, 100]);
    expect([...(await endPasses(session, encoder.encode(['a']))).embeddings]).toEqual([1, 97]);
  });

  test('a text that cannot be tokenised fails its own calls only', async () => {
    const { encoder, session } = setUp();
    const bad = encoder.encode(['fine', 'bad', 'later']);
    const good = encoder.encode(['good']);
    await expect(bad).rejects.toMatchObject({ message: 'cannot be read' });
    expect([...(await endPasses(session, good)).embeddings]).toEqual([4, 103]);
    expect(session.passes.map((pass) => pass.lengths)).toEqual([[4]]);
    expect(encoder.stats().queuedTexts).toBe(0);
  });
});

describe('admission', () => {
  test('a full queue refuses a text and a batch alike, and says when to come back', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 2 });
    const calls = [encoder.encode(['a'])];
    await turn();
    calls.push(encoder.encode(['b']), encoder.encode(['c']));
    for (const texts of [['d'], ['e', 'f', 'g']]) {
      const refused = encoder.encode(texts);
      await expect(refused).rejects.toMatchObject({ code: 'overloaded' });
      await expect(refused).rejects.toHaveProperty('retryAfterMs', 50);
    }
    await endPasses(session, Promise.all(calls));
    await endPasses(session, encoder.encode(['d']));
  });

  test('the time to come back grows with the queue and shrinks with the throughput', async () => {
    const { encoder, session } = setUp({ maxTexts: 10, maxQueuedTexts: 200 });
    await endPasses(session, encoder.encode(Array.from('abcdefghij'))); // 10 texts in 10 ms: 1 text/ms
    const queued = encoder.encode(Array.from({ length: 210 }, (_, i) => String.fromCharCode(500 + i)));
    await expect(encoder.encode(['z'])).rejects.toHaveProperty('retryAfterMs', 210);
    await endPasses(session, queued);
  });

  test('a queue that would take too long refuses, however few wait', async () => {
    const { encoder, session } = setUp({ maxTexts: 10, maxQueueMs: 20 });
    await endPasses(session, encoder.encode(Array.from('abcdefghij'))); // 1 text/ms
    const queued = encoder.encode(Array.from({ length: 20 }, (_, i) => String.fromCharCode(500 + i)));
    await expect(encoder.encode(['z'])).rejects.toMatchObject({ code: 'overloaded' });
    await endPasses(session, queued);
    await endPasses(session, encoder.encode(['z']));
  });

  test('what a pass costs is counted with the time until its texts are handed out', async () => {
    let now = 0;
    const { encoder, session } = setUp({ maxTexts: 10, maxQueuedTexts: 20, now: () => now });
    const first = encoder.encode(Array.from('abcdefghij'));
    await turn();
    now = 40; // the pass itself says 10 ms
    await endPasses(session, first);
    const queued = encoder.encode(Array.from({ length: 20 }, (_, i) => String.fromCharCode(500 + i)));
    await expect(encoder.encode(['z'])).rejects.toHaveProperty('retryAfterMs', 80); // 10 texts in 40 ms
    await endPasses(session, queued);
  });

  test('cached texts are answered whatever waits', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 1, cacheBytes: 10_000 });
    await endPasses(session, encoder.encode(['known']));
    const waiting = encoder.encode(['a']);
    expect([...(await encoder.encode(['known'])).embeddings]).toEqual([5, 107]);
    await expect(encoder.encode(['known', 'new'])).rejects.toMatchObject({ code: 'overloaded' });
    await endPasses(session, waiting);
  });
});

describe('a refusal before the texts are there', () => {
  test('is what encode throws, and there is none while there is room', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 1 });
    expect(encoder.refusal()).toBeUndefined();
    const running = encoder.encode(['a']);
    await turn();
    const queued = encoder.encode(['b']);
    const refusal = encoder.refusal();
    expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: 50 });
    await expect(encoder.encode(['c'])).rejects.toBe(refusal);
    await endPasses(session, Promise.all([running, queued]));
    expect(encoder.refusal()).toBeUndefined();
  });

  test('is not given while the cache answers some: it is worth looking', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 1, cacheBytes: 10_000 });
    await endPasses(session, encoder.encode(['known']));
    const running = encoder.encode(['a']);
    await turn();
    const queued = encoder.encode(['b']);
    expect(encoder.refusal()).toBeUndefined();
    for (let n = 0; n < 400; n++) await encoder.encode([`new ${n}`]).catch(() => undefined);
    expect(encoder.refusal()).toMatchObject({ code: 'overloaded' });
    for (let n = 0; n < 10; n++) await encoder.encode(['known']);
    expect(encoder.refusal()).toBeUndefined();
    await endPasses(session, Promise.all([running, queued]));
  });
});

describe('background work', () => {
  test('is never refused, fills no queue, and runs only while no request waits', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 2 });
    const background = encoder.encode(Array.from('abcdefgh'), { background: true });
    await turn();
    const foreground = encoder.encode(['XX']);
    const more = encoder.encode(['YY']);
    expect(encoder.stats().queuedTexts).toBe(2);
    await turn();
    expect(session.passes.map((pass) => pass.lengths)).toEqual([[1, 1, 1, 1]]);
    session.passes[0]?.succeed();
    await turn();
    expect(session.passes[1]?.lengths).toEqual([2, 2]);
    await endPasses(session, Promise.all([background, foreground, more]));
    expect(session.passes.map((pass) => pass.lengths.length)).toEqual([4, 2, 4]);
  });

  test('a request for a text that waits in the background takes it along', async () => {
    const { encoder, session } = setUp();
    const background = encoder.encode(Array.from('abcdefgh'), { background: true });
    await turn();
    const foreground = encoder.encode(['h']);
    await turn();
    session.passes[0]?.succeed();
    await turn();
    session.passes[1]?.succeed();
    expect([...(await foreground).embeddings]).toEqual([1, 104]);
    await endPasses(session, background);
    expect(session.passes.map((pass) => pass.lengths.length)).toEqual([4, 1, 3]);
  });
});

describe('cancellation', () => {
  test('a cancelled call is refused at once and its texts are skipped', async () => {
    const { encoder, session } = setUp({ maxQueuedTexts: 3 });
    const running = encoder.encode(['a']);
    await turn();
    const controller = new AbortController();
    const cancelled = encoder.encode(['b', 'c'], { signal: controller.signal });
    const shared = encoder.encode(['c']);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(encoder.stats().queuedTexts).toBe(1);
    await endPasses(session, Promise.all([running, shared]));
    expect(session.passes.map((pass) => pass.lengths)).toEqual([[1], [1]]);
    expect([...(await shared).embeddings]).toEqual([1, 99]);
  });

  test('a text that was dropped can be asked for again', async () => {
    const { encoder, session } = setUp();
    const running = encoder.encode(['a']);
    await turn();
    const controller = new AbortController();
    const cancelled = encoder.encode(['b'], { signal: controller.signal });
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    const again = encoder.encode(['b']);
    await endPasses(session, Promise.all([running, again]));
    expect([...(await again).embeddings]).toEqual([1, 98]);
  });

  test('a signal that is aborted already, or too late', async () => {
    const { encoder, session } = setUp();
    await expect(encoder.encode(['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await turn();
    expect(session.passes).toHaveLength(0);
    const controller = new AbortController();
    const done = await endPasses(session, encoder.encode(['a'], { signal: controller.signal }));
    controller.abort();
    expect([...done.embeddings]).toEqual([1, 97]);
  });
});

describe('cache', () => {
  test('a text seen lately needs no pass; whether it was cut is remembered', async () => {
    const { encoder, session } = setUp({ cacheBytes: 10_000 });
    await endPasses(session, encoder.encode(['a!']));
    const again = await encoder.encode(['a!']);
    expect(again).toEqual({ rows: 1, embeddings: new Float32Array([2, 97]), truncated: [true] });
    expect(session.passes).toHaveLength(1);
    expect(encoder.stats()).toMatchObject({ cacheEntries: 1, cacheHits: 1, cacheMisses: 1 });
  });

  test('what a caller does to its embeddings does not reach the cache', async () => {
    const { encoder, session } = setUp({ cacheBytes: 10_000 });
    (await endPasses(session, encoder.encode(['a']))).embeddings.fill(0);
    (await encoder.encode(['a'])).embeddings.fill(0);
    expect([...(await encoder.encode(['a'])).embeddings]).toEqual([1, 97]);
  });

  test('is bounded in bytes, texts counted', async () => {
    const { encoder, session } = setUp({ cacheBytes: 4000, maxTexts: 50 });
    await endPasses(
      session,
      encoder.encode(Array.from({ length: 200 }, (_, i) => String.fromCharCode(500 + i))),
    );
    const { cacheBytes, cacheEntries } = encoder.stats();
    expect(cacheBytes).toBeLessThanOrEqual(4000);
    expect(cacheEntries).toBe(12); // 8 bytes of vector + 2 of text + 320 of overhead = 330
    await endPasses(session, encoder.encode(['x'.repeat(3000)]));
    expect(encoder.stats().cacheEntries).toBe(12); // would not fit
  });
});

describe('close', () => {
  test('finishes what was accepted, refuses the rest, then frees the session', async () => {
    const { encoder, session } = setUp({ maxTexts: 1 });
    const accepted = encoder.encode(['a', 'b']);
    const closing = encoder.close();
    await expect(encoder.encode(['c'])).rejects.toMatchObject({ code: 'not_ready' });
    await turn();
    expect(session.closed).toBe(false);
    await endPasses(session, closing);
    expect([...(await accepted).embeddings]).toEqual([1, 97, 1, 98]);
    expect(session.closed).toBe(true);
    await encoder.close();
  });
});
