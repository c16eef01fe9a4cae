import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { readBotFile } from '../src/cli/importExport.js';
import { wholeNumber } from '../src/cli/numbers.js';
import { lateProgress } from '../src/cli/progress.js';
import { table } from '../src/cli/table.js';
import { readTextFile } from '../src/cli/textFile.js';
import { Random } from '../src/statistics/random.js';
import { nameOf, readSets, type SetSpec } from '../src/learn/setLoader.js';
import { readBert } from '../src/learn/transformer/bert.js';
import { exportEncoder } from '../src/learn/transformer/onnx/exportEncoder.js';
import { runProgram } from './runProgram.js';
import { datasetsOption, type SetFlags } from './sets.js';
import { parseSet } from './train/flags.js';

// Writes a BERT as an encoder that kshot serves: flags, which texts it is calibrated on, progress and the table.

const DEMO_FILE = fileURLToPath(new URL('../../data/demo.yml', import.meta.url));

interface Options extends Pick<SetFlags, 'datasets'> {
  readonly from: string;
  readonly name: string;
  readonly out: string;
  readonly texts?: readonly SetSpec[];
  readonly textsFile?: string;
  readonly number: number;
  readonly seed: number;
  readonly fp32?: true;
  readonly trainedOn?: string;
}

/** Texts to calibrate with, and where they are from. */
interface Source {
  readonly name: string;
  readonly texts: readonly string[];
}

const program = new Command('export-encoder')
  .description(
    'Writes a BERT (config.json, tokenizer.json, model.safetensors) as an encoder to serve: ONNX in static int8 for CPUs and ' +
      'with 8-bit weights for GPUs. What is written is checked against the model in float32.',
  )
  .requiredOption('--from <folder>', 'the BERT')
  .requiredOption('--name <name>', 'what the encoder goes by')
  .requiredOption('--out <folder>', 'what is written')
  .addOption(
    new Option(
      '--texts <sets...>',
      'sets whose texts the ranges of int8 are from: set[:split], or a table; the training split by default',
    ).argParser((value, former: readonly SetSpec[] | undefined) => [...(former ?? []), parseSet(value)]),
  )
  .addOption(new Option('--texts-file <file>', 'the same, a text a line').conflicts('texts'))
  .option('--number <n>', 'texts that are drawn', wholeNumber(), 400)
  .option('--seed <n>', 'of the draw', wholeNumber(), 1)
  .option('--fp32', 'also write model.onnx in float32')
  .option('--trained-on <words>', 'for the model card')
  .addHelpText(
    'after',
    `
Without --texts or --texts-file, the texts are those of the demo bot; better are texts like those that it will be asked.

Examples:
  $ npm run export-encoder -- --from encoders/mine --name mine --out models/mine
  $ npm run export-encoder -- --from encoders/mine --name mine --out models/mine --texts banking77 clinc150 --datasets data/downloads`,
  );

program.addOption(datasetsOption());

program.action(async (options: Options) => {
  const bert = await readBert(options.from);
  const { texts, names } = draw(await readSources(options), options);
  const { from, name, out: folder, fp32 = false, trainedOn } = options;
  const { files } = await exportEncoder(bert, {
    from,
    name,
    folder,
    texts,
    fp32,
    ...(trainedOn === undefined ? {} : { trainedOn }),
    calibratedOn: `${texts.length} texts of ${names.join(', ')}, drawn with seed ${options.seed}`,
    progress: (label) => lateProgress(process.stderr, label),
  });
  const rows = files.map(({ path, bytes, meanCosine, smallestCosine }) => [
    path,
    `${(bytes / 1e6).toFixed(1)} MB`,
    meanCosine.toFixed(5),
    smallestCosine.toFixed(5),
  ]);
  const heads = ['file', 'size', 'mean cosine to float32', 'smallest'];
  process.stdout.write(`${table(heads, rows, [1, 2, 3])}\n${name} is in ${folder}\n`);
});

await runProgram(program);

async function readSources(options: Options): Promise<Source[]> {
  const { texts: specs, textsFile } = options;
  if (textsFile !== undefined)
    return [{ name: textsFile, texts: await readTextFile(textsFile, process.stdin) }];
  if (specs === undefined) {
    const { document } = await readBotFile(DEMO_FILE);
    return [{ name: 'the demo bot', texts: document.intents.flatMap(({ examples }) => examples) }];
  }
  const read = async (spec: SetSpec) => ({
    name: nameOf(spec),
    texts: (await readSets(options.datasets, spec)).flatMap(({ texts }) => texts),
  });
  return Promise.all(specs.map(read));
}

/** As many of each source, no text twice; of a source that has fewer, all. */
function draw(sources: readonly Source[], { number, seed }: Options): { texts: string[]; names: string[] } {
  const drawn = new Set<string>();
  for (const [i, { name, texts }] of sources.entries()) {
    const wanted = Math.ceil((number - drawn.size) / (sources.length - i));
    const others = [...new Set(texts)].filter((text) => !drawn.has(text));
    for (const text of new Random(seed).split(name).sample(others, Math.min(wanted, others.length)))
      drawn.add(text);
  }
  return { texts: [...drawn], names: sources.map(({ name }) => name) };
}
