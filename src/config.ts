import { isIPv4 } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { z } from 'zod';
import { KshotError, type FieldProblem } from './errors.js';
import { isPostgresUrl, printableUrl } from './store/location.js';

/**
 * The settings of kshot, written down once: the schema below gives flags, environment variables, defaults, `--help`
 * and the README's table. Nothing else reads the command line or the environment.
 */

/** What a command may ask for: `serve` takes all groups, `classify` needs no server. */
export type SettingGroup =
  'server' | 'store' | 'encoder' | 'heads' | 'jobs' | 'security' | 'limits' | 'logging';
const ALL_GROUPS: readonly SettingGroup[] = [
  'server',
  'store',
  'encoder',
  'heads',
  'jobs',
  'security',
  'limits',
  'logging',
];

interface About {
  readonly group: SettingGroup;
  readonly description: string;
  /** What stands for the value in `--help`; absent for a switch. */
  readonly value?: string;
  /** How the default reads where the value itself would not do. */
  readonly defaultText?: string;
  /** The variable of a standard that is read where ours is not set. */
  readonly standard?: string;
  /** Never printed, but for what `printable` leaves of it. */
  readonly secret?: true;
  readonly printable?: (value: string) => string;
}

/** Shortest API key, in characters: what cannot be guessed at any rate that a server answers. */
const SHORTEST_KEY = 16;

/** The encoder that ships. */
export const BUNDLED_MODEL = fileURLToPath(new URL('../../models/encoder', import.meta.url));

/** The trained heads that ship, made for the encoder that ships. */
export const BUNDLED_HEADS = fileURLToPath(new URL('../../models/heads', import.meta.url));

const about = z.registry<About>();

// Flags and variables are strings, so every schema reads a string; defaults are the values themselves.
const words = z.string().trim().min(1, 'must not be empty');
const wholeNumber = (smallest: number, largest: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= smallest && n <= largest, `must be from ${smallest} to ${largest}`);
const onOff = z.stringbool({ error: 'must be true or false' });
const oneOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, { error: `must be one of ${names.join(', ')}` });
const keys = z
  .string()
  .transform((list) =>
    list
      .split(',')
      .map((key) => key.trim())
      .filter((key) => key !== ''),
  )
  .pipe(
    z.array(
      z
        .string()
        .min(SHORTEST_KEY, `must hold keys of at least ${SHORTEST_KEY} characters`)
        .regex(/^[\x21-\x7e]*$/, 'must hold keys of printable ASCII characters without spaces'),
    ),
  );

const collector = words.refine(isCollector, {
  error:
    'must be an http or https address without a password in it (OTEL_EXPORTER_OTLP_HEADERS holds secrets)',
});

const MILLISECONDS = wholeNumber(1, 3_600_000);
const COUNT = wholeNumber(1, 10_000_000);

