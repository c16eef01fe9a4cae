import { isAbsolute, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { BUNDLED_MODEL, type Flags, readSettings, type Settings, settingOptions } from '../../config.js';
import { isPostgresUrl } from '../../store/location.js';
import { usageError } from '../connect.js';
import type { CalibrationFit, EncoderReport, HeadFit } from '../encoderFit.js';
import type { EncoderSwitch, SwitchOutcome, SwitchPlan } from '../encoderSwitch.js';
import type { Context, Io } from '../io.js';
import { lateProgress } from '../progress.js';
import { count, table } from '../table.js';

// What does the work is loaded when it is needed: `kshot --help` shall not wait for the encoder's runtime.

export function addEncoderCommand(program: Command, context: Context): void {
  const encoder = program
    .command('encoder')
    .summary('show the encoder, or replace it')
    .description('Show the encoder and what fits it, or replace it and embed the store anew.');
  addShowCommand(encoder, context);
  addUseCommand(encoder, context);
  encoder.addHelpText(
    'after',
    `
Both work on files, and ask no server.

Examples:
  $ kshot encoder show
  $ kshot encoder use my-encoder --dry-run
  $ kshot encoder use my-encoder --yes
  $ kshot encoder use models/encoder.former --yes`,
  );
}

function addShowCommand(encoder: Command, { io }: Context): void {
  const command = encoder
    .command('show', { isDefault: true })
    .description('Show the encoder that "kshot serve" would load, its files, and what fits it.')
    .option('--json', 'print a JSON object');
  for (const option of settingOptions(['encoder', 'heads'])) {
    const isShown = ['model', 'device', 'weights', 'heads'].includes(option.attributeName());
    command.addOption(isShown ? option : option.hideHelp());
  }
  command.action(async (options: { json?: true }) => {
    const { reportEncoder } = await import('../encoderFit.js');
    const report = await reportEncoder(settingsOf(command, io), warnTo(io));
    io.stdout.write(options.json === true ? `${JSON.stringify(toJson(report))}\n` : shown(report));
  });
}

interface UseOptions {
  readonly to: string;
  /** false: it is left alone; else the URL of one in PostgreSQL, where there is one. */
  readonly store?: string | false;
  readonly dryRun?: true;
  readonly yes?: true;
}

function addUseCommand(encoder: Command, { io }: Context): void {
  const command = encoder
    .command('use')
    .summary('replace the encoder')
    .description(
      'Replace the bundled encoder by the one in a folder, and embed the store anew, so that the next "kshot serve" starts at ' +
        'once. No server may have the store meanwhile, unless it is in PostgreSQL. The former encoder is kept beside it, under its name with ".former", ' +
        'and its embeddings in the store.',
    )
    .argument('<folder>', 'the encoder to take, in the transformers.js layout; it is copied')
    .option('--to <folder>', 'replace the encoder in this folder, not the bundled one', BUNDLED_MODEL)
    .option('--dry-run', 'say what would change, and change nothing')
    .option('--yes', 'also where heads or the calibration that bots use would no longer fit');
  command.options.find(({ long }) => long === '--to')!.defaultValueDescription = 'the bundled models/encoder';
  for (const option of settingOptions(['store', 'encoder', 'heads'])) {
    if (option.attributeName() === 'model') continue;
    const isShown = ['dataDir', 'store', 'device', 'weights', 'heads'].includes(option.attributeName());
    command.addOption(isShown ? option : option.hideHelp());
  }
  // Behind --store, which else would be on by default.
  command.option('--no-store', 'leave the store as it is: the next "kshot serve" embeds it');
  command.action(async (source: string, options: UseOptions) => {
    const settings = settingsOf(command, io);
    const folder = resolve(options.to);
    const { prepareSwitch } = await import('../encoderSwitch.js');
    const change = await prepareSwitch({
      settings,
      source: resolve(source),
      folder,
      withStore: options.store !== false,
      warn: warnTo(io),
    });
    try {
      const { plan } = change;
      io.stdout.write(planned(plan, { source, folder, withStore: options.store !== false }));
      if (resolve(settings.model) !== folder) {
        io.stderr.write(
          `note: as it is set now, "kshot serve" takes ${shortPath(settings.model)}; give it --model ${shortPath(folder)}\n`,
        );
      }
      if (options.dryRun === true) io.stdout.write('dry run: nothing was changed\n');
      else if (plan.needsConsent && options.yes !== true) {
        usageError(command, `${lossesOf(plan).join(' and ')} would no longer fit; add --yes to go on`);
      } else io.stdout.write(await applied(change, folder, io));
    } finally {
      await change.close();
    }
  });
}

/** With the limits, which settings of the encoder are held against. */
function settingsOf(command: Command, { env }: Io): Settings {
  const { store, ...flags } = command.opts<Flags>();
  return readSettings({ ...flags, ...(store === false ? {} : { store }) }, env, [
    'store',
    'encoder',
    'heads',
    'limits',
  ]);
}

function warnTo({ stderr }: Io): (message: string) => void {
  return (message) => void stderr.write(`note: ${message}\n`);
}

async function applied(change: EncoderSwitch, folder: string, io: Io): Promise<string> {
  const outcome = await change.apply(lateProgress(io.stderr, 'Embedding the store anew'));
  const { plan } = change;
  const lines = [
    ...(plan.store === undefined ? [] : [`${count(outcome.embedded, 'text')} embedded`]),
    plan.replaces
      ? `${shortPath(folder)} is ${outcome.name} now${wayBack(outcome, folder)}`
      : 'the encoder is left as it is',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function wayBack({ former }: SwitchOutcome, folder: string): string {
  if (former === undefined) return '';
  const to = folder === BUNDLED_MODEL ? '' : ` --to ${shortPath(folder)}`;
  return `; to go back: kshot encoder use ${shortPath(former)}${to} --yes`;
}

function planned(
  plan: SwitchPlan,
  { source, folder, withStore }: { source: string; folder: string; withStore: boolean },
): string {
  const { present, presentProblem, next, replaces, store } = plan;
  const bytes = next.files.reduce((sum, file) => sum + file.bytes, 0);
  const rows = [
    [
      'now',
      present === undefined
        ? (presentProblem ?? `there is no ${shortPath(folder)}`)
        : `${present.name}, ${present.fingerprint}`,
    ],
    ['then', `${next.name}, ${next.fingerprint}, ${next.dimension} dimensions`],
    [
      'files',
      replaces
        ? `${count(next.files.length, 'file')} of ${source}, ${megabytes(bytes)}, to ${shortPath(folder)}`
        : 'none are replaced: weights and tokenizer are those in place',
    ],
    ['store', storeLine(store, withStore)],
  ];
  return rows.map(([what, said]) => `${what!.padEnd(8)}${said}\n`).join('') + losses(plan);
}

function storeLine(store: SwitchPlan['store'], withStore: boolean): string {
  if (!withStore) return 'is left as it is; the next "kshot serve" embeds it';
  if (store === undefined) return 'there is none';
  const { location, bots, missing } = store;
  const texts = missing === 0 ? 'all texts are embedded' : `${count(missing, 'text')} to embed`;
  return `${isPostgresUrl(location) ? location : shortPath(location)}: ${count(bots, 'bot')}, ${texts}`;
}

/** What would fit no longer, and what to do about each. */
function losses({ lostHeads, losesCalibration, fit }: SwitchPlan): string {
  const unused = lostHeads.filter(({ bots }) => bots?.length === 0).map(({ name }) => name);
  const lines = lostHeads
    .filter(({ bots }) => bots?.length !== 0)
    .map(({ name, bots }) => {
      if (bots === undefined) return `${name}: will not be served`;
      const users = bots.length > 5 ? count(bots.length, 'bot') : bots.join(', ');
      return `${name}: will not be served; ${fit.defaultHead} answers for ${users}`;
    });
  if (unused.length > 0) lines.push(`${unused.join(', ')}: will not be served; no bot uses them`);
  const advice = [
    ...(lines.length > 0
      ? [
          'Such heads can be trained again for the other encoder ("npm run train", docs/training.md); then "kshot heads reload".',
        ]
      : []),
    ...(losesCalibration
      ? [
          'The calibration was made for the present encoder. It is used all the same: confidences and what is out of scope may be\n' +
            'off until "npm run calibrate" has made another (docs/defaults.md).',
        ]
      : []),
  ];
  return [
    ...lines.map((line, i) => `${(i === 0 ? 'heads' : '').padEnd(8)}${line}\n`),
    ...advice.map((line) => `${line}\n`),
  ].join('');
}

/** What bots use that would no longer fit. */
function lossesOf({ lostHeads, losesCalibration }: SwitchPlan): string[] {
  const used = lostHeads.filter(({ bots }) => bots?.length !== 0).map(({ name }) => name);
  return [
    ...(used.length === 0 ? [] : [`the ${used.length === 1 ? 'head' : 'heads'} ${used.join(', ')}`]),
    ...(losesCalibration ? ['the calibration'] : []),
  ];
}

function shown({
  name,
  folder,
  fingerprint,
  dimension,
  maxTokens,
  device,
  files,
  fit,
}: EncoderReport): string {
  const { heads, defaultHead, calibration } = fit;
  const about = [
    ['folder', shortPath(folder)],
    ['fingerprint', fingerprint],
    ['dimension', String(dimension)],
    ['longest', `${maxTokens} tokens`],
    ['device', device],
  ];
  const sections = [
    table(['ENCODER', name], about, []),
    table(
      ['FILE', 'BYTES'],
      files.map(({ path, bytes }) => [path, bytes.toLocaleString('en')]),
      [1],
    ),
    ...(heads.length === 0
      ? []
      : [
          table(
            ['TRAINED HEAD', 'FITS'],
            heads.map((head) => [
              head.name === defaultHead ? `${head.name} (default)` : head.name,
              headState(head, fingerprint),
            ]),
            [],
          ),
        ]),
    ...(heads.some((head) => head.name === defaultHead)
      ? []
      : [`Bots that choose no head are answered by ${defaultHead}.\n`]),
    `Calibration: ${calibrationState(calibration)}\n`,
  ];
  return sections.join('\n');
}

function headState({ fits, encoder, problem }: HeadFit, fingerprint: string): string {
  if (fits) return 'yes';
  if (encoder !== undefined && encoder !== fingerprint) return `no, trained for the encoder ${encoder}`;
  return `no: ${problem}`;
}

function calibrationState({ fits, encoder }: CalibrationFit): string {
  if (fits === undefined) return 'does not say which encoder it was made for';
  return fits ? 'fits' : `made for the encoder ${encoder}, and used all the same`;
}

function toJson({ maxTokens, files, fit: { heads, defaultHead, calibration }, ...report }: EncoderReport) {
  return {
    ...report,
    max_tokens: maxTokens,
    files,
    heads: heads.map(({ name, fits, encoder, problem }) => ({
      name,
      default: name === defaultHead,
      fits,
      encoder: encoder ?? null,
      reason: problem ?? null,
    })),
    calibration: {
      file: calibration.file,
      encoder: calibration.encoder ?? null,
      fits: calibration.fits ?? null,
    },
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** From the working folder where it is in there. */
function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? path : join(short);
}
