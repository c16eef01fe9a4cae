import type { BotSize, RetrievalRow } from './retrievalBench.js';

/** All that was measured, as it is written beside the page. */
export interface RetrievalResults {
  /** CPU, cores, Node. */
  readonly machine: string;
  readonly encoder: string;
  readonly seed: number;
  readonly bots: readonly BotSize[];
  /** On test queries: all intents against the candidates that the service takes. */
  readonly test: readonly RetrievalRow[];
  /** On validation queries: what the numbers of examples and candidates were chosen by. */
  readonly valid: readonly RetrievalRow[];
}

/** The page on retrieval, in Markdown; made of the results alone. */
export function retrievalPage({ machine, encoder, seed, bots, test, valid }: RetrievalResults): string {
  return `${[
    '# Retrieval against scoring all intents',
    'Written by `npm run bench -- --only retrieval --write docs/results`; the figures are also in [retrieval.json](retrieval.json).',
    `Encoder \`${encoder}\`, seed ${seed}. ${machine}. The times are of one query at a time, from its embedding to logits, retrieval included; encoding is not. The machine is shared with other work, which p50 and p99 show; the CPU time hardly depends on it.`,
    '## The bots',
    'Queries are CLINC150\'s, and so are 150 of the intents, each with the 10 examples of the published `train_10`. Bots of more intents are those 150 and, in this order, every class of other public sets that has at least 5 texts which CLINC150 does not hold (up to 10 of them, drawn at random), then made-up **groups** of 5: a HuffPost headline, StackOverflow title, sentence of FewRel or review of ARSC, of at most 16 words, and the four texts nearest to it. Some classes of other sets mean the same as one of CLINC150\'s ("weather", "transfer"); an answer with one of them counts as wrong, for every way of scoring alike. So the accuracies tell ways of scoring apart, not bots of different sizes.',
    lines(
      ['intents', 'examples', 'of which'],
      bots.map(({ intents, examples, origins }) => [
        String(intents),
        String(examples),
        Object.entries(origins)
          .map(([origin, count]) => `${origin} ${count}`)
          .join(', '),
      ]),
    ),
    '## Test queries',
    '_All_: the head scores every intent of the bot, as it was induced. _All, adapted_: the head has adapted to the whole bot, which the service does for bots of up to 512 intents; beyond, it takes too long. _Candidates_: the index gives the nearest examples, and the head scores the intents that they belong to; `adapted` adapts to just these, for each query. _Reachable_ is the share of queries whose intent was scored at all.',
    lines(HEADER, test.map(cells)),
    '## How the numbers of examples and candidates were chosen',
    'On validation queries, of the largest bot.',
    lines(HEADER, valid.map(cells)),
  ].join('\n\n')}\n`;
}

const HEADER = [
  'intents',
  'head',
  'scored',
  'queries',
  'accuracy, % (95 % interval)',
  'reachable, %',
  'ECE, %',
  'p50 ms',
  'p99 ms',
  'CPU ms, mean',
];

function cells(row: RetrievalRow): string[] {
  const percent = (value: number) => (100 * value).toFixed(1);
  const { value, low, high } = row.accuracy;
  return [
    String(row.intents),
    row.head,
    wayName(row.way),
    String(row.queries),
    `${percent(value)} (${percent(low)} to ${percent(high)})`,
    percent(row.reachable),
    percent(row.ece),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.cpuMs.toFixed(2),
  ];
}

function wayName(way: RetrievalRow['way']): string {
  if (way === 'all') return 'all';
  if (way === 'adapted') return 'all, adapted';
  return `${way.candidates} candidates of ${way.examples} examples`;
}

function lines(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
