import { meanInterval, type Proportion, proportion } from '../../statistics/measures.js';

/**
 * What came out, unit by unit: a unit is what was drawn independently, an episode with its queries or a single query. Kept
 * so, and not as an average, because two heads are compared on the same units.
 */
export interface Outcomes {
  /** Queries of each unit. */
  readonly of: number;
  /** Queries of each unit that were right, one number a unit. */
  readonly hits: readonly number[];
}

/** Outcomes by task: of one task, or of several (ARSC) that count equally, whatever their number of queries. */
export type Strata = Readonly<Record<string, Outcomes>>;

/** The accuracy of each unit, by stratum; where a head was trained with several seeds, their mean on that unit. */
type Accuracies = readonly (readonly number[])[];

/**
 * Accuracy over equally weighted strata, with its 95 % interval over the units: the mean of the strata's means, whose
 * variance is the sum of theirs over the square of their number. Single queries of one run have Wilson's interval.
 *
 * @param runs one for each seed that the head was trained with, on the same units.
 * @throws RangeError where the runs are not on the same units.
 */
export function accuracy(runs: readonly Strata[]): Proportion {
  const strata = Object.values(runs[0]!);
  const [only] = strata;
  if (runs.length === 1 && strata.length === 1 && only!.of === 1) {
    return proportion(sum(only!.hits), only!.hits.length);
  }
  return stratifiedMean(averaged(runs));
}

/**
 * By how much a head is better than another on the same units: the mean of the paired differences with its 95 % interval,
 * which is narrower than those of the two accuracies suggest.
 *
 * @throws RangeError where they are not the same units.
 */
export function difference(runs: readonly Strata[], baseline: readonly Strata[]): Proportion {
  averaged([...runs, ...baseline]); // the check
  const [mine, theirs] = [averaged(runs), averaged(baseline)];
  return stratifiedMean(mine.map((units, s) => units.map((value, i) => value - theirs[s]![i]!)));
}

/** Standard deviation, over the seeds that a head was trained with, of its accuracy; NaN of one seed. */
export function seedDeviation(runs: readonly Strata[]): number {
  const means = runs.map((run) => accuracy([run]).value);
  const mean = sum(means) / means.length;
  return Math.sqrt(sum(means.map((value) => (value - mean) ** 2)) / (means.length - 1));
}

/**
 * McNemar's test (McNemar 1947), exact: the two-sided probability that fair coins would divide the queries on which two heads
 * differ as unevenly as they are divided.
 *
 * @param better queries that the one alone has right.
 * @param worse queries that the other alone has right.
 */
export function mcnemar(better: number, worse: number): number {
  const n = better + worse;
  let logTerm = -n * Math.LN2; // of C(n, k) / 2^n, which is no number any more where there are many differences
  let tail = 0;
  for (let k = 0; k <= Math.min(better, worse); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

/** Queries that only the one and only the other has right, for `mcnemar`. Units must be single queries. */
export function discordant(mine: Strata, theirs: Strata): { better: number; worse: number } {
  averaged([mine, theirs]); // the check
  const pairs = Object.keys(mine).flatMap((name) =>
    mine[name]!.hits.map((hit, i) => hit - theirs[name]!.hits[i]!),
  );
  return {
    better: pairs.filter((pair) => pair > 0).length,
    worse: pairs.filter((pair) => pair < 0).length,
  };
}

/** Units of one query that share a hexadecimal digit. */
const UNITS_A_DIGIT = 4;

/** Of units with up to 61 queries: what stands for 0, 1 … */
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * Hits as text: a digit a unit, or numbers between spaces where units have more queries than there are digits. Units of one query are
 * bits: how many there are, then hexadecimal digits of four, the first the highest.
 */
export function encodeHits({ of, hits }: Outcomes): string {
  if (of >= DIGITS.length) return hits.join(' ');
  if (of !== 1) return hits.map((hit) => DIGITS[hit]!).join('');
  const bits = hits.join('').padEnd(Math.ceil(hits.length / UNITS_A_DIGIT) * UNITS_A_DIGIT, '0');
  const digits = bits.replace(/.{4}/g, (four) => parseInt(four, 2).toString(16));
  return `${hits.length}:${digits}`;
}

export function decodeHits(of: number, text: string): Outcomes {
  if (of >= DIGITS.length) return { of, hits: text.split(' ').map(Number) };
  if (of !== 1) return { of, hits: [...text].map((digit) => DIGITS.indexOf(digit)) };
  const [count, digits] = text.split(':') as [string, string];
  const bits = digits.replace(/./g, (digit) => parseInt(digit, 16).toString(2).padStart(UNITS_A_DIGIT, '0'));
  return { of, hits: [...bits.slice(0, Number(count))].map(Number) };
}

function averaged(runs: readonly Strata[]): Accuracies {
  const [first] = runs;
  return Object.entries(first!).map(([name, { of, hits }]) => {
    for (const run of runs) {
      const other = run[name];
      if (other?.of !== of || other.hits.length !== hits.length) {
        throw new RangeError(`"${name}": these were not evaluated on the same queries`);
      }
    }
    return hits.map((_, i) => sum(runs.map((run) => run[name]!.hits[i]!)) / (of * runs.length));
  });
}

function stratifiedMean(strata: Accuracies): Proportion {
  const intervals = strata.map((units) => meanInterval(units));
  const value = sum(intervals.map((interval) => interval.value)) / strata.length;
  const half = Math.hypot(...intervals.map(({ high, low }) => (high - low) / 2)) / strata.length;
  return { value, low: value - half, high: value + half };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