const settingsSchema = z
  .object({
    host: words.default('127.0.0.1').register(about, {
      group: 'server',
      value: 'address',
      description: 'Address to listen on; 0.0.0.0 or :: for all. Other than loopback requires API keys',
    }),
    port: wholeNumber(0, 65_535).default(8080).register(about, {
      group: 'server',
      value: 'number',
      description: 'Port to listen on; 0 takes any free one',
    }),
    requestTimeoutMs: MILLISECONDS.default(30_000).register(about, {
      group: 'server',
      value: 'ms',
      description: 'A client that takes longer to send its request is cut off',
    }),
    keepAliveTimeoutMs: MILLISECONDS.default(65_000).register(about, {
      group: 'server',
      value: 'ms',
      description: 'An idle connection is kept this long; above the idle time-out of a proxy in front',
    }),
    warmupTimeoutMs: MILLISECONDS.default(30_000).register(about, {
      group: 'server',
      value: 'ms',
      description: 'The warm-up before the server calls itself ready ends after this at the latest',
    }),
    shutdownTimeoutMs: MILLISECONDS.default(10_000).register(about, {
      group: 'server',
      value: 'ms',
      description: 'At shutdown, requests that were accepted have this long to finish',
    }),
    demo: onOff.default(true).register(about, {
      group: 'server',
      description: 'A store that is new gets the demo bot',
    }),
    console: onOff.default(true).register(about, {
      group: 'server',
      description: 'The console, a web app to look after bots with, is served at /',
    }),
    dataDir: words.default('./data/store').register(about, {
      group: 'store',
      value: 'folder',
      description: 'Where bots, intents and examples are kept',
    }),
    store: words
      .refine(isPostgresUrl, 'must be the URL of a database: postgres://user@host:5432/database')
      .optional()
      .register(about, {
        group: 'store',
        value: 'url',
        secret: true,
        printable: printableUrl,
        defaultText: 'SQLite in the data folder',
        description: 'A PostgreSQL database to keep them in instead, which several servers may share',
      }),
    storeConnections: wholeNumber(1, 1000).default(8).register(about, {
      group: 'store',
      value: 'number',
      description: 'Connections to PostgreSQL at most, besides the one by which a server is told of writes',
    }),
    revisionCheckMs: MILLISECONDS.default(2000).register(about, {
      group: 'store',
      value: 'ms',
      description: 'How often a server on PostgreSQL looks whether a write of another one has escaped it',
    }),
    revisionTimeoutMs: MILLISECONDS.default(2000).register(about, {
      group: 'store',
      value: 'ms',
      description: 'A request with min_revision waits this long for a revision that another server wrote',
    }),
    botMemoryMb: wholeNumber(1, 100_000_000).optional().register(about, {
      group: 'store',
      value: 'MiB',
      defaultText: 'half of the memory of the machine, or the container',
      description: 'Memory for bots, estimated; beyond it those are let go that were not used for longest',
    }),
    model: words.default(BUNDLED_MODEL).register(about, {
      group: 'encoder',
      value: 'folder|hub id',
      defaultText: 'the bundled models/encoder',
      description: 'The encoder: a folder in the transformers.js layout, or a hub id, downloaded once',
    }),
    modelCache: words.default('./data/cache').register(about, {
      group: 'encoder',
      value: 'folder',
      description: 'Where a downloaded encoder is kept',
    }),
    device: oneOf(['auto', 'cpu', 'cuda', 'webgpu']).default('auto').register(about, {
      group: 'encoder',
      value: 'name',
      description: 'What the encoder runs on: auto, cpu, cuda or webgpu',
    }),
    weights: words.optional().register(about, {
      group: 'encoder',
      value: 'name',
      defaultText: 'by device',
      description: "The weights' file without its ending, such as model_quantized or model_fp16",
    }),
    threads: wholeNumber(0, 1024).default(0).register(about, {
      group: 'encoder',
      value: 'number',
      description: 'Threads of one forward pass; 0 leaves it to the runtime',
    }),
    maxBatchTexts: wholeNumber(1, 4096).default(64).register(about, {
      group: 'encoder',
      value: 'number',
      description: 'Texts that share one forward pass at most',
    }),
    maxBatchTokens: wholeNumber(1, 1_000_000).optional().register(about, {
      group: 'encoder',
      value: 'number',
      defaultText: 'by device: 2048 on a CPU, 16384 on a GPU',
      description: 'Tokens of one forward pass at most, padding included',
    }),
    maxQueuedTexts: COUNT.default(2048).register(about, {
      group: 'encoder',
      value: 'number',
      description: 'Texts that may wait for the encoder; beyond it requests are answered 503 at once',
    }),
    maxQueueMs: MILLISECONDS.default(1000).register(about, {
      group: 'encoder',
      value: 'ms',
      description:
        'Texts that wait may be expected to take so long; beyond it requests are answered 503 at once',
    }),
    embeddingCacheMb: wholeNumber(0, 1_000_000).default(64).register(about, {
      group: 'encoder',
      value: 'MiB',
      description: 'Memory for embeddings of texts seen lately; 0 turns the cache off',
    }),
    heads: words.default(BUNDLED_HEADS).register(about, {
      group: 'heads',
      value: 'folder',
      defaultText: 'the bundled models/heads',
      description: 'Where trained heads are, a folder each; one made for another encoder is not served',
    }),
    runJobs: onOff.default(true).register(about, {
      group: 'jobs',
      description:
        'The server runs jobs (evaluations and the like) besides; else workers and other servers do',
    }),
    datasets: words.optional().register(about, {
      group: 'jobs',
      value: 'folder',
      description: 'Data sets, as npm run fetch-data lays them out, and tables: what a training job may name',
    }),
    encoders: words.optional().register(about, {
      group: 'jobs',
      value: 'folder',
      description: 'Encoders, a folder each: what a job for training or re-embedding may name',
    }),
    apiKeys: keys.default([]).register(about, {
      group: 'security',
      value: 'list',
      secret: true,
      defaultText: 'none',
      description: `Comma-separated keys that may read and write, ${SHORTEST_KEY} characters or more each`,
    }),
    readOnlyApiKeys: keys.default([]).register(about, {
      group: 'security',
      value: 'list',
      secret: true,
      defaultText: 'none',
      description: 'Comma-separated keys that may read and classify',
    }),
    insecureNoAuth: onOff.default(false).register(about, {
      group: 'security',
      description: 'Listen beyond loopback without keys: whoever reaches the port may read and write',
    }),
    maxBodyBytes: wholeNumber(1024, 1_073_741_824).default(1_048_576).register(about, {
      group: 'limits',
      value: 'bytes',
      description: 'Longest request body, after decompression',
    }),
    maxImportBytes: wholeNumber(1024, 67_108_864).default(16_777_216).register(about, {
      group: 'limits',
      value: 'bytes',
      description: 'Longest file that one import over HTTP may bring, at most 64 MiB',
    }),
    maxTexts: COUNT.default(1000).register(about, {
      group: 'limits',
      value: 'number',
      description: 'Texts that one request may classify',
    }),
    maxTextChars: wholeNumber(1, 1_000_000).default(10_000).register(about, {
      group: 'limits',
      value: 'number',
      description: 'Longest text, in characters (Unicode code points)',
    }),
    maxExamplesPerIntent: COUNT.default(1000).register(about, {
      group: 'limits',
      value: 'number',
      description: 'Examples that one write may give an intent, or counter-examples a bot',
    }),
    maxExamplesPerWrite: COUNT.default(20_000).register(about, {
      group: 'limits',
      value: 'number',
      description: 'Examples of all intents together that one write, or one import, may hold',
    }),
    logLevel: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .register(about, {
        group: 'logging',
        value: 'level',
        description: 'Least level that is logged: fatal, error, warn, info, debug, trace, or silent',
      }),
    logTexts: onOff.default(false).register(about, {
      group: 'logging',
      description: 'Classified texts and their intents are logged; off, no text ever is',
    }),
    otlpEndpoint: collector.optional().register(about, {
      group: 'logging',
      value: 'address',
      defaultText: 'OTEL_EXPORTER_OTLP_ENDPOINT, or off',
      standard: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      description: 'Collector that traces are sent to, over OTLP/HTTP, such as http://localhost:4318',
    }),
  })
  .superRefine((settings, context) => {
    const refuse = (name: string, message: string) => {
      context.addIssue({ code: 'custom', path: [name], message });
    };
    const all = [...settings.apiKeys, ...settings.readOnlyApiKeys];
    if (new Set(all).size < all.length)
      refuse('apiKeys', 'must not hold a key twice, nor one that is read-only too');
    if (all.length > 0 && settings.insecureNoAuth) {
      refuse('insecureNoAuth', 'contradicts the API keys that are set; leave out one or the other');
    }
    if (!settings.runJobs && settings.store === undefined) {
      refuse('runJobs', 'can be turned off with --store alone: without it nobody else could run jobs');
    }
    if (settings.maxQueuedTexts < settings.maxTexts) {
      refuse(
        'maxQueuedTexts',
        `must not be below --max-texts (${settings.maxTexts}), or the largest request never fits`,
      );
    }
  });

