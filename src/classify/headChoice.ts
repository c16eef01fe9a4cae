import type { HeadLibrary } from '../heads/library.js';
import { FALLBACK_HEAD } from '../heads/registry.js';
import type { HeadVersion } from '../heads/version.js';
import { defaultHead, headUnavailable, unknownHead } from './headList.js';
import type { LiveBot } from './liveBot.js';
import type { BotHead } from './service.js';
import type { BotSettings } from './settings.js';

interface Chosen {
  readonly bot?: LiveBot;
  readonly settings: BotSettings;
}

/** A head that answers, and whether it does so in place of the one that is wanted. */
interface Serving {
  readonly version: HeadVersion;
  readonly isFallback: boolean;
}

export interface HeadUse {
  readonly bots: ReadonlyMap<HeadVersion, number>;
  readonly fallbacks: number;
}

/** Which head answers for a bot, by its settings and by what there is. */
export class HeadChoice {
  constructor(private readonly heads: HeadLibrary) {}

  /** @throws KshotError `invalid_request` where there is no such head, `head_unavailable` where it cannot be served. */
  check(name: string | undefined): void {
    if (name === undefined) return;
    const entry = this.heads.find(name);
    if (entry === undefined) throw unknownHead(name, this.heads.entries);
    if (entry.version === undefined) throw headUnavailable(entry);
  }

  /** The head that settings want, or the default. */
  wanted(settings: BotSettings): string {
    return settings.head ?? defaultHead(this.heads);
  }

  /** The heads that may answer for a bot: the one that is wanted, and what goes in for it. The last serves every bot. */
  versionsFor(settings: BotSettings): HeadVersion[] {
    const names = new Set([this.wanted(settings), defaultHead(this.heads), FALLBACK_HEAD]);
    const versions = [...names].flatMap((name) => this.heads.find(name)?.version ?? []);
    return versions.slice(0, versions.findIndex(({ source }) => source.kind === 'built-in') + 1);
  }

  /** The head that is wanted and the one that answers; of a bot that is not in memory, the one that will by its settings. */
  describe({ bot, settings }: Chosen): BotHead {
    const wanted = this.wanted(settings);
    const serving = (bot?.head ?? this.versionsFor(settings)[0]!).name;
    if (serving === wanted) return { wanted, serving, reason: null };
    const entry = this.heads.find(wanted);
    const problem = entry?.version === undefined ? headUnavailable(entry ?? { name: wanted }) : bot?.refusal;
    return { wanted, serving, reason: problem?.message ?? null };
  }

  /**
   * How many bots each head answers for, and how many it answers for in place of the one that is wanted.
   *
   * @param chosen how many bots have chosen each head; undefined: none.
   * @param inMemory those of them that are known better than by their settings.
   */
  use(chosen: ReadonlyMap<string | undefined, number>, inMemory: readonly Required<Chosen>[]): HeadUse {
    const bots = new Map<HeadVersion, number>();
    let fallbacks = 0;
    const count = ({ version, isFallback }: Serving, number: number) => {
      bots.set(version, (bots.get(version) ?? 0) + number);
      if (isFallback) fallbacks += number;
    };
    const known = new Map<string | undefined, Serving>();
    const expected = (head: string | undefined): Serving => {
      let serving = known.get(head);
      if (serving === undefined) {
        const settings = head === undefined ? {} : { head };
        const isFallback = this.describe({ settings }).reason !== null;
        known.set(head, (serving = { version: this.versionsFor(settings)[0]!, isFallback }));
      }
      return serving;
    };
    for (const [head, number] of chosen) count(expected(head), number);
    for (const served of inMemory) {
      const serving = expected(served.settings.head);
      if (served.bot.head === serving.version) continue;
      count(serving, -1);
      count({ version: served.bot.head, isFallback: this.describe(served).reason !== null }, 1);
    }
    return { bots, fallbacks };
  }
}
