import type { z } from 'zod';
import { KshotError, type FieldProblem } from '../errors.js';

/** A request can be wrong in very many places; an answer names the first ones. */
const MOST_PROBLEMS = 20;
const LONGEST_FIELD = 200;

/**
 * Parses one part of a request.
 *
 * @param whole how the part is called where it is wrong as a whole, such as `body`.
 * @throws KshotError `invalid_request`, naming the fields.
 */
export function validate<S extends z.ZodType>(schema: S, value: unknown, whole: string): z.output<S> {
  // The input tells a field that is missing from one of the wrong type.
  const outcome = schema.safeParse(value, { reportInput: true });
  if (outcome.success) return outcome.data;
  const problems = new Map<string, FieldProblem>();
  for (const problem of outcome.error.issues.flatMap((issue) => problemsOf(issue, whole))) {
    // What a field has wrong first is what is to be mended first.
    if (!problems.has(problem.field)) problems.set(problem.field, problem);
  }
  const fields = [...problems.values()].slice(0, MOST_PROBLEMS);
  const more = problems.size - fields.length;
  const detail = fields.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new KshotError('invalid_request', more > 0 ? `${detail}; and ${more} more` : detail, { fields });
}

function problemsOf(issue: z.core.$ZodIssue, whole: string): FieldProblem[] {
  const field = (...rest: string[]) => {
    const path = [...issue.path, ...rest].map(String).join('.');
    return (path === '' ? whole : path).slice(0, LONGEST_FIELD);
  };
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, MOST_PROBLEMS + 1)
      .map((key) => ({ field: field(key), message: 'is not a known field' }));
  }
  if (issue.code === 'invalid_type') {
    const missing = issue.input === undefined && issue.path.length > 0;
    return [{ field: field(), message: missing ? 'is missing' : `must be ${article(issue.expected)}` }];
  }
  return [{ field: field(), message: lowerFirst(issue.message) }];
}

function article(type: string): string {
  const name = type === 'int' ? 'integer' : type;
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