export type Settings = z.infer<typeof settingsSchema>;
export type SettingName = keyof Settings;

/** What the command line gave, by setting; a switch is a boolean. */
export type Flags = Readonly<Record<string, unknown>>;

/**
 * Reads and validates the settings: a flag goes before a variable, a variable before the default. A variable that
 * is set but empty counts as absent.
 *
 * @param flags values by setting name, as commander's `opts()` gives them; names that are no setting are passed over.
 * @param groups what the command needs; settings of other groups are not looked at and have their defaults.
 * @throws KshotError `invalid_configuration`: every wrong setting, by flag and variable. Secrets are not in it.
 */
export function readSettings(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  groups: readonly SettingGroup[] = ALL_GROUPS,
): Settings {
  const given: Record<string, string> = {};
  for (const name of namesIn(groups)) {
    const flag = flags[name];
    const variable = variableIn(environment, name);
    if (typeof flag === 'string' || typeof flag === 'boolean') given[name] = String(flag);
    else if (variable !== undefined) given[name] = variable;
  }
  const outcome = settingsSchema.safeParse(given);
  if (outcome.success) return outcome.data;

  const fields = new Map<string, FieldProblem>();
  for (const issue of outcome.error.issues) {
    const name = issue.path[0] as SettingName;
    const field = fieldOf(name);
    if (!fields.has(field))
      fields.set(field, { field, message: issue.message + whatWasGiven(name, given[name]) });
  }
  const problems = [...fields.values()];
  const lines = problems.map(({ field, message }) => `${field} ${message}`);
  throw new KshotError('invalid_configuration', lines.join('\n'), { fields: problems });
}

/**
 * @param hasStoredKeys whether the store has API keys in force, which the settings do not tell.
 * @throws KshotError `invalid_configuration` where the server would be open to whoever reaches it from other machines.
 */
export function requireKeysBeyondLoopback(settings: Settings, hasStoredKeys: boolean): void {
  const { host, apiKeys, readOnlyApiKeys, insecureNoAuth } = settings;
  const hasKeys = hasStoredKeys || apiKeys.length + readOnlyApiKeys.length > 0;
  if (hasKeys || insecureNoAuth || isLoopback(host)) return;
  throw wrongSetting(
    'apiKeys',
    `must be set to listen on ${host}, which other machines may reach; or make a key with "kshot keys create", ` +
      'listen on 127.0.0.1 instead, or give --insecure-no-auth if the network is trusted',
  );
}

