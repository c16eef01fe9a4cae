import { beforeAll, expect, test } from '@jest/globals';
import { json, send } from '../e2e/api.js';
import { workplace } from '../e2e/workplace.js';
import { describeInBrowser, Pages } from './browser.js';

const place = workplace();

describeInBrowser('jobs', () => {
  const pages = new Pages();
  let url: string;

  beforeAll(async () => {
    ({ url } = await place.serve(await place.demoStore()));
  });

  test('one that waits is cancelled, and then removed; one that runs says how far it is', async () => {
    const begin = async () => {
      const body = { kind: 'evaluation', bot: 'demo', folds: 10 };
      return json<{ id: number }>(await send(url, 'POST', '/v1/jobs', { body }), 202).id;
    };
    const first = await begin();
    for (let before = 0; before < 4; before++) await begin();
    const last = await begin();
    const page = await pages.open(`${url}/jobs`);
    const row = page.getByRole('row', { name: `evaluation ${last}` });
    await page.getByRole('button', { name: `Cancel job ${last}` }).click();
    await row.getByText('cancelled').waitFor();
    expect(json(await send(url, 'GET', `/v1/jobs/${last}`))).toMatchObject({ status: 'cancelled' });

    await page.getByRole('button', { name: `Remove job ${last}` }).click();
    await row.waitFor({ state: 'detached' });
    await page
      .getByRole('row', { name: `evaluation ${first}` })
      .getByText(/running|done/)
      .waitFor();
  });
});
