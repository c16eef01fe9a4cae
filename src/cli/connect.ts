import { Option, type Command } from 'commander';
import { Kshot } from '../client/index.js';
import { readSettings, settingOptions, type Flags } from '../config.js';
import { KshotError } from '../errors.js';
import type { Context, Io, StoreOwner } from './io.js';

/** How often, and how far apart in ms, a server that is starting is looked at: half a minute. */
const OWNER_ATTEMPTS = 150;
const OWNER_PAUSE_MS = 200;

/** Settings that mean something where the service runs in this process; help shows only the first few. */
const SHOWN_SETTINGS = ['dataDir', 'model', 'device'];

/** The variables of commands that are clients. */
export const CLIENT_VARIABLES = ['KSHOT_URL', 'KSHOT_API_KEY', 'KSHOT_BOT'];

/** The options by which a command finds its server. */
export function addConnectionOptions(command: Command, { io }: Context): Command {
  command
    .optionsGroup('Server:')
    .addOption(new Option('--url <url>', 'address of a running server (KSHOT_URL)'))
    .addOption(new Option('--api-key <key>', 'its API key (KSHOT_API_KEY)'));
  for (const option of settingOptions(['store', 'encoder', 'heads'])) {
    option.helpGroup(
      'Without --url (the other store, encoder and heads settings of "kshot serve" work too):',
    );
    command.addOption(SHOWN_SETTINGS.includes(option.attributeName()) ? option : option.hideHelp());
  }
  // The environment is the one that the command was given, which is not always the process's.
  command.hook('preAction', (_, action) => {
    const { url, apiKey } = action.opts<{ url?: string; apiKey?: string }>();
    if (url === undefined && io.env['KSHOT_URL']) action.setOptionValue('url', io.env['KSHOT_URL']);
    if (apiKey === undefined && io.env['KSHOT_API_KEY']) {
      action.setOptionValue('apiKey', io.env['KSHOT_API_KEY']);
    }
  });
  return command;
}

/** The bot that a command is about. */
export function addBotOption(command: Command): Command {
  return command.option('--bot <name>', 'the bot (KSHOT_BOT)');
}

/** @returns the bot's name from `--bot` or KSHOT_BOT; ends the command with a usage error where neither is set. */
export function botOf(command: Command, { io }: Context): string {
  const bot = command.opts<{ bot?: string }>().bot ?? io.env['KSHOT_BOT'];
  if (bot === undefined || bot === '') usageError(command, 'which bot? Say --bot NAME, or set KSHOT_BOT');
  return bot;
}

/** Ends the command: it was called in a way that cannot be. */
export function usageError(command: Command, message: string): never {
  const advice = `try "${pathOf(command)} --help"`;
  return command.error(`kshot: ${message} (${advice})`, { code: 'kshot.usage', exitCode: 2 });
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** How often a request that met a busy server is sent again, and how long in ms it waits for that, all in all. */
const RETRIES = 5;
const MAX_WAIT_MS = 60_000;
/** A command waits for a long answer as Node.js does, in ms. */
const TIMEOUT_MS = 300_000;

/** Whoever sits at a terminal is told at once that nobody listens at an address. */
export function clientOf(url: string, apiKey: string | undefined, io: Io): Kshot {
  return new Kshot({
    url,
    apiKey,
    retries: RETRIES,
    maxWaitMs: MAX_WAIT_MS,
    retryConnections: false,
    timeoutMs: TIMEOUT_MS,
    sleep: (milliseconds) => io.sleep(milliseconds),
  });
}

/**
 * Does the work through the API of a server: the one at `--url`; or the one that has the data folder open; or one
 * in this process, on loopback, for as long as the work takes. The work is the same in each case.
 *
 * @throws KshotError, KshotError and what the work throws.
 */
export async function withClient<T>(
  command: Command,
  { io, access }: Context,
  work: (client: Kshot) => Promise<T>,
): Promise<T> {
  const flags = command.opts<Flags & { url?: string; apiKey?: string }>();
  const client = (url: string) => clientOf(url, flags.apiKey, io);
  if (flags.url !== undefined) return work(client(flags.url));

  // The server in this process is for this command alone: any port, no keys, no log.
  const settings = readSettings(
    { ...flags, host: '127.0.0.1', port: '0', logLevel: 'silent' },
    withoutKeys(io.env),
  );
  const owner = await findServer(io, client, () => access.findOwner(settings));
  if (owner !== undefined) return work(owner);

  if (io.stderr.isTTY === true) io.stderr.write('No server is running; starting one for this command …\n');
  const running = await access.start(settings);
  try {
    return await work(client(running.url));
  } finally {
    await running.close();
  }
}

/**
 * The server that has the store open, waited for while it starts; undefined if none has, or none has any longer
 * (a command like this one may just be finishing).
 */
async function findServer(
  io: Io,
  client: (url: string) => Kshot,
  findOwner: () => Promise<StoreOwner | undefined>,
): Promise<Kshot | undefined> {
  for (let attempt = 1; ; attempt++) {
    const owner = await findOwner();
    if (owner === undefined) return undefined;
    const server = owner.url === undefined ? undefined : client(owner.url);
    if (server !== undefined && (await server.isReady())) return server;
    if (attempt === OWNER_ATTEMPTS) {
      throw new KshotError(
        'store_in_use',
        `process ${owner.pid} has the data folder open and does not serve; stop it, or name another --data-dir`,
      );
    }
    await io.sleep(OWNER_PAUSE_MS);
  }
}

function withoutKeys(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    KSHOT_API_KEYS: _keys,
    KSHOT_READ_ONLY_API_KEYS: _readOnly,
    KSHOT_INSECURE_NO_AUTH: _off,
    ...rest
  } = env;
  return rest;
}
