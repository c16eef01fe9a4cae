import { beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { settingsTable } from '../src/config.js';
import { HEAD_NAMES } from '../src/heads/registry.js';
import type { OpenApiDocument } from '../src/http/openapi.js';
import { harness } from './http/harness.js';

// What the documents say and the code says too is held together here.

const ROOT = new URL('../../', import.meta.url);
const PAGES = [
  'README.md',
  'SECURITY.md',
  'docs/checks.md',
  'docs/client.md',
  'docs/defaults.md',
  'docs/drop-in.md',
  'docs/evaluation.md',
  'docs/imports.md',
  'docs/operations.md',
  'docs/postgresql.md',
  'docs/training.md',
  'docs/versions.md',
  'docs/results.md',
];

const read = (page: string): string => readFileSync(new URL(page, ROOT), 'utf8');

/** A page's part below one heading, up to the next of the same rank or a higher one. */
function section(page: string, heading: string): string {
  const from = page.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`there is no heading "${heading}"`);
  const below = page.slice(from + heading.length + 2);
  const rank = heading.indexOf(' ');
  const next = below.search(new RegExp(`^#{1,${rank}} `, 'm'));
  return next < 0 ? below : below.slice(0, next);
}

function firstTable(text: string): string {
  return /^(\|.*\n)+/m.exec(text)?.[0] ?? '';
}

/** The first cell of each row of the tables in it, without the tables' heads. */
function firstCells(text: string): string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.flatMap((row, i) => {
    const isHead = isRule(rows[i + 1]);
    return isHead || isRule(row) ? [] : [row.split('|')[1]!.trim()];
  });
}

function isRule(row: string | undefined): boolean {
  return row !== undefined && /^\|[\s|:-]+\|$/.test(row);
}

/** As GitHub makes them, for headings of plain words. */
function anchors(page: string): Set<string> {
  const headings = page.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function isThere(url: URL): boolean {
  const anchor = decodeURIComponent(url.hash.slice(1));
  const file = new URL(url.pathname, url);
  return existsSync(file) && (anchor === '' || anchors(readFileSync(file, 'utf8')).has(anchor));
}

describe('the README', () => {
  const readme = read('README.md');
  let document: OpenApiDocument;
  beforeAll(async () => {
    document = (await harness().send('get', '/openapi.json')).body as OpenApiDocument;
  });

  test('has the table of settings as config.ts makes it', () => {
    expect(firstTable(section(readme, '## Configuration'))).toBe(settingsTable());
  });

  test('lists every operation of the API, and no other', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
    );
    expect(firstCells(section(readme, '## API')).sort()).toEqual(operations.sort());
  });

  test('explains every field of a result', () => {
    const { properties } = document.components.schemas['ClassifyResult'] as { properties: object };
    const explained = firstCells(section(readme, '## Results'));
    const fields = Object.keys(properties).filter((name) => name !== 'text');
    expect(explained.sort()).toEqual(fields.map((name) => `\`${name}\``).sort());
  });

  test('lists the heads that a bot may choose from', () => {
    const listed = firstCells(section(readme, '## Bots and heads')).map((cell) => /`(.+)`/.exec(cell)![1]);
    const folders = readdirSync(new URL('models/heads', ROOT), { withFileTypes: true });
    const shipped = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(listed.sort()).toEqual([...HEAD_NAMES, ...shipped].sort());
  });
});

describe('the operations page', () => {
  test('lists every metric of kshot, and no other', async () => {
    const { text } = await harness().send('get', '/metrics');
    const served = [...text.matchAll(/^# TYPE (kshot_\w+)/gm)].map(([, name]) => name);
    const listed = firstCells(section(read('docs/operations.md'), '## Metrics')).flatMap((cell) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    );
    expect(listed.sort()).toEqual(served.sort());
  });
});

describe.each(PAGES)('%s', (name) => {
  test('links to what is there', () => {
    const text = read(name).replace(/^```.*?^```|`[^`\n]+`/gms, '');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to!);
    const broken = links.filter((to) => !/^[a-z]+:/.test(to) && !isThere(new URL(to, new URL(name, ROOT))));
    expect(broken).toEqual([]);
  });
});
