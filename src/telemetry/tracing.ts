import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Span,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator, type ExportResult } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import type { RequestOutcome, RequestTrace, RequestTracer } from '../http/requestTracer.js';
import { Callers } from './callers.js';
import { TracingObserver, type Observer } from './tracingObserver.js';

export interface TracingOptions {
  /** Of the collector, without the path of the signal, as OTEL_EXPORTER_OTLP_ENDPOINT has it. */
  readonly endpoint: string;
  /** Of kshot. */
  readonly version: string;
  /** Longest time that one export, and so the last one at the stop, may take. */
  readonly timeoutMs: number;
  readonly warn: (message: string, error: unknown) => void;
}

const HEADERS: TextMapGetter<IncomingHttpHeaders> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headers[name],
};

/** While the collector does not answer, it is said so often at most. */
const WARN_EVERY_MS = 60_000;

/**
 * Traces over OTLP/HTTP. Nothing is registered for the whole process: this is loaded, and costs anything, only where it is
 * wanted. What OpenTelemetry reads of the environment holds: headers, sampler, service name, resource attributes.
 */
export class Tracing implements RequestTracer {
  readonly #callers = new Callers();
  readonly #propagator = new W3CTraceContextPropagator();
  readonly #processor: BatchSpanProcessor;
  readonly #tracers: { readonly requests: Tracer; readonly shared: Tracer };

  constructor({ endpoint, version, timeoutMs, warn }: TracingOptions) {
    const exporter = new WatchedExporter({ url: tracesUrl(endpoint), timeoutMillis: timeoutMs }, warn);
    this.#processor = new BatchSpanProcessor(exporter, { exportTimeoutMillis: timeoutMs });
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'kshot', 'service.version': version }))
      .merge(detectResources({ detectors: [serviceInstanceIdDetector, envDetector] }));
    const common = { resource, spanProcessors: [this.#processor] };
    const tracer = (provider: BasicTracerProvider) => provider.getTracer('kshot', version);
    this.#tracers = {
      requests: tracer(new BasicTracerProvider(common)),
      shared: tracer(new BasicTracerProvider({ ...common, sampler: new AlwaysOnSampler() })),
    };
  }

  /** Tells `next` all that it is told, and makes spans of it. */
  observer(next: Observer): Observer {
    return new TracingObserver(this.#tracers, this.#callers, next);
  }

  begin(request: IncomingMessage): RequestTrace {
    const remote = this.#propagator.extract(ROOT_CONTEXT, request.headers, HEADERS);
    const method = request.method ?? '';
    const span = this.#tracers.requests.startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: { 'http.request.method': method, 'url.scheme': 'http' } },
      remote,
    );
    const context = span.spanContext();
    const caller = { context: trace.setSpan(remote, span), span: context, passes: [], ended: false };
    const isRecorded = (context.traceFlags & TraceFlags.SAMPLED) !== 0;
    return {
      traceId: context.traceId,
      run: (work) => (isRecorded ? this.#callers.run(caller, work) : work()),
      end: (outcome) => {
        caller.ended = true;
        endSpan(span, outcome);
      },
    };
  }

  /** Sends what is left, within the time-out. */
  async close(): Promise<void> {
    // What fails here is the last export, of which was told; a stop has other things to see to.
    await this.#processor.shutdown().catch(() => undefined);
  }
}

function endSpan(span: Span, { requestId, method, route, status, code }: RequestOutcome): void {
  if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route);
  span.setAttributes({ 'http.response.status_code': status, 'kshot.request_id': requestId });
  if (code !== undefined) span.setAttribute('error.type', code);
  // By the conventions a server's span is an error for what the server is to blame for.
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function tracesUrl(endpoint: string): string {
  return `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}

/** Says when spans are lost, which the exporter itself does for nobody to hear. */
class WatchedExporter extends OTLPTraceExporter {
  #warnedAt = -Infinity;

  constructor(
    config: ConstructorParameters<typeof OTLPTraceExporter>[0],
    private readonly warn: TracingOptions['warn'],
  ) {
    super(config);
  }

  override export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    super.export(spans, (result) => {
      const now = performance.now();
      if (result.code !== ExportResultCode.SUCCESS && now - this.#warnedAt >= WARN_EVERY_MS) {
        this.#warnedAt = now;
        this.warn('traces could not be sent to the collector, and are lost', result.error);
      }
      done(result);
    });
  }
}
