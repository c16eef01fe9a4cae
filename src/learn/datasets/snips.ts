import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { invalid, readJson } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

const document = z.record(
  z.string(),
  z.array(z.object({ data: z.array(z.object({ text: z.string() })).min(1) })),
);

/**
 * SNIPS (Coucke et al. 2018) in the layout of sonos/nlu-benchmark: `<intent>/train_<intent>_full.json` and
 * `validate_<intent>.json`, each {intent: [{data: [{text, entity?}, …]}, …]}.
 *
 * @param folder `2017-06-custom-intent-engines`.
 * @throws KshotError `invalid_file`.
 */
export async function readSnips(folder: string, split: 'train' | 'validate'): Promise<TextSet> {
  const builder = new TextSetBuilder(`snips ${split}`);
  for (const intent of await intentFolders(folder)) {
    const name = split === 'train' ? `train_${intent}_full.json` : `validate_${intent}.json`;
    const file = join(folder, intent, name);
    // One of the files is Latin-1.
    const records = (await readJson(file, document, 'latin1'))[intent];
    if (records === undefined) throw invalid(file, `there is no "${intent}" in it`);
    for (const [i, { data }] of records.entries()) {
      builder.add(intent, data.map(({ text }) => text).join(''), `${file}: at "${intent}.${i}"`);
    }
  }
  return builder.finish();
}

async function intentFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? entry.name : [])).sort();
  } catch (cause) {
    throw invalid(folder, 'cannot be read: name the folder that holds one folder an intent', cause);
  }
}
