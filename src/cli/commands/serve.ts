import type { Command } from 'commander';
import {
  readSettings,
  settingOptions,
  unknownVariables,
  type Settings,
  type SettingGroup,
} from '../../config.js';
import type { BotSummary } from '../../classify/service.js';
import { type Kshot, KshotApiError, KshotClientError } from '../../client/index.js';
import { CLIENT_VARIABLES, clientOf } from '../connect.js';
import type { Context, Io, RunningService } from '../io.js';
import { count } from '../table.js';

const GROUPS: Record<SettingGroup, string> = {
  server: 'Server:',
  store: 'Store:',
  encoder: 'Encoder:',
  heads: 'Heads:',
  jobs: 'Jobs:',
  security: 'Security:',
  limits: 'Limits:',
  logging: 'Logging:',
};

export function addServeCommand(program: Command, { io, access }: Context): void {
  const command = program
    .command('serve')
    .summary('run the server')
    .description('Run the server. Every setting is a flag or an environment variable; a flag goes first.');
  addSettings(command);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot serve
  $ kshot serve --port 9000 --data-dir /var/lib/kshot
  $ KSHOT_API_KEYS=$(openssl rand -hex 16) kshot serve --host 0.0.0.0`,
  );
  command.action(() =>
    runUntilStopped(
      command,
      io,
      (settings) => access.start(settings),
      async (running, settings) => {
        if (io.stdout.isTTY === true) io.stdout.write(await welcome(running.url, settings, io));
      },
    ),
  );
}

export function addWorkerCommand(program: Command, { io, access }: Context): void {
  const command = program
    .command('worker')
    .summary('run jobs, beside servers')
    .description(
      'Run the jobs of servers that share a PostgreSQL database: evaluations and the like. Settings are those of "kshot serve". The ' +
        'port answers /healthz, /readyz and /metrics alone.',
    );
  addSettings(command);
  command.addHelpText(
    'after',
    `
Examples:
  $ kshot worker --store postgres://kshot@db.internal:5432/kshot --port 8090
  $ kshot serve --store postgres://kshot@db.internal:5432/kshot --no-run-jobs`,
  );
  command.action(() => runUntilStopped(command, io, (settings) => access.startWorker(settings)));
}

function addSettings(command: Command): void {
  for (const group of Object.keys(GROUPS) as SettingGroup[]) {
    for (const option of settingOptions([group])) command.addOption(option.helpGroup(GROUPS[group]));
  }
}

/** @param started told when it is ready. */
async function runUntilStopped(
  command: Command,
  io: Io,
  start: (settings: Settings) => Promise<RunningService>,
  started?: (running: RunningService, settings: Settings) => Promise<void>,
): Promise<void> {
  const settings = readSettings(command.opts(), io.env);
  for (const name of unknownVariables(io.env).filter((name) => !CLIENT_VARIABLES.includes(name))) {
    io.stderr.write(
      `note: ${name} is no setting of kshot and has no effect; "kshot serve --help" lists them\n`,
    );
  }
  // Asked for first: a signal that comes while the server starts is heeded when it has started.
  const stopped = io.untilStopped();
  const starting = start(settings);
  io.onReload(
    () =>
      void starting.then(
        (running) => running.reload(),
        () => undefined,
      ),
  );
  const running = await starting;
  await started?.(running, settings);
  await stopped;
  if (io.stdout.isTTY === true) io.stdout.write('Finishing what was accepted; again stops at once.\n');
  await running.close();
}

/** The first things to try, for a person at a terminal. */
async function welcome(url: string, settings: Settings, io: Io): Promise<string> {
  const [apiKey] = [...settings.apiKeys, ...settings.readOnlyApiKeys];
  const { bots, needsKey } = await listBots(clientOf(url, apiKey, io));
  const bot = bots.find(({ name }) => name === 'demo') ?? bots[0];
  const headers = [
    "-H 'content-type: application/json'",
    ...(apiKey === undefined && !needsKey ? [] : [`-H "authorization: Bearer $KSHOT_API_KEY"`]),
  ].join(' ');
  const request =
    bot === undefined
      ? `curl -X PUT ${url}/v1/bots/shop/intents/greet ${headers} -d '{"examples": ["hello", "good morning"]}'`
      : `curl ${url}/v1/bots/${encodeURIComponent(bot.name)}/classify ${headers} -d '{"text": "i lost my card"}'`;
  return `
kshot serves ${needsKey ? '' : `${count(bots.length, 'bot')} `}at ${url} (docs: ${url}/docs). Ctrl-C stops it. Try:

  ${request}

`;
}

/** A greeting is no reason to fail: a server that is not ready yet has no bots to show. */
async function listBots(client: Kshot): Promise<{ bots: BotSummary[]; needsKey: boolean }> {
  try {
    return { bots: await client.bots.list(), needsKey: false };
  } catch (error) {
    // The settings have no key, but the store has.
    const needsKey = error instanceof KshotApiError && error.code === 'unauthorized';
    if (error instanceof KshotClientError) return { bots: [], needsKey };
    throw error;
  }
}
