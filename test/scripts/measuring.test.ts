import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { HttpConnection } from '../../scripts/bench/httpConnection.js';
import { highestRate } from '../../scripts/capacity/highestRate.js';
import { planFor } from '../../scripts/capacity/plan.js';
import { boundOf } from '../../scripts/stress/serverTimes.js';
import { trend } from '../../scripts/stress/trend.js';

describe('the highest rate that is kept', () => {
  test.each([1, 99, 100, 101, 777, 12_345])('of %p is found within 5 %, from below', async (limit) => {
    let tries = 0;
    const found = await highestRate((rate) => (tries++, Promise.resolve(rate <= limit)), 60);
    expect(found).toBeLessThanOrEqual(limit);
    expect(found).toBeGreaterThan(limit / 1.05);
    expect(tries).toBeLessThan(16);
  });

  test('is 0 where nothing is kept', async () => {
    expect(await highestRate(() => Promise.resolve(false), 64)).toBe(0);
  });
});

describe('a trend', () => {
  test('of points on a line is the line, for certain', () => {
    const { slope, halfWidth } = trend([0, 1, 2, 3].map((x) => ({ x, y: 5 - 2 * x })));
    expect(slope).toBeCloseTo(-2);
    expect(halfWidth).toBeCloseTo(0);
  });

  test('has an interval that follows from what the line leaves over', () => {
    // Residuals -0.5, 1, -0.5 of the line y = 0.5 + x / 2: 1.5 over one degree of freedom, over a spread of 2.
    const { slope, halfWidth } = trend([
      { x: 0, y: 0 },
      { x: 1, y: 2 },
      { x: 2, y: 1 },
    ]);
    expect(slope).toBeCloseTo(0.5);
    expect(halfWidth).toBeCloseTo(1.96 * Math.sqrt(1.5 / 2));
  });
});

test("the bound of a server's times is of what came between two readings", () => {
  const reading = (...counts: number[]) =>
    new Map([50, 100, Infinity].map((bound, i) => [bound, counts[i]!]));
  expect(boundOf(reading(5, 5, 5), reading(104, 104, 105), 0.99)).toBe(50);
  expect(boundOf(reading(5, 5, 5), reading(103, 105, 105), 0.99)).toBe(100);
  expect(boundOf(new Map(), reading(0, 0, 1), 0.5)).toBe(Infinity);
  expect(boundOf(reading(5, 5, 5), reading(5, 5, 5), 0.5)).toBeNaN();
});

test('a plan has room for peaks, and a zone to lose', () => {
  const measured = { perSecond: 100, baseBytes: 10, bytesPerMillion: 100 };
  // 1000 / (100 × 0.7) is 14.3; of three zones two have 15 between them: 8 each.
  expect(planFor({ perSecond: 1000, examples: 500_000 }, measured)).toEqual({
    cores: 15,
    coresWithSpare: 24,
    bytes: 24 * 60,
  });
});

describe('a connection', () => {
  let server: Server;
  let connections = 0;
  const listen = async (answer: Parameters<typeof createServer>[1]): Promise<string> => {
    server = createServer(answer).on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/here`;
  };
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test('posts one request after the other and gives their statuses', async () => {
    const bodies: string[] = [];
    const url = await listen((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        bodies.push(body);
        const content = 'ü'.repeat(bodies.length * 50_000);
        response.writeHead(bodies.length === 2 ? 503 : 200, { 'content-length': Buffer.byteLength(content) });
        response.end(content);
      });
    });
    connections = 0;
    const connection = new HttpConnection(url);
    expect([
      await connection.post('{"a":"é"}'),
      await connection.post('{}'),
      await connection.post('[]'),
    ]).toEqual([200, 503, 200]);
    connection.close();
    expect(bodies).toEqual(['{"a":"é"}', '{}', '[]']);
    expect(connections).toBe(1);
  });

  test('that breaks is a 0, and another one is made for the next request', async () => {
    let requests = 0;
    const url = await listen((request, response) => {
      if (++requests === 1) request.socket.destroy();
      else response.writeHead(200, { 'content-length': 0 }).end();
    });
    const connection = new HttpConnection(url);
    expect([await connection.post('{}'), await connection.post('{}')]).toEqual([0, 200]);
    connection.close();
  });
});
