import type { Answer } from './exchange.js';
import type { Lifecycle } from './lifecycle.js';
import type { Metrics } from './metrics.js';
import { operation, type Operation } from './operation.js';
import { RESPONSES } from './schemas.js';

/** Pages that are rendered once, from the whole route table, and served as they are. */
export interface Pages {
  readonly openapi: () => string;
  readonly docs: () => Answer;
}

/** Whether a process that only runs jobs has the operation, too: those that whoever watches over it asks for. */
export function isOfWorkers({ isProbe }: Operation): boolean {
  return isProbe === true;
}

/**
 * The table's rows for those who run and explore the server. Health, the OpenAPI document and its page never need a key:
 * they tell nothing of what is stored. Metrics do, since they tell how much there is and what happens to it.
 */
export function systemOperations(
  lifecycle: Lifecycle,
  metrics: Metrics,
  version: string,
  pages: Pages,
): Operation[] {
  const common = { tag: 'server', method: 'get', needsService: false, problems: [] } as const;
  return [
    operation({
      ...common,
      id: 'health',
      path: '/healthz',
      summary: 'Whether the process is alive',
      access: 'open',
      isProbe: true,
      success: { 200: { description: 'It is', schemas: [RESPONSES.Health] } },
      run: () => Promise.resolve({ status: 200, json: { status: 'ok', version } }),
    }),
    operation({
      ...common,
      id: 'readiness',
      path: '/readyz',
      summary: 'Whether requests can be answered',
      description:
        'Not before the warm-up has ended, not after the shutdown has begun, not while the store is away.',
      access: 'open',
      isProbe: true,
      success: { 200: { description: 'They can', schemas: [RESPONSES.Readiness] } },
      problems: ['not_ready', 'store_unavailable'],
      async run() {
        await lifecycle.service.checkReady();
        return { status: 200, json: { status: 'ready' } };
      },
    }),
    operation({
      ...common,
      id: 'metrics',
      path: '/metrics',
      summary: 'Metrics for Prometheus',
      access: 'read',
      isProbe: true,
      success: { 200: { description: 'In the text format', type: 'text/plain' } },
      run: async () => ({ status: 200, text: { type: metrics.contentType, content: await metrics.text() } }),
    }),
    operation({
      ...common,
      id: 'openapi',
      path: '/openapi.json',
      summary: 'This API as an OpenAPI document',
      access: 'open',
      success: { 200: { description: 'OpenAPI 3.1', type: 'application/json' } },
      run: () =>
        Promise.resolve({ status: 200, text: { type: 'application/json', content: pages.openapi() } }),
    }),
    operation({
      ...common,
      id: 'docs',
      path: '/docs',
      summary: 'This API as a page to read',
      access: 'open',
      success: { 200: { description: 'The page', type: 'text/html' } },
      run: () => Promise.resolve(pages.docs()),
    }),
    operation({
      ...common,
      id: 'root',
      path: '/',
      summary: 'Leads to the page',
      access: 'open',
      success: { 302: { description: 'To /docs', type: 'text/plain' } },
      run: () =>
        Promise.resolve({
          status: 302,
          text: { type: 'text/plain', content: 'See /docs\n' },
          headers: { location: '/docs' },
        }),
    }),
  ];
}
