import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Metrics } from '../../src/http/metrics.js';
import type { RequestTrace } from '../../src/http/requestTracer.js';
import { Tracing } from '../../src/telemetry/tracing.js';
import type { Observer } from '../../src/telemetry/tracingObserver.js';
import { Collector, type ReceivedSpan } from './collector.js';

let collector: Collector;
let tracing: Tracing;
let observer: Observer;
let metrics: Metrics;
const warnings: string[] = [];

beforeEach(async () => {
  collector = await Collector.start();
  metrics = new Metrics();
  open(collector.url);
});

afterEach(async () => {
  await tracing.close();
  await collector.close();
  warnings.length = 0;
});

function open(endpoint: string): void {
  const warn = (message: string) => void warnings.push(message);
  tracing = new Tracing({ endpoint, version: '1.2.3', timeoutMs: 2000, warn });
  observer = tracing.observer(metrics);
}

function begin(headers: Record<string, string> = {}): RequestTrace {
  return tracing.begin({ method: 'POST', headers } as unknown as IncomingMessage);
}

function end(trace: RequestTrace, route: string, status = 200, code?: string): void {
  trace.end({ requestId: 'r', method: 'POST', route, status, code });
}

/** What the observer would be told in the context of a request. */
function callerOf(trace: RequestTrace): unknown {
  let caller: unknown;
  trace.run(() => (caller = observer.caller?.()));
  return caller;
}

const linkTo = ({ traceId, spanId }: ReceivedSpan) => expect.objectContaining({ traceId, spanId });

test('a forward pass that two requests share is a trace of its own, linked with both', async () => {
  const [a, b] = [begin(), begin()];
  const callers = [callerOf(a), callerOf(b)];
  observer.batch(3, 8, 5, callers);
  observer.encoded?.(callers[0], 2, 1, 9);
  observer.encoded?.(callers[1], 2, 0, 8);
  observer.stage('score', 2, callers);
  end(a, '/a');
  end(b, '/b');
  await tracing.close();

  const pass = collector.span('forward pass');
  expect(pass.parentSpanId).toBeUndefined();
  expect(pass.attributes).toEqual({ 'kshot.texts': 3, 'kshot.padded_tokens': 8, 'kshot.requests': 2 });
  const requests = [collector.span('POST /a'), collector.span('POST /b')];
  expect(pass.links).toEqual(requests.map(linkTo));
  // They may have ended in the same instant.
  expect(requests.map((request) => collector.childrenOf(request).sort())).toEqual([
    ['encode', 'score'],
    ['encode', 'score'],
  ]);
  for (const span of collector.spans.filter(({ name }) => name === 'encode')) {
    expect(span.links).toEqual([linkTo(pass)]);
  }
  for (const span of collector.spans.filter(({ name }) => name === 'score')) {
    expect(span.attributes).toEqual({ 'kshot.requests': 2 });
  }
  expect(await metrics.text()).toContain('kshot_encoder_batch_seconds_sum 0.005');
});

test('spans are as long as they were told, to less than a millisecond', async () => {
  const trace = begin();
  trace.run(() => observer.stage('decide', 0.25));
  end(trace, '/a');
  await tracing.close();
  const { startTimeUnixNano: from, endTimeUnixNano: to } = collector.span('decide');
  expect(Number(BigInt(to) - BigInt(from))).toBeCloseTo(250_000, -3);
});

test('a request that its caller does not record leaves no span, nor does its forward pass', async () => {
  const trace = begin({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' });
  expect(trace.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  observer.batch(1, 8, 5, [callerOf(trace)]);
  trace.run(() => observer.stage('decide', 1));
  end(trace, '/a');
  await tracing.close();
  expect(collector.spans).toEqual([]);
});

test('what is done after the answer, or for nobody, is no part of a request', async () => {
  const trace = begin();
  end(trace, '/a');
  trace.run(() => observer.stored('addUnlabelled', 3, false));
  observer.batch(1, 8, 5, [undefined]);
  await tracing.close();
  expect(collector.names()).toEqual(['POST /a']);
});

test('a fault of the server is an error, one of the client is not', async () => {
  const trace = begin();
  trace.run(() => observer.stored('putIntents', 3, true));
  end(trace, '/a', 503, 'store_unavailable');
  end(begin(), '/b', 404, 'unknown_bot');
  await tracing.close();
  const ERROR = 2;
  expect(collector.span('store putIntents').status).toEqual({ code: ERROR });
  expect(collector.span('POST /a')).toMatchObject({
    status: { code: ERROR },
    attributes: { 'http.response.status_code': 503, 'error.type': 'store_unavailable' },
  });
  expect(collector.span('POST /b').status.code ?? 0).not.toBe(ERROR);
});

test('a collector that cannot be reached is said once, and hurts nobody', async () => {
  await tracing.close();
  open('http://127.0.0.1:1');
  end(begin(), '/a');
  await tracing.close();
  expect(warnings).toEqual(['traces could not be sent to the collector, and are lost']);
});
