import { useQuery } from '@tanstack/react-query';
import { kshot } from '../api/kshot.js';

/** What importing a file would change; nothing is written. */
export function usePreview(bot: string, file: File | undefined, prune: boolean) {
  return useQuery({
    queryKey: ['preview', bot, file?.name, file?.size, file?.lastModified, prune],
    queryFn: ({ signal }) => kshot().import(bot, file ?? '', { dryRun: true, prune, signal }),
    enabled: file !== undefined,
    staleTime: 0,
    gcTime: 0,
  });
}
