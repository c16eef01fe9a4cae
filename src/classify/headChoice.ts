import type { HeadLibrary } from '../heads/library.js';
import { FALLBACK_HEAD } from '../heads/registry.js';
import type { HeadVersion } from '../heads/version.js';
import { defaultHead, headUnavailable, unknownHead } from './headList.js';
import type { LiveBot } from './liveBot.js';
import type { BotHead } from './service.js';
import type { BotSettings } from './settings.js';

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

  /** The head that is wanted and the one that answers. */
  describe({ bot, settings }: { readonly bot: LiveBot; readonly settings: BotSettings }): BotHead {
    const wanted = this.wanted(settings);
    const serving = bot.head.name;
    if (serving === wanted) return { wanted, serving, reason: null };
    const entry = this.heads.find(wanted);
    const problem = entry?.version === undefined ? headUnavailable(entry ?? { name: wanted }) : bot.refusal;
    return { wanted, serving, reason: problem?.message ?? null };
  }
}
