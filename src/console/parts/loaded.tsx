import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ProblemNote } from './problem.js';

export function Loading({ what = 'Loading' }: { readonly what?: string }) {
  return (
    <div className="loading" role="status">
      <span className="loading-bar" />
      <span className="visually-hidden">{what}</span>
    </div>
  );
}

/** What was asked for once it is there; until then that it comes, or what went wrong. */
export function Loaded<T>({
  query,
  what,
  children,
}: {
  readonly query: UseQueryResult<T>;
  readonly what?: string;
  readonly children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) return <ProblemNote error={query.error} onRetry={() => void query.refetch()} />;
  return <Loading what={what} />;
}
