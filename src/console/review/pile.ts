import { useState } from 'react';
import type { SuggestedText } from '../../client/index.js';
import { useSuggestions } from '../api/queries.js';

/** As many as are asked for at once: the choice is best when it is fresh. */
const A_ROUND = 10;

/** What was done with a text, and how it is taken back. */
export interface Decision {
  readonly text: SuggestedText;
  readonly done: string;
  /** Absent for a text that was only passed over. */
  readonly takeBack?: () => Promise<unknown>;
}

/**
 * The texts to label, a round at a time: the next round is chosen by what the bot has learned from this one. Texts that were
 * passed over do not come again until the screen is opened anew.
 */
export function usePile(bot: string) {
  const [round, setRound] = useState(0);
  const [decisions, setDecisions] = useState<readonly Decision[]>([]);
  const skipped = decisions.filter(({ takeBack }) => takeBack === undefined).length;
  const query = useSuggestions(bot, round, A_ROUND + skipped);
  // By text: a text that is taken back comes under another id.
  const decided = new Set(decisions.map(({ text }) => text.text));
  const waiting = query.data?.suggestions.filter(({ text }) => !decided.has(text)) ?? [];
  const isEmptyRound = query.data !== undefined && !query.isFetching && waiting.length === 0;
  const mayBeMore = (query.data?.suggestions.length ?? 0) > skipped;
  if (isEmptyRound && mayBeMore && decisions.length > 0) setRound(round + 1);

  return {
    query,
    current: waiting[0],
    decisions,
    decide: (decision: Decision) => {
      setDecisions([...decisions, decision]);
    },
    /** Takes the latest decision back. @returns it; undefined where there is none. */
    popDecision: (): Decision | undefined => {
      setDecisions(decisions.slice(0, -1));
      return decisions.at(-1);
    },
    refresh: () => {
      setRound(round + 1);
    },
  };
}
