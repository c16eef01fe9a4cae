import { KshotApiError, KshotConnectionError } from '../../client/index.js';

export function statusOf(error: unknown): number | undefined {
  return error instanceof KshotApiError ? error.status : undefined;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof KshotApiError ? error.code : undefined;
}

/** Whether the server is away or busy: the same request may well succeed in a moment. */
export function isPassing(error: unknown): boolean {
  return error instanceof KshotConnectionError || statusOf(error) === 503;
}

/** What a person is told, in the server's words where it had any. */
export function messageOf(error: unknown): string {
  if (error instanceof KshotConnectionError) return 'The server cannot be reached.';
  const message =
    error instanceof KshotApiError ? error.detail : error instanceof Error ? error.message : String(error);
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** The offending places of a request, beyond what the message says. */
export function fieldsOf(error: unknown): readonly { readonly field: string; readonly message: string }[] {
  return error instanceof KshotApiError ? error.fields : [];
}
