import { KshotApiError } from './errors.js';
import { retryAfterMs } from './retry.js';

/** What came back, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** @param url the server's, for the message. @returns what a refusal is thrown as: a problem+json answer (RFC 9457), or none. */
export function refusalOf({ status, headers, text }: Answer, url: string): KshotApiError {
  const body = parseJson(text);
  const detail = stringIn(body, 'detail') ?? stringIn(body, 'title');
  return new KshotApiError({
    status,
    code: stringIn(body, 'code'),
    detail: detail ?? `${url} answered ${status}; is that address kshot's?`,
    fields: fieldProblemsIn(body),
    requestId: requestIdOf(headers, body),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  });
}

/**
 * The JSON of an answer, which is taken as the API documents it.
 *
 * @throws KshotApiError where it is none.
 */
export function jsonIn(answer: Answer, url: string): unknown {
  const body = parseJson(answer.text);
  if (body === undefined) throw unlikeKshot(answer, `${url} does not answer like kshot; check the address`);
  return body;
}

/** A member that the answer must have. @throws KshotApiError where it lacks it. */
export function memberOf(answer: Answer, url: string, name: string): unknown {
  const member = valueIn(jsonIn(answer, url), name);
  if (member === undefined) {
    throw unlikeKshot(answer, `the answer lacks "${name}"; is the server another version?`);
  }
  return member;
}

function unlikeKshot({ status, headers }: Answer, detail: string): KshotApiError {
  const none = { code: undefined, fields: [], retryAfterMs: undefined };
  return new KshotApiError({ status, detail, requestId: requestIdOf(headers, undefined), ...none });
}

function requestIdOf(headers: Headers, body: unknown): string | undefined {
  return stringIn(body, 'request_id') ?? headers.get('x-request-id') ?? undefined;
}

function fieldProblemsIn(body: unknown) {
  const errors = valueIn(body, 'errors');
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    const field = stringIn(entry, 'field');
    const message = stringIn(entry, 'message');
    return field === undefined || message === undefined ? [] : [{ field, message }];
  });
}

function stringIn(body: unknown, name: string): string | undefined {
  const value = valueIn(body, name);
  return typeof value === 'string' ? value : undefined;
}

function valueIn(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}

/** Undefined where the text is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
