import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { harness } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'kshot-console-'));
const built = join(folder, 'built');

beforeAll(() => {
  mkdirSync(join(built, 'assets'), { recursive: true });
  writeFileSync(join(built, 'index.html'), '<!doctype html><title>console</title>');
  writeFileSync(join(built, 'theme.js'), '// theme');
  writeFileSync(join(built, 'assets', 'index-abc.js'), '// script');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the console', () => {
  const get = (path: string) =>
    request(harness({ console: built, keys: { readWrite: ['k'.repeat(16)], readOnly: [] } }).app)
      .get(path)
      .redirects(0);

  test.each(['/', '/bots', '/jobs', '/keys', '/bots/demo/intents/a%2Fb'])(
    '%s is the page, without a key',
    async (path) => {
      const { status, text, headers } = await get(path);
      expect(status).toBe(200);
      expect(text).toContain('<title>console</title>');
      expect(headers['cache-control']).toBe('no-cache');
      expect(headers['x-request-id']).toBeDefined();
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self'");
      expect(policy).not.toContain('unsafe');
    },
  );

  test('files that are named by their content are kept for good, others are asked for again', async () => {
    const hashed = await get('/assets/index-abc.js');
    expect(hashed.status).toBe(200);
    expect(hashed.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const { status, headers } = await get('/theme.js');
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-cache');
  });

  test.each(['/v1/nothing', '/assets/none.js', '/assets/..%2f..%2fpackage.json', '/index.html', '/botsy'])(
    '%s is not its',
    async (path) => {
      const { status, headers, text } = await get(path);
      expect(status).toBe(404);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({ code: 'not_found' });
    },
  );

  test('says what to do where it is not built', async () => {
    const { status, text } = await request(harness({ console: join(folder, 'none') }).app).get('/');
    expect(status).toBe(404);
    expect(text).toContain('npm run build');
  });

  test('is one route in the log', async () => {
    const { app, lines } = harness({ console: built });
    await request(app).get('/bots/demo/try?text=secret');
    expect(lines).toMatchObject([{ route: 'console', status: 200 }]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});
