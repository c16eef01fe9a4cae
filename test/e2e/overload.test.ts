import { expect, test } from '@jest/globals';
import { classify, metric, problemOf, send } from './api.js';
import { DEMO } from './demoBot.js';
import { workplace } from './workplace.js';

const REQUESTS = 200;
const TEXTS = 8;

const place = workplace();

test('a burst is answered with 200 or, fast, 503; then the server is as it was', async () => {
  const limits = ['--max-texts', `${TEXTS}`, '--max-queued-texts', `${TEXTS}`, '--embedding-cache-mb', '0'];
  const { process, url } = await place.serve(await place.demoStore(), limits);
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, request) => {
      const texts = Array.from({ length: TEXTS }, (_, n) => `where is payment ${request} of month ${n}`);
      return send(url, 'POST', `/v1/bots/${DEMO}/classify`, { body: { texts } });
    }),
  );
  const refused = answers.filter(({ status }) => status === 503);
  const served = answers.filter(({ status }) => status === 200);
  expect(served.length + refused.length).toBe(REQUESTS);
  expect(served.length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(0);
  for (const answer of refused) {
    expect(problemOf(answer).code).toBe('overloaded');
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  }

  expect(await metric(url, 'kshot_encoder_queued_texts')).toBe(0);
  expect(await classify(url, DEMO, ['i lost my card'])).toMatchObject([{ intent: 'card_lost' }]);
  const full = Array.from({ length: TEXTS }, (_, n) => `the largest request that there may be ${n}`);
  expect(await classify(url, DEMO, full)).toHaveLength(TEXTS);

  // As the server took the time, for this process had 200 answers to read at once; all that it has logged is here when it has ended.
  await process.end('SIGTERM');
  const took = (status: number) =>
    process.log.flatMap((line) => (line['status'] === status ? [Number(line['ms'])] : []));
  expect(median(took(503))).toBeLessThan(median(took(200)) / 2);
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
