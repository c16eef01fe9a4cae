import { setImmediate as nextTurn } from 'node:timers/promises';
import type { HeadName } from '../heads/registry.js';
import { type ClassPick, gatherClasses, type LoadedState } from '../heads/runtime.js';
import type { HeadVersion } from '../heads/version.js';
import { softmax } from './calibrate.js';
import { CandidateScorer } from './candidates.js';
import type { IntentProbabilities, LiveBot } from './liveBot.js';

/** Heads that judge a text each in another way, and need not adapt: what a committee is made of besides the bot's own. */
export const COMMITTEE_HEADS: readonly HeadName[] = ['prototypical', 'matching', 'names'];

/** Intents that are induced before other requests get their turn. */
const INTENTS_A_TURN = 16;

/** One head's opinion of texts. */
interface Member {
  /**
   * @param queries `[Q, D]`.
   * @param intents of each query, those that are asked about, in the order of
   * @returns its probabilities of them: Q arrays.
   */
  judge(queries: Float32Array, intents: readonly (readonly string[])[]): Float32Array[];
  dispose(): void;
}

/** Several heads on the support set of one bot, for as long as suggestions are made. To be given back by `dispose()`. */
export class Committee {
  private constructor(private readonly members: readonly Member[]) {}

  /** Takes its time, with other requests in between. */
  static async convene(bot: LiveBot, heads: readonly HeadVersion[]): Promise<Committee> {
    const members: Member[] = [];
    for (const head of heads) {
      if (head.name === bot.head.name) continue; // it has its say already
      members.push(
        bot.hasClassState
          ? await AllIntents.of(bot, head)
          : new Candidates(bot, head, bot.temperatureOf(head)),
      );
    }
    return new Committee(members);
  }

  /**
   * @param queries `[Q, D]`.
   * @param own what the bot's own head says of each, and of which intents.
   * @returns for each query what the members say of the same intents, the bot's own head first.
   */
  judge(queries: Float32Array, own: readonly IntentProbabilities[]): Float32Array[][] {
    const intents = own.map((one) => one.intents);
    const others = this.members.map((member) => member.judge(queries, intents));
    return own.map(({ probabilities }, q) => [probabilities, ...others.map((rows) => rows[q]!)]);
  }

  dispose(): void {
    for (const member of this.members) member.dispose();
  }
}

/** A head's state of all intents that the bot had when the committee was convened. */
class AllIntents implements Member {
  private constructor(
    private readonly head: HeadVersion,
    private readonly state: LoadedState,
    private readonly columns: ReadonlyMap<string, number>,
    private readonly temperature: number,
  ) {}

  static async of(bot: LiveBot, head: HeadVersion): Promise<AllIntents> {
    const names = bot.texts.intents.map(({ name }) => name);
    const temperature = bot.temperatureOf(head);
    const picks: ClassPick[] = [];
    const columns = new Map<string, number>();
    for (let from = 0; from < names.length; from += INTENTS_A_TURN) {
      if (from > 0) await nextTurn();
      // Looked up anew: one may have been deleted meanwhile.
      const intents = names
        .slice(from, from + INTENTS_A_TURN)
        .flatMap((name) => bot.texts.intent(name) ?? []);
      if (intents.length === 0) continue;
      const state = head.runtime.induce(bot.supportOf(intents));
      intents.forEach(({ name }, at) => {
        columns.set(name, picks.length);
        picks.push({ state, at });
      });
    }
    return new AllIntents(head, head.runtime.load(gatherClasses(picks)!), columns, temperature);
  }

  judge(queries: Float32Array, intents: readonly (readonly string[])[]): Float32Array[] {
    const logits = this.head.runtime.score(this.state, queries);
    const C = this.state.classes;
    return intents.map((names, q) => {
      const all = softmax(logits.subarray(q * C, (q + 1) * C), this.temperature);
      // An intent that came since is one that it knows nothing of.
      return Float32Array.from(names, (name) => all[this.columns.get(name) ?? C] ?? 0);
    });
  }

  dispose(): void {
    this.state.dispose();
  }
}

/** Of a bot that has too many intents for that: the candidates of each text, induced as they come up. */
class Candidates implements Member {
  readonly #scorer: CandidateScorer;

  constructor(
    private readonly bot: LiveBot,
    head: HeadVersion,
    private readonly temperature: number,
  ) {
    this.#scorer = new CandidateScorer(head.runtime, (intents, shots) => bot.supportOf(intents, shots));
  }

  judge(queries: Float32Array, intents: readonly (readonly string[])[]): Float32Array[] {
    const D = this.bot.dimension;
    return intents.map((names, q) => {
      const candidates = names.map((name) => this.bot.texts.intent(name)!);
      const logits = this.#scorer.score(queries.subarray(q * D, (q + 1) * D), candidates);
      return softmax(logits, this.temperature);
    });
  }

  dispose(): void {
    // What it keeps is ordinary memory.
  }
}
