/** What a bot's owner sets. Absent means default, so that a better default reaches every bot that did not choose. */
export interface BotSettings {
  /** How queries are scored against the support set: one of the heads that there are. */
  head?: string | undefined;
  /** The in-scope probability below which a text is out of scope. */
  threshold?: number | undefined;
  /** Whether texts that are classified are kept as unlabelled ones. */
  keep_texts?: boolean | undefined;
}
