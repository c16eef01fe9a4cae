import { type Link, ROOT_CONTEXT, SpanStatusCode, type SpanOptions, type Tracer } from '@opentelemetry/api';
import type { ServiceObserver, Stage } from '../classify/service.js';
import type { EncoderObserver } from '../encoder/encoder.js';
import type { StoreObserver } from '../store/observedStore.js';
import type { Caller, Callers } from './callers.js';

/** All that is told while requests are answered. */
export type Observer = ServiceObserver & EncoderObserver & StoreObserver;

/**
 * Makes spans of what encoder, service and store tell of, and tells it on. They tell at the end and how long it took, so a
 * span is made when it is over.
 *
 * A forward pass reads texts of several requests: it belongs to none of them, but is a trace of its own, linked with the
 * requests both ways. Retrieval and scoring of several requests in one go are a span in each, as long as the whole, with the
 * number of requests that shared it. No span holds a text, or the name of a bot or an intent.
 */
export class TracingObserver implements Observer {
  /**
   * @param tracers `shared` records whatever it is given: which requests are recorded was decided when they came in.
   * @param next is told all of it, too.
   */
  constructor(
    private readonly tracers: { readonly requests: Tracer; readonly shared: Tracer },
    private readonly callers: Callers,
    private readonly next: Observer,
  ) {}

  caller(): Caller | undefined {
    return this.callers.current();
  }

  stage(stage: Stage, milliseconds: number, callers?: readonly unknown[]): void {
    const now = performance.now();
    this.next.stage(stage, milliseconds, callers);
    if (stage === 'encode') return; // the encoder tells of it, of writes too
    const sharers = callers === undefined ? [this.caller()] : callers;
    for (const caller of new Set(recorded(sharers))) {
      this.span(stage, { now, milliseconds }, caller, {
        attributes: callers === undefined ? {} : { 'kshot.requests': callers.length },
      });
    }
  }

  encoded(caller: unknown, texts: number, cached: number, milliseconds: number): void {
    const now = performance.now();
    this.next.encoded?.(caller, texts, cached, milliseconds);
    const [asking] = recorded([caller]);
    if (asking === undefined) return;
    const links = asking.passes.splice(0).map((context): Link => ({ context }));
    const attributes = { 'kshot.texts': texts, 'kshot.texts_from_cache': cached };
    this.span('encode', { now, milliseconds }, asking, { links, attributes });
  }

  batch(rows: number, paddedLength: number, milliseconds: number, callers: readonly unknown[]): void {
    const now = performance.now();
    this.next.batch(rows, paddedLength, milliseconds, callers);
    const waiting = recorded(callers);
    if (waiting.length === 0) return;
    const span = this.tracers.shared.startSpan(
      'forward pass',
      {
        root: true,
        startTime: now - milliseconds,
        links: waiting.map(({ span: context }) => ({ context })),
        attributes: {
          'kshot.texts': rows,
          'kshot.padded_tokens': paddedLength,
          'kshot.requests': callers.length,
        },
      },
      ROOT_CONTEXT,
    );
    span.end(now);
    for (const { passes } of waiting) passes.push(span.spanContext());
  }

  queued(milliseconds: number): void {
    this.next.queued(milliseconds);
  }

  stored(operation: string, milliseconds: number, failed: boolean): void {
    const now = performance.now();
    this.next.stored(operation, milliseconds, failed);
    const caller = this.caller();
    if (caller === undefined) return;
    this.span(
      `store ${operation}`,
      { now, milliseconds },
      caller,
      { attributes: { 'db.operation.name': operation } },
      failed,
    );
  }

  classified(inScope: number, outOfScope: number): void {
    this.next.classified(inScope, outOfScope);
  }

  adapted(milliseconds: number): void {
    this.next.adapted(milliseconds);
  }

  loaded(milliseconds: number): void {
    this.next.loaded(milliseconds);
  }

  /** A span that ended when it was told of: `now`, taken before anybody else was told. */
  private span(
    name: string,
    { now, milliseconds }: { readonly now: number; readonly milliseconds: number },
    caller: Caller,
    options: SpanOptions,
    failed = false,
  ): void {
    const startTime = now - milliseconds;
    const span = this.tracers.requests.startSpan(name, { ...options, startTime }, caller.context);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(now); // else it would be rounded to milliseconds
  }
}

/** The callers that are recorded: the only ones that `caller` gives. */
function recorded(callers: readonly unknown[]): Caller[] {
  return callers.filter((caller): caller is Caller => caller !== undefined);
}
