import { expect, test } from '@jest/globals';
import { Metrics } from '../../src/http/metrics.js';
import { harness } from './harness.js';

test('requests are counted by method, route and status', async () => {
  const h = harness();
  await h.send('put', '/v1/bots/bank/intents/x', { body: { examples: ['x'] } });
  await h.send('post', '/v1/bots/bank/classify', { body: { text: 'x' } });
  await h.send('post', '/v1/bots/bank/classify', { body: { text: '' } });
  await h.send('get', '/nothing/here');
  const { text, headers } = await h.send('get', '/metrics');
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  const classify = 'method="POST",route="/v1/bots/{bot}/classify"';
  expect(text).toContain(`kshot_http_requests_total{${classify},status="200"} 1`);
  expect(text).toContain(`kshot_http_requests_total{${classify},status="400"} 1`);
  expect(text).toContain('kshot_http_requests_total{method="GET",route="unmatched",status="404"} 1');
  expect(text).toContain(`kshot_http_request_duration_seconds_count{${classify},status="400"} 1`);
  expect(text).toContain('kshot_http_requests_in_flight 1');
  expect(text).not.toContain('nothing/here');
});

test('figures of the service are read when they are asked for', async () => {
  const h = harness();
  await h.send('put', '/v1/bots/bank', { body: {} });
  const { text } = await h.send('get', '/metrics');
  for (const line of [
    'kshot_bots 1',
    'kshot_intents 2',
    'kshot_examples 3',
    'kshot_encoder_queued_texts 4',
    'kshot_embedding_cache_entries 5',
    'kshot_embedding_cache_bytes 6',
    'kshot_embedding_cache_hits_total 7',
    'kshot_embedding_cache_misses_total 8',
    'kshot_adaptations_pending 0',
    'kshot_bots_in_memory 1',
    'kshot_bots_memory_bytes 9',
    'kshot_bots_let_go_total 10',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect((await h.send('get', '/metrics')).text).toContain('kshot_embedding_cache_hits_total 7');
});

test('what service and encoder observe is given in seconds', async () => {
  const metrics = new Metrics();
  metrics.stage('encode', 4);
  metrics.classified(3, 1);
  metrics.classified(0, 0);
  metrics.adapted(200);
  metrics.batch(8, 24, 5);
  metrics.queued(2);
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    'kshot_stage_duration_seconds_sum{stage="encode"} 0.004',
    'kshot_classified_total{outcome="in_scope"} 3',
    'kshot_classified_total{outcome="out_of_scope"} 1',
    'kshot_adaptation_duration_seconds_sum 0.2',
    'kshot_encoder_batch_texts_sum 8',
    'kshot_encoder_batch_padded_tokens_sum 24',
    'kshot_encoder_batch_seconds_sum 0.005',
    'kshot_encoder_queue_wait_seconds_sum 0.002',
  ]) {
    expect(lines).toContain(line);
  }
});
