import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import type { Exchange } from './exchange.js';
import { consoleHeaders } from './securityHeaders.js';

/** Where `npm run build` puts the console: beside the compiled sources. */
export const CONSOLE_DIRECTORY = fileURLToPath(new URL('../../console', import.meta.url));

/** Of the log and the metrics, whatever the file. */
const ROUTE = 'console';
/** The paths of src/console/routes.ts: each is answered by the page, which knows what to show. */
const PAGES = /^\/(?:bots(?:\/.*)?|jobs|keys)?$/;
/** Vite names these by their content. */
const HASHED = '/assets';
const A_YEAR_S = 31_536_000;

type LocalResponse = Response<unknown, { exchange: Exchange }>;

const NOT_BUILT =
  'The console is not built. Run "npm run build" in the checkout and load this page again, or start with --no-console.\n' +
  'The API is at /v1, its documentation at /docs.\n';

/**
 * The console's files. They hold nothing of what is stored and need no key; the page asks the API with the one that it is
 * given. What is none of them is left to whoever comes next.
 *
 * @param directory with `index.html`, looked for at each request: it may be built while the server runs.
 */
export function consoleRouter(directory: string): Router {
  const files = express.static(directory, {
    index: false,
    redirect: false,
    fallthrough: true,
    cacheControl: false,
    setHeaders: (response: Response, path) => {
      const isHashed = path.startsWith(join(directory, HASHED));
      response.set({
        ...consoleHeaders,
        'cache-control': isHashed ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
      });
    },
  });
  const page = (_request: Request, response: LocalResponse): void => {
    const index = join(directory, 'index.html');
    const { exchange } = response.locals;
    exchange.route = ROUTE;
    if (!existsSync(index)) {
      exchange.answer({ status: 404, text: { type: 'text/plain; charset=utf-8', content: NOT_BUILT } });
      return;
    }
    response.set({ ...consoleHeaders, 'cache-control': 'no-cache', 'x-request-id': exchange.requestId });
    response.sendFile(index, { cacheControl: false });
  };
  const router = express.Router({ strict: true, caseSensitive: true });
  router.get(PAGES, page);
  const asset = (request: Request, response: LocalResponse, next: NextFunction): void => {
    response.locals.exchange.route = ROUTE;
    response.set('x-request-id', response.locals.exchange.requestId);
    files(request, response, next);
  };
  router.get([`${HASHED}/*file`, '/favicon.svg', '/theme.js'], asset);
  return router;
}
