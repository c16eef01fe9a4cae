import { z } from 'zod';
import { readJson } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

const pairs = z.array(z.tuple([z.string(), z.string()]));
const document = z.object({
  train: pairs,
  val: pairs,
  test: pairs,
  oos_train: pairs,
  oos_val: pairs,
  oos_test: pairs,
});

export type ClincSplit = 'train' | 'val' | 'test';

/**
 * CLINC150 with its out-of-scope queries (Larson et al. 2019) in the layout of clinc/oos-eval: `data/data_full.json` holds
 * `[text, label]` pairs by split.
 *
 * @throws KshotError `invalid_file`.
 */
export async function readClincOos(file: string, split: ClincSplit): Promise<TextSet> {
  const content = await readJson(file, document);
  const builder = new TextSetBuilder(`clinc150 ${split}`);
  for (const [i, [text, label]] of content[split].entries()) {
    builder.add(label, text, `${file}: at "${split}.${i}"`);
  }
  const outside = `oos_${split}` as const;
  for (const [i, [text]] of content[outside].entries()) {
    builder.addOutOfScope(text, `${file}: at "${outside}.${i}"`);
  }
  return builder.finish();
}
