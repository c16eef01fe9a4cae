import { beforeAll, expect, test } from '@jest/globals';
import { json, send } from '../e2e/api.js';
import { workplace } from '../e2e/workplace.js';
import type { Server } from '../e2e/kshot.js';
import { describeInBrowser, Pages } from './browser.js';

const KEY = 'a-key-that-may-write-0123456789';
const READ_ONLY_KEY = 'a-key-that-may-read-0123456789';

const place = workplace();

describeInBrowser('API keys', () => {
  const pages = new Pages();
  let server: Server;

  beforeAll(async () => {
    server = await place.serve(await place.demoStore(), [], {
      KSHOT_API_KEYS: KEY,
      KSHOT_READ_ONLY_API_KEYS: READ_ONLY_KEY,
    });
  });

  async function enter(key: string, path = '/') {
    const page = await pages.open(server.url + path);
    await page.getByLabel('Key', { exact: true }).fill(key);
    await page.keyboard.press('Enter');
    return page;
  }

  test('one is asked for, kept in the tab, and forgotten on request', async () => {
    const requested: string[] = [];
    const page = await enter('this-is-no-key-of-this-server');
    page.on('request', (request) => requested.push(request.url()));
    await page.getByRole('dialog').getByText('The API key is not known').waitFor();
    await page.getByLabel('Key', { exact: true }).fill(KEY);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'demo', exact: true }).waitFor();

    await page.reload();
    await page.getByRole('link', { name: 'demo', exact: true }).waitFor();
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(KEY);
    expect(requested.filter((url) => url.includes(KEY))).toEqual([]);
    expect(page.url()).not.toContain(KEY);

    await page.getByRole('button', { name: 'Forget key' }).click();
    await page.getByRole('dialog', { name: 'API key' }).waitFor();
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).not.toContain(KEY);
    expect(JSON.stringify(server.process.log)).not.toContain(KEY);
  });

  test('with one that may only read, what writes is off and says why', async () => {
    const page = await enter(READ_ONLY_KEY, '/bots/demo/intents/card_lost');
    await page.getByText('may read and classify, not write').first().waitFor();
    const rename = page.getByRole('button', { name: 'Rename' });
    expect(await rename.isDisabled()).toBe(true);
    expect(await rename.getAttribute('title')).toContain('may read, not write');
    await page.keyboard.press('/');
    await page.keyboard.type('i lost my card');
    await page.locator('.verdict').getByRole('link', { name: 'card_lost' }).waitFor();
  });

  test('with one for some of the bots, the keys are refused and nothing else', async () => {
    const body = { name: 'chat', access: 'write', bots: ['demo'] };
    const headers = { authorization: `Bearer ${KEY}` };
    const { secret } = json<{ secret: string }>(
      await send(server.url, 'POST', '/v1/keys', { body, headers }),
      201,
    );
    const page = await enter(secret, '/keys');
    await page.getByRole('alert').getByText('needs one for all bots').waitFor();
    expect(await page.getByText('may read and classify, not write').count()).toBe(0);
  });

  test('while the server does not answer, a banner says so and asks again', async () => {
    const page = await enter(KEY, '/bots/demo/intents');
    await page.getByText('card_lost').first().waitFor();
    await page.context().setOffline(true);
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('alert').getByText('The server cannot be reached').first().waitFor();
    await page.context().setOffline(false);
    await page.getByRole('alert').getByRole('button', { name: 'Try again' }).first().click();
    await page.getByText('Threshold').first().waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('the first one is made here, closes the server, and makes and revokes others', async () => {
    const { url } = await place.serve(await place.demoStore());
    const page = await pages.open(`${url}/keys`);
    await page.getByRole('button', { name: 'New key' }).first().click();
    await page.getByLabel('What it is for').fill('operator');
    await page.keyboard.press('Enter');
    const secret = page.locator('.secret');
    const first = await secret.innerText();
    await page.getByText('This tab uses it').waitFor();
    expect((await send(url, 'GET', '/v1/bots')).status).toBe(401);
    const headers = { authorization: `Bearer ${first}` };
    expect((await send(url, 'GET', '/v1/bots', { headers })).status).toBe(200);
    await page.getByRole('button', { name: 'Done' }).click();

    await page.keyboard.press('n');
    await page.getByLabel('What it is for').fill('support chat');
    await page.getByRole('checkbox', { name: 'demo' }).check();
    await page.getByLabel('Requests a second').fill('20');
    await page.getByRole('button', { name: 'Create' }).click();
    const second = await secret.innerText();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('row', { name: /support chat.*demo/ }).waitFor();
    const { keys } = json<{ keys: object[] }>(await send(url, 'GET', '/v1/keys', { headers }));
    expect(keys).toMatchObject([
      { name: 'operator', access: 'write', bots: null, rate: null },
      { name: 'support chat', access: 'read', bots: ['demo'], rate: 20 },
    ]);

    await page.getByRole('button', { name: 'Revoke support chat' }).click();
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await page.getByText('revoked just now').waitFor();
    const refused = { authorization: `Bearer ${second}` };
    expect((await send(url, 'GET', '/v1/bots', { headers: refused })).status).toBe(401);
    // The last one that manages keys stays, in the server's words.
    await page.getByRole('button', { name: 'Revoke operator' }).click();
    await page.getByRole('button', { name: 'Revoke the key' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
  });
});
