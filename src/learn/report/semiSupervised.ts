import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { KshotError } from '../../errors.js';
import type { Proportion } from '../../statistics/measures.js';
import { type Condition, conditionId, CONDITIONS, type HeadId } from '../semiSupervised.js';
import { studentInterval } from '../../statistics/studentInterval.js';
import { type CurvePoint, curvesChart } from './curvesChart.js';
import { markdownTable, percent, signedPercent } from './markdown.js';

const settingSchema = z.strictObject({
  set: z.string(),
  strangers: z.string(),
  encoder: z.string(),
  queries: z.strictObject({ valid: z.int(), test: z.int() }),
});

const schema = z.strictObject({
  setting: settingSchema,
  /** Queries that are right, by draw and condition (`conditionId`). */
  draws: z.record(z.string(), z.record(z.string(), z.strictObject({ valid: z.int(), test: z.int() }))),
});

export type SemiSupervisedResults = z.infer<typeof schema>;

/**
 * Results that are there already; none without the file.
 *
 * @throws KshotError `invalid_file` for a file that holds something else, `invalid_configuration` for results of another
 *   setting.
 */
export async function readSemiSupervised(
  file: string,
  setting: SemiSupervisedResults['setting'],
): Promise<SemiSupervisedResults> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return { setting, draws: {} };
  let found: SemiSupervisedResults;
  try {
    found = schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new KshotError('invalid_file', `${file} holds no results of unlabelled texts`, { cause });
  }
  if (isDeepStrictEqual(found.setting, setting)) return found;
  throw new KshotError(
    'invalid_configuration',
    `${file} holds results of another setting; name another folder, or remove it`,
  );
}

type Split = 'valid' | 'test';

/** The page on unlabelled texts, in Markdown; made of the results alone. */
export function semiSupervisedPage(results: SemiSupervisedResults): string {
  const { set, strangers, encoder, queries } = results.setting;
  return `${[
    '# Learning from unlabelled texts',
    'Written by `npm run semi-supervised`; the figures are also in [semi-supervised.json](semi-supervised.json).',
    `All intents of ${set} at once, 5 or 10 examples of each and its name; unlabelled are other texts of the training split, and where it says so texts of ${strangers}, which are out of scope. The encoder, \`${encoder}\`, has not seen ${set}. Support sets and texts are drawn ${Object.keys(results.draws).length} times, the same for every head; ± is half of a 95 % interval over these draws (Student's t). The gain is the paired difference to \`adapted\`, which reads no unlabelled texts.`,
    '![Accuracy by the number of unlabelled texts](semi-supervised.svg)',
    '_Soft k-means_ is the method of the paper (Ren et al. 2018): prototypes, refined by one step of soft k-means with a distractor cluster. `semi-supervised` is what the server offers (`src/heads/semiSupervised.ts`).',
    `## Test: ${queries.test} queries`,
    table(results, 'test'),
    `## Validation: ${queries.valid} queries`,
    'Of the same runs; the constants were chosen on the validation split.',
    table(results, 'valid'),
  ].join('\n\n')}\n`.replace(/\n{3,}/g, '\n\n');
}

/** Test accuracy by the number of texts. */
export function semiSupervisedChart(results: SemiSupervisedResults) {
  const lines: readonly [HeadId, start: HeadId][] = [
    ['soft k-means', 'prototypical'],
    ['semi-supervised', 'semi-supervised'],
  ];
  const points = SHOTS.flatMap((shots) =>
    lines.flatMap(([line, start]) =>
      CONDITIONS.filter(
        (one) =>
          one.shots === shots && one.strangers === 0 && one.head === (one.unlabelled === 0 ? start : line),
      ).map((one): CurvePoint => ({
        panel: `${shots} examples an intent`,
        line,
        x: one.unlabelled,
        value: studentInterval(accuracies(results, one, 'test')),
      })),
    ),
  );
  return curvesChart(
    'Unlabelled texts',
    'Bands: 95 % intervals over support sets drawn at random',
    'Unlabelled texts',
    points,
  );
}

const SHOTS = [...new Set(CONDITIONS.map(({ shots }) => shots))];

function table(results: SemiSupervisedResults, split: Split): string {
  const rows = CONDITIONS.filter(({ shots }) => shots === SHOTS[0]);
  return markdownTable(
    ['head', 'texts', 'out of scope', ...SHOTS.flatMap((shots) => [`${shots} examples, %`, 'gain, points'])],
    rows.map((row) => [
      row.head,
      String(row.unlabelled),
      row.unlabelled === 0 ? '' : `${100 * row.strangers} %`,
      ...SHOTS.flatMap((shots) => {
        const mine = accuracies(results, { ...row, shots }, split);
        const base = accuracies(results, { head: 'adapted', shots, unlabelled: 0, strangers: 0 }, split);
        const gain: Proportion = studentInterval(mine.map((value, i) => value - base[i]!));
        return [percent(studentInterval(mine)), row.head === 'adapted' ? '' : signedPercent(gain)];
      }),
    ]),
  );
}

/** Of every draw. */
function accuracies(results: SemiSupervisedResults, condition: Condition, split: Split): number[] {
  const id = conditionId(condition);
  return Object.values(results.draws).map((draw) => draw[id]![split] / results.setting.queries[split]);
}
