import type { Problem } from '../../http/problem.js';
import { apiKey } from '../state/session.js';
import { ProblemError, UnreachableError } from './errors.js';
import type {
  AliasSummary,
  BotChecks,
  BotMap,
  BotSettings,
  BotSummary,
  ClassifyResult,
  Evaluation,
  EvaluationComparison,
  EvaluationSummary,
  Example,
  HeadSummary,
  ImportResult,
  Intent,
  Suggestions,
  UnlabelledPage,
  UnlabelledRemoval,
  UnlabelledWrite,
  VersionChanges,
  VersionSummary,
  WriteResult,
} from './types.js';

export type IntentSummary = Omit<Intent, 'examples'> & { readonly examples: number };
export type FileImport = ImportResult & {
  readonly format: string;
  readonly language: string | null;
  readonly notes: readonly string[];
};

interface Sent {
  readonly method?: string;
  readonly json?: unknown;
  readonly file?: Blob;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly signal?: AbortSignal;
}

async function answer(segments: readonly (string | number)[], sent: Sent = {}): Promise<Response> {
  const { method = 'GET', json, file, query = {}, signal } = sent;
  const headers: Record<string, string> = {};
  const key = apiKey.get();
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (file !== undefined) headers['content-type'] = 'application/octet-stream';
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, String(value));
  const path = `/v1/${segments.map(encodeURIComponent).join('/')}${asked.size > 0 ? `?${asked}` : ''}`;
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body: file ?? (json === undefined ? null : JSON.stringify(json)), signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new UnreachableError('The server cannot be reached.', { cause: error });
  }
  if (response.ok) return response;
  throw new ProblemError((await response.json()) as Problem);
}

async function ask<T>(segments: readonly (string | number)[], sent?: Sent): Promise<T> {
  return (await (await answer(segments, sent)).json()) as T;
}

