import type { ClassifyResult } from '../classify/service.js';
import type { Output } from './io.js';
import { pad, printable } from './table.js';

const FIRST_WIDTH = 22;

/** Prints classifications as lines for people: the verdict with its text, below it the ranking. */
export class ResultPrinter {
  readonly #output: Output;
  /** Of the first column; results come one after another, so that it can only grow. */
  #width = FIRST_WIDTH;
  #started = false;

  constructor(output: Output) {
    this.#output = output;
  }

  print(result: ClassifyResult): void {
    const names = result.ranking.map(({ intent }) => printable(intent).length + 2);
    this.#width = Math.max(this.#width, ...names);
    const lines = [verdict(result), ...runnersUp(result)].map(([name, confidence, inScope, text]) =>
      `${pad(name, this.#width)}  ${pad(confidence, 10, true)}  ${pad(inScope, 8, true)}  ${text}`.trimEnd(),
    );
    if (!this.#started) {
      lines.unshift(`${pad('INTENT', this.#width)}  CONFIDENCE  IN SCOPE  TEXT`);
      this.#started = true;
    }
    if (result.truncated) lines.push('  the text is longer than the encoder reads; its end was ignored');
    lines.push(...why(result));
    this.#output.write(lines.map((line) => `${line}\n`).join(''));
  }
}

type Line = readonly [name: string, confidence: string, inScope: string, text: string];

/** Confidence says which intent, in scope whether any: an answer out of scope has the latter alone. */
function verdict({ intent, confidence, in_scope, text }: ClassifyResult): Line {
  return intent === null
    ? ['(out of scope)', '', probability(in_scope), printable(text)]
    : [printable(intent), probability(confidence), probability(in_scope), printable(text)];
}

/** Of an answer out of scope the best guess is shown too. */
function runnersUp({ intent, ranking }: ClassifyResult): Line[] {
  return ranking
    .slice(intent === null ? 0 : 1)
    .map((ranked) => [`  ${printable(ranked.intent)}`, probability(ranked.confidence), '', '']);
}

function why({ explanation, evidence }: ClassifyResult): string[] {
  if (explanation === undefined) return [];
  return [
    `  why: ${printable(explanation.summary)}`,
    ...evidence.map(
      ({ example, intent, similarity }) =>
        `  near: "${printable(example)}" (${printable(intent)}, cosine ${similarity.toFixed(2)})`,
    ),
  ];
}

function probability(value: number): string {
  return value.toFixed(2);
}
