import { usePathname, useSearch } from 'wouter/use-browser-location';
import { go } from './routes.js';

/** A part of the address that the screen keeps in step with what one types; empty where it is not there. */
export function useSearchParam(name: string): [value: string, set: (value: string) => void] {
  const search = useSearch();
  const path = usePathname();
  function set(value: string) {
    const params = new URLSearchParams(location.search);
    if (value === '') params.delete(name);
    else params.set(name, value);
    go(params.size > 0 ? `${path}?${params}` : path, { replace: true });
  }
  return [new URLSearchParams(search).get(name) ?? '', set];
}
