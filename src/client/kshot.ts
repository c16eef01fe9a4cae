import type { BotMap } from '../classify/mapTypes.js';
import type { BotChecks, ClassifyResult, Suggestions } from '../classify/service.js';
import { Aliases } from './aliases.js';
import { botPath } from './botPath.js';
import { Bots } from './bots.js';
import { Counterexamples } from './counterexamples.js';
import { KshotClientError } from './errors.js';
import { Evaluations } from './evaluations.js';
import { Examples } from './examples.js';
import { Heads } from './heads.js';
import { Intents } from './intents.js';
import { Jobs } from './jobs.js';
import { Keys } from './keys.js';
import { type CallOptions, type FileContent, type KshotOptions, Transport } from './transport.js';
import type {
  ClassifyCallOptions,
  ExportFileOptions,
  FileImport,
  Health,
  ImportFileOptions,
  SuggestCallOptions,
} from './types.js';
import { Unlabelled } from './unlabelled.js';
import { Versions } from './versions.js';

/** A server that does not even say whether it is ready within this is not, in ms. */
const PROBE_MS = 5000;
/** A large file is embedded before it is answered for, in ms. */
const IMPORT_MS = 300_000;

/**
 * A kshot server. What is done with a bot is a method; what a bot has is a group of methods, which name the bot first. A busy
 * server is asked again, as it says, and a broken connection is made again where that is safe.
 *
 * Every method throws KshotApiError where the server refuses, KshotConnectionError where no answer comes (KshotTimeoutError: in
 * time), KshotClientError for a name that cannot be, and the reason of the signal that gave it up.
 */
export class Kshot {
  readonly bots: Bots;
  readonly intents: Intents;
  readonly examples: Examples;
  readonly counterexamples: Counterexamples;
  readonly unlabelled: Unlabelled;
  readonly versions: Versions;
  readonly aliases: Aliases;
  readonly evaluations: Evaluations;
  readonly jobs: Jobs;
  readonly heads: Heads;
  readonly keys: Keys;
  readonly #transport: Transport;

  /** @throws KshotClientError if the address is none, or the key cannot be one. */
  constructor(options: KshotOptions) {
    const transport = new Transport(options);
    this.#transport = transport;
    this.bots = new Bots(transport);
    this.intents = new Intents(transport);
    this.examples = new Examples(transport);
    this.counterexamples = new Counterexamples(transport);
    this.unlabelled = new Unlabelled(transport);
    this.versions = new Versions(transport);
    this.aliases = new Aliases(transport);
    this.evaluations = new Evaluations(transport);
    this.jobs = new Jobs(transport);
    this.heads = new Heads(transport);
    this.keys = new Keys(transport);
  }

  /** Where requests go, without a slash at the end. */
  get url(): string {
    return this.#transport.url;
  }

  /** What a text means; of several, one result each, in order. */
  classify(bot: string, text: string, options?: ClassifyCallOptions): Promise<ClassifyResult>;
  classify(bot: string, texts: readonly string[], options?: ClassifyCallOptions): Promise<ClassifyResult[]>;
  classify(
    bot: string,
    asked: string | readonly string[],
    { top, explain, version, minRevision, ...options }: ClassifyCallOptions = {},
  ): Promise<ClassifyResult | ClassifyResult[]> {
    const how = { top, explain, version, min_revision: minRevision };
    const call = { method: 'POST', path: botPath(bot, 'classify'), isRepeatable: true, options } as const;
    if (typeof asked === 'string') return this.#transport.json({ ...call, json: { text: asked, ...how } });
    return this.#transport.member('results', { ...call, json: { texts: asked, ...how } });
  }

  /** Creates or replaces intents from a file in any format that kshot reads, all or nothing. */
  import(
    bot: string,
    file: FileContent,
    { dryRun, prune, format, language, ...options }: ImportFileOptions = {},
  ): Promise<FileImport> {
    return this.#transport.json({
      method: 'POST',
      path: botPath(bot, 'import'),
      query: { format, language, prune, dry_run: dryRun },
      file,
      isRepeatable: dryRun === true,
      options: { ...options, timeoutMs: options.timeoutMs ?? IMPORT_MS },
    });
  }

  /** Intents and counter-examples as a file, which `import` reads. */
  export(bot: string, { format, language, version, ...options }: ExportFileOptions = {}): Promise<string> {
    const query = { format, language, version };
    return this.#transport.text({ method: 'GET', path: botPath(bot, 'export'), query, options });
  }

  /** What in a bot's examples makes its answers worse. */
  check(bot: string, options?: CallOptions): Promise<BotChecks> {
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'checks'), options });
  }

  /** The unlabelled texts that are most worth a label, best first. */
  suggest(bot: string, { strategy, limit, ...options }: SuggestCallOptions = {}): Promise<Suggestions> {
    const query = { strategy, limit };
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'suggestions'), query, options });
  }

  /** A bot's examples in two dimensions. */
  map(bot: string, options?: CallOptions): Promise<BotMap> {
    return this.#transport.json({ method: 'GET', path: botPath(bot, 'map'), options });
  }

  /** Of the process; it may be starting still. */
  health(options?: CallOptions): Promise<Health> {
    return this.#transport.json({ method: 'GET', path: ['healthz'], options });
  }

  /** Whether requests are answered now. Asks once; false where nobody is there. */
  async isReady(options?: CallOptions): Promise<boolean> {
    try {
      const timeoutMs = options?.timeoutMs ?? PROBE_MS;
      await this.#transport.once({ method: 'GET', path: ['readyz'], options: { ...options, timeoutMs } });
      return true;
    } catch (error) {
      if (error instanceof KshotClientError) return false;
      throw error;
    }
  }
}
