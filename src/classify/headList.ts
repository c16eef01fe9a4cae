import { KshotError } from '../errors.js';
import type { HeadChange, HeadEntry, HeadLibrary } from '../heads/library.js';
import { FALLBACK_HEAD } from '../heads/registry.js';
import type { HeadChangeSummary, HeadSummary } from './service.js';
import { DEFAULT_HEAD } from './settings.js';

// The head library in words: what the API lists, and what it answers to who chooses a head that is not to be had.

/** Nobody has asked for the default: where its checkpoint is for another encoder, the default is another. */
export function defaultHead(heads: HeadLibrary): string {
  return heads.find(DEFAULT_HEAD)?.version === undefined ? FALLBACK_HEAD : DEFAULT_HEAD;
}

export function summariseHead(
  { name, kind, version, problem, metadata }: HeadEntry,
  use: { readonly isDefault: boolean; readonly bots: number },
): HeadSummary {
  return {
    name,
    kind,
    default: use.isDefault,
    available: version !== undefined,
    reason: problem?.message ?? null,
    bots: use.bots,
    training:
      metadata === undefined
        ? null
        : {
            method: metadata.head,
            encoder: metadata.encoder,
            weights: version?.id ?? null,
            data: metadata.data,
            episodes: metadata.episodes,
            results: metadata.results,
          },
  };
}

export function summariseChange({ name, change, problem }: HeadChange): HeadChangeSummary {
  return { head: name, change, reason: problem?.message ?? null };
}

export function unknownHead(name: string, entries: readonly HeadEntry[]): KshotError {
  const names = entries.filter(({ version }) => version !== undefined).map((entry) => entry.name);
  const message = `there is no head "${name}", only ${names.join(', ')}`;
  return new KshotError('invalid_request', `head: ${message}`, { fields: [{ field: 'head', message }] });
}

/** @param entry without a `problem` where there is no such head at all. */
export function headUnavailable({ name, problem }: Pick<HeadEntry, 'name'> & Partial<HeadEntry>): KshotError {
  const reason = problem?.message ?? 'there is none of that name';
  return new KshotError('head_unavailable', `The head "${name}" cannot be served: ${reason}`, {
    cause: problem,
  });
}
