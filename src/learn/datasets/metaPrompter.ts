import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson, readLines } from './files.js';
import { filterClasses, TextSetBuilder, type ClassSplit, type TextSet } from './textSet.js';

/*
 * Few-shot text sets with the CLASS splits of the papers, in the layout of ws-jiang/MetaPrompter_public: `data/<set>.json`,
 * JSON lines {raw, label}, labels numbered. The splits stand in that repository's code; those of HuffPost and Reuters are
 * the usual ones (Bao et al. 2020), those of Liu54 and HWU64 its authors' own.
 */

export type ClassSplitSet = 'huffpost' | 'reuters' | 'liu54' | 'hwu64';

/** Class names by part, for each set. */
export const CLASS_SPLITS: Readonly<Record<ClassSplitSet, ClassSplit>> = {
  huffpost: { train: numbers(5, 24), valid: numbers(0, 4), test: numbers(25, 40) },
  reuters: { train: numbers(0, 14), valid: numbers(15, 19), test: numbers(20, 30) },
  liu54: parts(
    18,
    18,
    '53 43 41 19 7 0 6 36 14 34 52 23 24 3 37 32 30 48 ' +
      '21 38 17 28 29 46 18 22 44 47 40 5 51 31 27 50 12 2 ' +
      '8 39 4 33 26 13 11 1 25 16 49 15 45 42 20 35 9 10',
  ),
  hwu64: parts(
    23,
    16,
    '36 0 50 59 23 52 35 28 53 32 1 30 46 27 9 10 13 60 29 54 17 62 44 ' +
      '57 12 14 61 16 2 25 19 48 6 55 24 5 42 33 41 ' +
      '58 4 38 3 39 37 20 26 51 47 21 56 31 49 34 7 63 11 18 43 22 8 45 15 40',
  ),
};

const record = z.object({ raw: z.string(), label: z.int().nonnegative() });

/**
 * Reads one part of the classes, or all.
 *
 * @param folder holds `<set>.json`, or `<set>.json.gz`.
 * @throws KshotError `invalid_file`.
 */
export async function readClassSplitSet(
  folder: string,
  set: ClassSplitSet,
  part: keyof ClassSplit | 'all',
): Promise<TextSet> {
  const plain = join(folder, `${set}.json`);
  const packed = `${plain}.gz`;
  const file = await access(packed).then(
    () => packed,
    () => plain,
  );
  const builder = new TextSetBuilder(`${set} ${part === 'all' ? 'all classes' : `${part} classes`}`);
  for (const { text, place } of await readLines(file)) {
    const { raw, label } = parseJson(text, record, place);
    builder.add(String(label), raw, place);
  }
  const whole = builder.finish();
  return part === 'all' ? whole : filterClasses(whole, CLASS_SPLITS[set][part]);
}

/** The numbers from first to last, as class names. */
function numbers(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}

function parts(train: number, valid: number, order: string): ClassSplit {
  const names = order.split(' ');
  return {
    train: names.slice(0, train),
    valid: names.slice(train, train + valid),
    test: names.slice(train + valid),
  };
}