/** Every call that the console makes. */
export const api = {
  bots: async (signal?: AbortSignal) => (await ask<{ bots: BotSummary[] }>(['bots'], { signal })).bots,
  bot: (bot: string, signal?: AbortSignal) => ask<BotSummary>(['bots', bot], { signal }),
  putBot: (bot: string, settings: BotSettings) => ask<BotSummary>(['bots', bot], { method: 'PUT', json: settings }),
  deleteBot: (bot: string) => ask(['bots', bot], { method: 'DELETE' }),
  heads: async (signal?: AbortSignal) => (await ask<{ heads: HeadSummary[] }>(['heads'], { signal })).heads,

  classify: (bot: string, text: string, version: string | undefined, signal?: AbortSignal) =>
    ask<ClassifyResult>(['bots', bot, 'classify'], {
      method: 'POST',
      json: { text, top: 5, explain: true, ...(version === undefined ? {} : { version }) },
      signal,
    }),

  intents: async (bot: string, signal?: AbortSignal) =>
    (await ask<{ intents: IntentSummary[] }>(['bots', bot, 'intents'], { signal })).intents,
  intent: (bot: string, intent: string, signal?: AbortSignal) =>
    ask<Intent>(['bots', bot, 'intents', intent], { signal }),
  putIntent: (bot: string, intent: string, body: { examples: readonly string[]; description?: string | null }) =>
    ask<WriteResult>(['bots', bot, 'intents', intent], { method: 'PUT', json: body }),
  renameIntent: (bot: string, intent: string, name: string) =>
    ask<WriteResult>(['bots', bot, 'intents', intent, 'rename'], { method: 'POST', json: { name } }),
  deleteIntent: (bot: string, intent: string) =>
    ask<WriteResult>(['bots', bot, 'intents', intent], { method: 'DELETE' }),
  addExamples: (bot: string, intent: string, examples: readonly string[]) =>
    ask<WriteResult>(['bots', bot, 'intents', intent, 'examples'], { method: 'POST', json: { examples } }),
  editExample: (bot: string, intent: string, id: number, change: { text?: string; intent?: string }) =>
    ask<WriteResult>(['bots', bot, 'intents', intent, 'examples', id], { method: 'PUT', json: change }),
  removeExample: (bot: string, intent: string, id: number) =>
    ask<WriteResult>(['bots', bot, 'intents', intent, 'examples', id], { method: 'DELETE' }),

  counterexamples: async (bot: string, signal?: AbortSignal) =>
    (await ask<{ examples: Example[] }>(['bots', bot, 'counterexamples'], { signal })).examples,
  addCounterexamples: (bot: string, examples: readonly string[]) =>
    ask<WriteResult>(['bots', bot, 'counterexamples'], { method: 'POST', json: { examples } }),
  removeCounterexample: (bot: string, id: number) =>
    ask<WriteResult>(['bots', bot, 'counterexamples', id], { method: 'DELETE' }),

  unlabelled: (bot: string, limit: number, signal?: AbortSignal) =>
    ask<UnlabelledPage>(['bots', bot, 'unlabelled'], { query: { limit }, signal }),
  addUnlabelled: (bot: string, texts: readonly string[]) =>
    ask<UnlabelledWrite>(['bots', bot, 'unlabelled'], { method: 'POST', json: { texts } }),
  removeUnlabelled: (bot: string, id: number) =>
    ask<UnlabelledRemoval>(['bots', bot, 'unlabelled', id], { method: 'DELETE' }),
  label: (bot: string, id: number, intent: string | null) =>
    ask<WriteResult>(['bots', bot, 'unlabelled', id, 'label'], {
      method: 'POST',
      json: intent === null ? { out_of_scope: true } : { intent },
    }),
  suggestions: (bot: string, limit: number, signal?: AbortSignal) =>
    ask<Suggestions>(['bots', bot, 'suggestions'], { query: { limit }, signal }),

  checks: (bot: string, signal?: AbortSignal) => ask<BotChecks>(['bots', bot, 'checks'], { signal }),
  map: (bot: string, signal?: AbortSignal) => ask<BotMap>(['bots', bot, 'map'], { signal }),

  importFile: (bot: string, file: Blob, how: { dryRun: boolean; prune: boolean }) =>
    ask<FileImport>(['bots', bot, 'import'], { method: 'POST', file, query: { dry_run: how.dryRun, prune: how.prune } }),
  exportFile: async (bot: string, format: string, version?: string) => {
    const response = await answer(['bots', bot, 'export'], { query: { format, version } });
    const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return { blob: await response.blob(), name: name === undefined ? bot : decodeURIComponent(name) };
  },

  versions: async (bot: string, signal?: AbortSignal) =>
    (await ask<{ versions: VersionSummary[] }>(['bots', bot, 'versions'], { signal })).versions,
  saveVersion: (bot: string, version: string, note: string | undefined) =>
    ask<VersionSummary>(['bots', bot, 'versions', version], { method: 'PUT', json: note === undefined ? {} : { note } }),
  deleteVersion: (bot: string, version: string) => ask(['bots', bot, 'versions', version], { method: 'DELETE' }),
  versionChanges: (bot: string, version: string, to: string | undefined, signal?: AbortSignal) =>
    ask<VersionChanges>(['bots', bot, 'versions', version, 'changes'], { query: { to }, signal }),
  restoreVersion: (bot: string, version: string) =>
    ask<WriteResult>(['bots', bot, 'versions', version, 'restore'], { method: 'POST' }),
  aliases: async (bot: string, signal?: AbortSignal) =>
    (await ask<{ aliases: AliasSummary[] }>(['bots', bot, 'aliases'], { signal })).aliases,
  putAlias: (bot: string, alias: string, version: string) =>
    ask<AliasSummary>(['bots', bot, 'aliases', alias], { method: 'PUT', json: { version } }),
  rollBackAlias: (bot: string, alias: string) =>
    ask<AliasSummary>(['bots', bot, 'aliases', alias, 'rollback'], { method: 'POST' }),
  deleteAlias: (bot: string, alias: string) => ask(['bots', bot, 'aliases', alias], { method: 'DELETE' }),

  evaluations: async (bot: string, signal?: AbortSignal) =>
    (await ask<{ evaluations: EvaluationSummary[] }>(['bots', bot, 'evaluations'], { signal })).evaluations,
  evaluation: (bot: string, id: string, signal?: AbortSignal) =>
    ask<Evaluation>(['bots', bot, 'evaluations', id], { signal }),
  crossValidate: (bot: string, how: { folds: number; name?: string }) =>
    ask<EvaluationSummary>(['bots', bot, 'evaluations', 'cross-validation'], { method: 'POST', json: how }),
  evaluateFile: (bot: string, file: Blob, name: string) =>
    ask<EvaluationSummary>(['bots', bot, 'evaluations', 'test-set'], { method: 'POST', file, query: { name } }),
  deleteEvaluation: (bot: string, id: number) => ask(['bots', bot, 'evaluations', id], { method: 'DELETE' }),
  comparison: (bot: string, id: string, other: string | undefined, signal?: AbortSignal) =>
    ask<EvaluationComparison>(['bots', bot, 'evaluations', id, 'comparison'], { query: { with: other }, signal }),
} as const;
