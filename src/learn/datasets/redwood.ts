import { z } from 'zod';
import { readJson } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

const records = z.array(
  z.object({
    text: z.string(),
    label: z.string(),
    'source dataset': z.string(),
    'source intent': z.string(),
  }),
);

/** Sets that are read here by themselves, as Redwood names its sources. It splits their utterances in its own way. */
const SOURCES_READ_ELSEWHERE: ReadonlySet<string> = new Set([
  'clinc150',
  'acid',
  'banking77',
  'hwu',
  'snips',
  'atis',
]);

/**
 * Redwood (Larson & Leach 2022) in the layout of gxlarson/redwood: `data/redwood_test.json`.
 *
 * By default without the utterances that Redwood took from sets which have readers here: they come from the training,
 * validation and test splits of those sets alike, so that training on them would be training on tests.
 *
 * @param sources `own`: without those; `all`: with them, for looking only.
 * @throws KshotError `invalid_file`.
 */
export async function readRedwood(file: string, sources: 'own' | 'all' = 'own'): Promise<TextSet> {
  const builder = new TextSetBuilder('redwood');
  for (const [i, record] of (await readJson(file, records)).entries()) {
    if (sources === 'own' && SOURCES_READ_ELSEWHERE.has(record['source dataset'])) continue;
    // The labels are numbers (`intent_1000`); the words are the source's.
    builder.describe(record.label, record['source intent'].replaceAll('_', ' '));
    builder.add(record.label, record.text, `${file}: at "${i}"`);
  }
  return builder.finish();
}
