import { join } from 'node:path';
import { invalid, readLines, type Line } from './files.js';
import { TextSetBuilder, type TextSet } from './textSet.js';

/*
 * ROSTD (Gangal et al. 2020) in the layout of vgtomahawk/LR_GC_OOD, tab separated: the label first, the text third. The
 * in-domain utterances are those of Schuster et al. 2019 (alarm, reminder, weather).
 */

const OUT_OF_SCOPE = 'outOfDomain';
const FILES = { train: 'OODRemovedtrain.tsv', valid: 'eval.tsv', test: 'test.tsv' } as const;

export type RostdSplit = keyof typeof FILES;

/**
 * One split, with the out-of-domain utterances that are in it: none in `train`.
 *
 * @param folder holds `fbrelease/unsup/`.
 * @throws KshotError `invalid_file`.
 */
export async function readRostd(folder: string, split: RostdSplit): Promise<TextSet> {
  const builder = new TextSetBuilder(`rostd ${split}`);
  for (const line of await readLines(join(folder, 'fbrelease', 'unsup', FILES[split]))) {
    const { label, text } = parseLine(line);
    if (label === OUT_OF_SCOPE) builder.addOutOfScope(text, line.place);
    else builder.add(label, text, line.place);
  }
  return builder.finish();
}

/** All 4,590 out-of-domain utterances, those of `valid` and `test` among them. @throws KshotError `invalid_file`. */
export async function readRostdOutOfScope(folder: string): Promise<TextSet> {
  const builder = new TextSetBuilder('rostd out of scope');
  for (const line of await readLines(join(folder, 'OODrelease.tsv'))) {
    builder.addOutOfScope(parseLine(line).text, line.place);
  }
  return builder.finish();
}

function parseLine({ text, place }: Line): { label: string; text: string } {
  const [label, , utterance] = text.split('\t');
  if (label === undefined || utterance === undefined) {
    throw invalid(place, 'a line must have a label first and a text third, separated by tabs');
  }
  return { label, text: utterance };
}
