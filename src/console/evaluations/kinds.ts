import type { EvaluationSummary } from '../../client/index.js';

/** What an evaluation is called where nobody named it. */
export function titleOf({ id, name, kind, folds }: EvaluationSummary): string {
  return name ?? `${kind === 'cross-validation' ? `${folds ?? ''}-fold cross-validation` : 'Test set'} ${id}`;
}

/** What was judged. */
export function subjectOf({ version, revision, head }: EvaluationSummary): string {
  const subject = version === null ? '' : `version ${version} · `;
  return `${subject}revision ${revision} · head ${head}`;
}
