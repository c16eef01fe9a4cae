import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { startProgress } from '../src/cli/progress.js';
import { KshotError } from '../src/errors.js';
import { fetchDataset } from '../src/learn/datasets/fetch.js';
import { readManifest, type ManifestDataset } from '../src/learn/datasets/manifest.js';
import { runProgram } from './runProgram.js';

// Downloads the public sets that training and evaluation read, each from its official place, checked against the manifest.

const PACKAGE = new URL('../../', import.meta.url);
const MEBIBYTE = 2 ** 20;

interface Options {
  readonly to: string;
  readonly manifest: string;
  readonly list?: true;
  readonly mirror?: string;
}

const program = new Command('fetch-data')
  .description('Downloads public data sets. What is there already, and right, is left alone.')
  .argument('[sets...]', 'folders of the manifest, such as fewrel; all of them without any')
  .addOption(
    new Option('--to <directory>', 'where they go: a folder for each source')
      .env('KSHOT_DATASETS')
      .default(fileURLToPath(new URL('data/downloads', PACKAGE)), 'data/downloads'),
  )
  .addOption(
    new Option('--manifest <file>', 'addresses and checksums').default(
      fileURLToPath(new URL('data/datasets.json', PACKAGE)),
      'data/datasets.json',
    ),
  )
  .option('--mirror <url>', 'ask this server for the same paths, instead of raw.githubusercontent.com')
  .option('--list', 'say what there is, with sizes and licences, and download nothing')
  .addHelpText('after', '\nExample:\n  $ npm run fetch-data -- few-shot-intent-detection fewrel fewrel-cfrl');

program.action(async (folders: string[], options: Options) => {
  const { datasets } = await readManifest(options.manifest);
  const chosen = folders.length === 0 ? datasets : folders.map((folder) => find(datasets, folder));
  if (options.list) {
    for (const dataset of chosen) process.stdout.write(`${describe(dataset)}\n`);
    return;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  for (const dataset of chosen) await bring(dataset, options, stop.signal);
});

await runProgram(program);

async function bring(dataset: ManifestDataset, { to, mirror }: Options, signal: AbortSignal): Promise<void> {
  const bar = startProgress(process.stderr, dataset.folder, Math.max(1, sizeOf(dataset)));
  try {
    const { fetched, present } = await fetchDataset(dataset, to, {
      progress: (bytes) => bar.update(bytes),
      signal,
      ...(mirror === undefined ? {} : { mirror }),
    });
    bar.stop();
    process.stdout.write(`${dataset.folder}: ${fetched} files downloaded, ${present} there already\n`);
  } finally {
    bar.stop();
  }
}

function find(datasets: readonly ManifestDataset[], folder: string): ManifestDataset {
  const found = datasets.find((dataset) => dataset.folder === folder);
  if (found !== undefined) return found;
  throw new KshotError(
    'invalid_configuration',
    `there is no set "${folder}"; there are ${datasets.map((dataset) => dataset.folder).join(', ')}`,
  );
}

function describe(dataset: ManifestDataset): string {
  const size = (sizeOf(dataset) / MEBIBYTE).toFixed(1);
  return [
    `${dataset.folder}: ${dataset.what}`,
    `  ${dataset.files.length} files, ${size} MiB; licence: ${dataset.licence}`,
    `  ${dataset.repository} at ${dataset.commit}`,
  ].join('\n');
}

function sizeOf({ files }: ManifestDataset): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