/** @throws KshotError `invalid_configuration` where no other process could share the store. */
export function requireSharedStore({ store }: Settings): void {
  if (store !== undefined) return;
  throw wrongSetting(
    'store',
    'must name the PostgreSQL database that servers share: a server on SQLite runs its jobs itself, and nobody else can',
  );
}

function wrongSetting(name: SettingName, message: string): KshotError {
  const field = fieldOf(name);
  return new KshotError('invalid_configuration', `${field} ${message}`, { fields: [{ field, message }] });
}

/** Variables that look like settings and are none: misspelt, most likely. Worth a warning. */
export function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const known = new Set(settingNames.map(variableOf));
  return Object.keys(environment)
    .filter((name) => name.startsWith('KSHOT_') && !known.has(name))
    .sort();
}

/** The settings as they may be logged: instead of keys, how many there are; instead of passwords, nothing. */
export function printableSettings(settings: Settings): Record<string, unknown> {
  return Object.fromEntries(
    settingNames.map((name) => {
      const value = settings[name];
      const { secret, printable } = aboutOf(name);
      if (secret && Array.isArray(value)) return [name, `[${value.length} redacted]`];
      return [name, printable && typeof value === 'string' ? printable(value) : value];
    }),
  );
}

/** Options for a commander command; what they set is read by `readSettings(command.opts(), process.env)`. */
export function settingOptions(groups: readonly SettingGroup[]): Option[] {
  return namesIn(groups).flatMap((name) => {
    const { value, description } = aboutOf(name);
    const text = `${description} (${variableOf(name)}; default: ${defaultOf(name)})`;
    if (value !== undefined) return [new Option(`--${flagOf(name)} <${value}>`, text)];
    // A switch has both forms, so that a flag can undo a variable; help shows the one that changes the default.
    const on = new Option(`--${flagOf(name)}`, text);
    const off = new Option(`--no-${flagOf(name)}`, text);
    return defaultOf(name) === 'true' ? [on.hideHelp(), off] : [on, off.hideHelp()];
  });
}

/** The README's table of settings, in Markdown. */
export function settingsTable(): string {
  const rows = settingNames.map((name) => {
    const { value, description } = aboutOf(name);
    const flag = value === undefined && defaultOf(name) === 'true' ? `no-${flagOf(name)}` : flagOf(name);
    const code = aboutOf(name).defaultText === undefined ? `\`${defaultOf(name)}\`` : defaultOf(name);
    return `| \`--${flag}\` | \`${variableOf(name)}\` | ${code} | ${description} |`;
  });
  return (
    ['| flag | variable | default | what it does |', '| --- | --- | --- | --- |', ...rows].join('\n') + '\n'
  );
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (address === 'localhost' || address === '::1') return true;
  const mapped = address.replace(/^::ffff:/, '');
  return isIPv4(mapped) && mapped.startsWith('127.');
}

const settingNames = Object.keys(settingsSchema.shape) as SettingName[];

function namesIn(groups: readonly SettingGroup[]): SettingName[] {
  return settingNames.filter((name) => groups.includes(aboutOf(name).group));
}

function aboutOf(name: SettingName): About {
  const found = about.get(settingsSchema.shape[name]);
  if (found === undefined) throw new TypeError(`The setting ${name} is not described`);
  return found;
}

function defaultOf(name: SettingName): string {
  const schema = settingsSchema.shape[name];
  return (
    aboutOf(name).defaultText ?? (schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : 'none')
  );
}

function flagOf(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** How a setting is called where it is wrong. */
function fieldOf(name: SettingName): string {
  return `--${flagOf(name)} (${variableOf(name)})`;
}

function variableOf(name: SettingName): string {
  return `KSHOT_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/** What the environment says of a setting; a variable that is set but empty counts as absent. */
function variableIn(environment: NodeJS.ProcessEnv, name: SettingName): string | undefined {
  const { standard } = aboutOf(name);
  const variables = [variableOf(name), ...(standard === undefined ? [] : [standard])];
  return variables.map((variable) => environment[variable]).find((value) => value?.trim());
}

function isCollector(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function whatWasGiven(name: SettingName, value: string | undefined): string {
  if (value === undefined || aboutOf(name).secret) return '';
  const hint = /^(tcp|udp):\/\//.test(value)
    ? ' (Kubernetes sets such variables for a service named kshot: use enableServiceLinks: false)'
    : '';
  return `; it is "${value.replace(/\/\/[^/]*@/, '//[redacted]@')}"${hint}`;
}
