import {
  keepPreviousData,
  MutationCache,
  QueryCache,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { isOver } from '../../client/index.js';
import { outage } from '../state/connection.js';
import { apiKey, keyWanted, readOnly } from '../state/session.js';
import { toast } from '../state/toasts.js';
import { codeOf, isPassing, messageOf, statusOf } from './errors.js';
import { kshot } from './kshot.js';

/** Marks calls that need a key for all bots: one that is refused them may write all the same, to its own bots. */
const FOR_ALL_BOTS = { forAllBots: true };

/** What any failed call tells of the key and of the server, wherever it was made. */
function noticeFailure(error: unknown, { meta }: { readonly meta: object | undefined }): void {
  const status = statusOf(error);
  if (status === 401) {
    keyWanted.set(apiKey.get() === undefined ? 'This server asks for an API key.' : messageOf(error));
  } else if (status === 403 && meta !== FOR_ALL_BOTS) readOnly.set(true);
  else if (isPassing(error)) outage.set(messageOf(error));
}

export function createQueryClient(): QueryClient {
  const noticeSuccess = () => {
    outage.set(undefined);
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: noticeFailure, onSuccess: noticeSuccess }),
    mutationCache: new MutationCache({
      onError: (error, _input, _context, mutation) => {
        noticeFailure(error, mutation);
      },
      onSuccess: noticeSuccess,
    }),
    defaultOptions: {
      queries: {
        // The client has tried again where that makes sense.
        retry: false,
        staleTime: 10_000,
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
}

/** All that is known of a bot is kept under this, and is asked for anew after a write to it. */
const ofBot = (bot: string, ...rest: readonly unknown[]) => ['bot', bot, ...rest];

/** How often one asks after what runs. */
const PROGRESS_MS = 1000;

export const useBots = () =>
  useQuery({ queryKey: ['bots'], queryFn: ({ signal }) => kshot().bots.list({ signal }) });

export const useHeads = () =>
  useQuery({ queryKey: ['heads'], queryFn: ({ signal }) => kshot().heads.list({ signal }) });

export const useKeys = () =>
  useQuery({
    queryKey: ['keys'],
    queryFn: ({ signal }) => kshot().keys.list({ signal }),
    meta: FOR_ALL_BOTS,
  });

export const useJobs = () =>
  useQuery({
    queryKey: ['jobs'],
    queryFn: ({ signal }) => kshot().jobs.list({ signal }),
    refetchInterval: ({ state }) => (state.data?.every(isOver) === false ? PROGRESS_MS : false),
  });

export const useBot = (bot: string) =>
  useQuery({ queryKey: ofBot(bot), queryFn: ({ signal }) => kshot().bots.get(bot, { signal }) });

export const useIntents = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'intents'),
    queryFn: ({ signal }) => kshot().intents.list(bot, { signal }),
  });

export const useIntent = (bot: string, intent: string) =>
  useQuery({
    queryKey: ofBot(bot, 'intent', intent),
    queryFn: ({ signal }) => kshot().intents.get(bot, intent, { signal }),
  });

export const useCounterexamples = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'counterexamples'),
    queryFn: ({ signal }) => kshot().counterexamples.list(bot, { signal }),
  });

export const useChecks = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'checks'),
    queryFn: ({ signal }) => kshot().check(bot, { signal }),
    placeholderData: keepPreviousData,
  });

export const useMap = (bot: string) =>
  useQuery({ queryKey: ofBot(bot, 'map'), queryFn: ({ signal }) => kshot().map(bot, { signal }) });

/** Asked again until the head has adapted to the latest write: until then confidences still move. */
const ADAPTING_MS = 700;

/** What a text means to the bot now, or to a version of it. An answer to an older text is never shown as this one's. */
export const useClassification = (bot: string, text: string, version: string | undefined) =>
  useQuery({
    queryKey: ofBot(bot, 'classify', version ?? null, text),
    queryFn: ({ signal }) => kshot().classify(bot, text, { explain: true, version, signal }),
    enabled: text.trim() !== '',
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.explanation?.adapted === false ? ADAPTING_MS : false),
  });

/** How many texts wait for a label. Needs a key that may write, so it also tells whether the key may. */
export const useUnlabelledCount = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'unlabelled'),
    queryFn: async ({ signal }) => (await kshot().unlabelled.list(bot, { limit: 1, signal })).total,
  });

/** Not under the bot's key: labelling a text must not change the pile that is being worked through. */
export const useSuggestions = (bot: string, round: number, limit: number) =>
  useQuery({
    queryKey: ['suggestions', bot, round],
    queryFn: ({ signal }) => kshot().suggest(bot, { limit, signal }),
    staleTime: Infinity,
    gcTime: 0,
  });

export const useVersions = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'versions'),
    queryFn: ({ signal }) => kshot().versions.list(bot, { signal }),
  });

export const useAliases = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'aliases'),
    queryFn: ({ signal }) => kshot().aliases.list(bot, { signal }),
  });

export const useVersionChanges = (bot: string, version: string, to: string | undefined) =>
  useQuery({
    queryKey: ofBot(bot, 'versionChanges', version, to ?? null),
    queryFn: ({ signal }) => kshot().versions.changes(bot, version, { to, signal }),
  });

export const useEvaluations = (bot: string) =>
  useQuery({
    queryKey: ofBot(bot, 'evaluations'),
    queryFn: ({ signal }) => kshot().evaluations.list(bot, { signal }),
    refetchInterval: ({ state }) => (state.data?.every(isOver) === false ? PROGRESS_MS : false),
  });

export const useEvaluation = (bot: string, id: number) =>
  useQuery({
    queryKey: ofBot(bot, 'evaluation', id),
    queryFn: ({ signal }) => kshot().evaluations.get(bot, id, { signal }),
    refetchInterval: ({ state }) => (state.data && !isOver(state.data) ? PROGRESS_MS : false),
  });

export const useComparison = (bot: string, id: number, other: number | undefined) =>
  useQuery({
    queryKey: ofBot(bot, 'comparison', id, other ?? null),
    queryFn: async ({ signal }) => {
      try {
        return await kshot().evaluations.compare(bot, id, { with: other, signal });
      } catch (error) {
        // The first of its kind: nothing is wrong.
        if (codeOf(error) === 'nothing_to_compare') return null;
        throw error;
      }
    },
  });

interface WriteOptions<Input, Output> {
  readonly onDone?: (output: Output, input: Input) => void;
  /** Whether whoever calls shows a failure itself; otherwise a toast does. */
  readonly showsError?: boolean;
}

/** A write to a bot: when it is done, all that is known of the bot is asked for anew. */
export function useWrite<Input, Output>(
  bot: string,
  write: (input: Input) => Promise<Output>,
  { onDone, showsError = false }: WriteOptions<Input, Output> = {},
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    onSuccess: (output, input) => {
      void client.invalidateQueries({ queryKey: ofBot(bot) });
      void client.invalidateQueries({ queryKey: ['bots'] });
      onDone?.(output, input);
    },
    onError: (error) => {
      if (!showsError) toast(messageOf(error), { tone: 'failed' });
    },
  });
}

/** A write to what is of no bot. */
export function useServerWrite<Output>(
  of: 'keys' | 'jobs',
  write: () => Promise<Output>,
  onDone: (output: Output) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: write,
    meta: FOR_ALL_BOTS,
    onSuccess: (output) => {
      // First: keys are asked for with the new one, where it closes the server.
      onDone(output);
      void client.invalidateQueries({ queryKey: [of] });
    },
  });
}
