import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { Kshot } from '../../src/client/index.js';
import { classify, json, putIntent, send } from '../e2e/api.js';
import { DEMO } from '../e2e/demoBot.js';
import { workplace } from '../e2e/workplace.js';
import { readQuery } from './promql.js';

const ROOT = new URL('../../../', import.meta.url);
/** What Prometheus itself adds. */
const SCRAPED = ['job', 'instance'];

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');
const dashboard = JSON.parse(read('deploy/grafana/kshot.json')) as Dashboard;
const rules = (parse(read('deploy/prometheus/alerts.yml')) as Rules).groups.flatMap((group) => group.rules);
const onDashboard = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);
const adapter = parse(read('deploy/prometheus/adapter.yml')) as {
  rules: { custom: { name: { as: string }; seriesQuery: string; metricsQuery: string }[] };
};
const inAdapter = adapter.rules.custom.map(
  ({ name, metricsQuery }) => [name.as, metricsQuery.replaceAll(/by \(<<.GroupBy>>\)|<<.*?>>/g, '')] as const,
);
const inRules = rules.map(({ alert, expr }) => [alert, expr] as const);

/** Values of every label of every series, by metric, as a server has them that has answered this and that. */
const served = new Map<string, Map<string, Set<string>>>();
const types = new Map<string, string>();
const place = workplace();

/** @returns the headers that bring it. */
async function newKey(url: string, key: object, headers = {}): Promise<{ authorization: string }> {
  const { secret } = json<{ secret: string }>(
    await send(url, 'POST', '/v1/keys', { body: key, headers }),
    201,
  );
  return { authorization: `Bearer ${secret}` };
}

beforeAll(async () => {
  const { process, url } = await place.serve(join(place.folder(), 'store'), ['--max-queued-texts', '1000']);
  await classify(url, DEMO, [
    'i lost my card',
    'can i use apple pay',
    'colourless green ideas sleep furiously',
  ]);
  await putIntent(url, DEMO, 'greeting', ['hello there']);
  await send(url, 'GET', '/v1/bots/none');
  const { jobs } = new Kshot({ url });
  await jobs.finished((await jobs.start({ kind: 'evaluation', bot: DEMO, folds: 2 })).id);
  const operator = await newKey(url, { name: 'operator', access: 'write' });
  const limited = await newKey(url, { name: 'limited', access: 'read', rate: 0.01 }, operator);
  for (let i = 0; i < 2; i++) await send(url, 'GET', '/v1/bots', { headers: limited });
  readMetrics((await send(url, 'GET', '/metrics', { headers: operator })).text);
  await process.end('SIGTERM');
});

function readMetrics(text: string): void {
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) types.set(name!, type!);
  for (const [, name, labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const values = served.get(name!) ?? new Map<string, Set<string>>();
    served.set(name!, values);
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      values.set(label!, (values.get(label!) ?? new Set()).add(value!));
    }
  }
}

/** A metric's own name, without what a histogram's series add to it. */
function metricOf(series: string): string {
  const base = series.replace(/_(bucket|sum|count)$/, '');
  return types.get(base) === 'histogram' ? base : series;
}

describe.each([...onDashboard, ...inRules, ...inAdapter])('%s: %s', (_, expression) => {
  const { selectors, grouping } = readQuery(expression);

  test('asks for series that the server has', () => {
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors.filter(({ metric }) => metric !== 'up')) {
      expect([...served.keys()]).toContain(metric);
      const labels = served.get(metric)!;
      for (const { label, operator, value } of matchers.filter(({ label }) => !SCRAPED.includes(label))) {
        expect([...labels.keys()]).toContain(label);
        // A refusal is nothing that this server was brought to.
        if (operator === '=' && value !== '503') expect([...labels.get(label)!]).toContain(value);
      }
    }
  });

  test('groups by labels that they have', () => {
    const known = selectors.flatMap(({ metric }) => [...(served.get(metric)?.keys() ?? [])]);
    for (const label of grouping) expect([...SCRAPED, ...known]).toContain(label);
  });
});

test('every metric of kshot is on the dashboard', () => {
  const shown = new Set(
    onDashboard.flatMap(([, expr]) => readQuery(expr).selectors.map(({ metric }) => metricOf(metric))),
  );
  const own = [...types.keys()].filter((name) => name.startsWith('kshot_'));
  expect(own.filter((name) => !shown.has(name))).toEqual([]);
});

test('panels have ids of their own', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('expressions are read as they are written', () => {
  const read = readQuery(
    'histogram_quantile(0.99, sum by (job, le) (rate(a_bucket{route="/x/{bot} 5m", s!="5"}[5m] offset 1d))) > 1e-9 * ksht',
  );
  expect(read).toEqual({
    selectors: [
      {
        metric: 'a_bucket',
        matchers: [
          { label: 'route', operator: '=', value: '/x/{bot} 5m' },
          { label: 's', operator: '!=', value: '5' },
        ],
      },
      { metric: 'ksht', matchers: [] },
    ],
    grouping: ['job', 'le'],
  });
});
