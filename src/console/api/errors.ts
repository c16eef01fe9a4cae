import type { Problem } from '../../http/problem.js';

/** The server answered with an error. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** No answer came. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof ProblemError ? error.problem.status : undefined;
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof ProblemError ? error.problem.code : undefined;
}

/** Whether the same request may well succeed in a moment. */
export function isPassing(error: unknown): boolean {
  return error instanceof UnreachableError || statusOf(error) === 503;
}

/** What a person is told. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** The offending places of a request, beyond what the message says. */
export function fieldsOf(error: unknown): readonly { readonly field: string; readonly message: string }[] {
  return error instanceof ProblemError ? (error.problem.errors ?? []) : [];
}
