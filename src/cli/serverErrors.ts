import { KshotApiError, KshotClientError, KshotConnectionError, KshotTimeoutError } from '../client/index.js';

/** What a failed request is told as at a terminal: with what somebody there can do about it. */
export function inWords(error: KshotClientError): string {
  if (error instanceof KshotApiError) {
    const advice = ADVICE[error.code ?? ''];
    return advice === undefined ? error.message : `${error.message}; ${advice}`;
  }
  const isUnreached = error instanceof KshotConnectionError && !(error instanceof KshotTimeoutError);
  return isUnreached ? `${error.message}; is "kshot serve" running there?` : error.message;
}

const ADVICE: Readonly<Record<string, string>> = {
  unauthorized: 'give it with --api-key or KSHOT_API_KEY',
  unknown_bot: '"kshot bots" lists the bots there are',
  body_too_large:
    'start the server with a larger --max-body-bytes (of an import --max-import-bytes, or import with --in-parts)',
};

/** An error in words that mean more to whoever gave the command than the server's do. */
export function reworded(error: KshotClientError, message: string): KshotClientError {
  return new KshotClientError(message, { cause: error });
}
