import { afterAll, expect, test } from '@jest/globals';
import { Collector } from '../telemetry/collector.js';
import { json, send } from './api.js';
import { DEMO } from './demoBot.js';
import { workplace } from './workplace.js';

const SERVER = 2; // a span's kind
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SECRET = 'someone pinched my purse';

const place = workplace();
const collectors: Collector[] = [];
afterAll(() => Promise.all(collectors.map((collector) => collector.close())));

test('a classification and a write are traced from the caller to the store, without their texts', async () => {
  const collector = await Collector.start();
  collectors.push(collector);
  const { process, url } = await place.serve(await place.demoStore(), [], {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  });
  const traced = { traceparent: `00-${TRACE}-${PARENT}-01`, 'x-request-id': 'r1' };
  json(await send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { text: SECRET }, headers: traced }));
  json(
    await send(url, 'PUT', `/v1/bots/${DEMO}/intents/stolen`, { body: { examples: [SECRET, 'a thief'] } }),
    201,
  );
  json(await send(url, 'GET', '/healthz'));
  await process.end('SIGTERM');

  const classify = collector.span('POST /v1/bots/{bot}/classify');
  expect(classify).toMatchObject({ kind: SERVER, traceId: TRACE, parentSpanId: PARENT });
  expect(classify.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/v1/bots/{bot}/classify',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'kshot.request_id': 'r1',
  });
  expect(collector.childrenOf(classify)).toEqual(['encode', 'retrieve', 'score', 'decide']);

  const write = collector.span('PUT /v1/bots/{bot}/intents/{intent}');
  expect(write.parentSpanId).toBeUndefined();
  expect(collector.childrenOf(write)).toEqual(['encode', 'store putIntents']);

  const passes = collector.spans.filter(({ name }) => name === 'forward pass');
  expect(passes.map(({ links }) => links.map(({ spanId }) => spanId))).toEqual([
    [classify.spanId],
    [write.spanId],
  ]);
  const encodes = collector.spans.filter(({ name }) => name === 'encode');
  expect(encodes.map(({ links }) => links.map(({ spanId }) => spanId))).toEqual(
    passes.map(({ spanId }) => [spanId]),
  );

  expect(collector.names()).not.toContain('GET /healthz');
  expect(collector.resource).toMatchObject({ 'service.name': 'kshot' });
  for (const word of ['pinched', 'thief', DEMO, 'stolen']) expect(collector.received).not.toContain(word);
  expect(process.log.find((line) => line['request_id'] === 'r1')).toMatchObject({ trace_id: TRACE });
});
