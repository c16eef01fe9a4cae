import type { HeadVersion } from '../heads/version.js';
import { bytesOf } from '../heads/runtime.js';
import type { BotRecord } from '../store/store.js';
import type { Learned } from './liveBot.js';

interface Kept {
  readonly bot: BotRecord;
  readonly head: HeadVersion;
  readonly learned: Learned;
  readonly bytes: number;
}

/**
 * What bots that were let go had learned, the last of them, within a number of bytes. One that comes back as it was answers at
 * once as before, and no worker has to adapt it again.
 */
export class LearnedStates {
  /** The one that was let go first is first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(private readonly limit: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** @param name of the bot, or of the bot and a version of it. */
  keep(name: string, bot: BotRecord, head: HeadVersion, learned: Learned): void {
    this.take(name);
    const bytes = bytesOf(learned.state);
    this.#kept.set(name, { bot, head, learned, bytes });
    this.#bytes += bytes;
    for (const [first] of this.#kept) {
      if (this.#bytes <= this.limit) return;
      this.take(first);
    }
  }

  /** What a bot had learned, if nothing has been written to it since; it is not kept any longer. */
  take(name: string, bot?: BotRecord, head?: HeadVersion): Learned | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#kept.delete(name);
    this.#bytes -= kept.bytes;
    const isSame = kept.bot.id === bot?.id && kept.bot.revision === bot.revision && kept.head === head;
    return isSame ? kept.learned : undefined;
  }
}
