import type { BotCounts, BotRecord, CountedBot, Store } from '../store/store.js';
import { type BotSettings, botSettingsSchema } from './settings.js';

/** What is known of a bot that need not be in memory. */
export interface RosterEntry extends CountedBot {
  readonly settings: BotSettings;
}

/** All bots of the store, with what is told of them without loading them: some hundred bytes each. */
export class Roster {
  readonly #entries = new Map<string, RosterEntry>();
  readonly #totals = { intents: 0, examples: 0 };
  readonly #heads = new Map<string | undefined, number>();

  constructor(private readonly store: Store) {}

  get size(): number {
    return this.#entries.size;
  }

  /** In no order. */
  get entries(): Iterable<RosterEntry> {
    return this.#entries.values();
  }

  /** What all bots hold together. */
  get totals(): Pick<BotCounts, 'intents' | 'examples'> {
    return this.#totals;
  }

  /** How many bots have chosen each head; undefined: none, which is the default. */
  get heads(): ReadonlyMap<string | undefined, number> {
    return this.#heads;
  }

  get names(): Iterable<string> {
    return this.#entries.keys();
  }

  get(name: string): RosterEntry | undefined {
    return this.#entries.get(name);
  }

  /** Reads all bots of the store. */
  async load(): Promise<void> {
    for (const counted of await this.store.countBots()) this.put(counted);
  }

  /** Reads one anew. @returns undefined where there is none. */
  async refresh(name: string): Promise<RosterEntry | undefined> {
    const [counted] = await this.store.countBots(name);
    if (counted === undefined) this.delete(name);
    else this.put(counted);
    return this.get(name);
  }

  put({ bot, intents, examples, counterexamples }: CountedBot): void {
    this.delete(bot.name);
    const settings = readSettings(bot);
    this.#entries.set(bot.name, { bot, intents, examples, counterexamples, settings });
    this.#count(this.get(bot.name)!, 1);
  }

  delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#count(entry, -1);
  }

  #count({ intents, examples, settings: { head } }: RosterEntry, sign: 1 | -1): void {
    this.#totals.intents += sign * intents;
    this.#totals.examples += sign * examples;
    const bots = (this.#heads.get(head) ?? 0) + sign;
    if (bots === 0) this.#heads.delete(head);
    else this.#heads.set(head, bots);
  }
}

export function readSettings(record: Pick<BotRecord, 'settings'>): BotSettings {
  return botSettingsSchema.parse(record.settings);
}
