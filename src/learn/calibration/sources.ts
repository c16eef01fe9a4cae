import { KshotError } from '../../errors.js';
import { BOT_SIZES, type CalibrationSet } from './bots.js';
import type { SetLoader, SetSpec } from '../setLoader.js';

/** What is far from a set: texts of another set, or those that a set has as out of scope. */
interface FarSource {
  readonly set: string;
  readonly split: string;
  readonly take: 'texts' | 'outOfScope';
}

/**
 * The sets to calibrate on. What is far from one has no intent in common with it: SNIPS asks for the weather, as CLINC150 and
 * HWU64 do, but nobody asks a bank.
 */
const SOURCES: Readonly<Record<string, readonly FarSource[]>> = {
  banking77: [
    { set: 'snips', split: 'valid', take: 'texts' },
    { set: 'atis', split: 'valid', take: 'texts' },
    { set: 'rostd', split: 'valid', take: 'outOfScope' },
    { set: 'stackoverflow20', split: 'dev', take: 'texts' },
  ],
  clinc150: [
    { set: 'clinc150', split: 'valid', take: 'outOfScope' },
    { set: 'stackoverflow20', split: 'dev', take: 'texts' },
    { set: 'rostd', split: 'valid', take: 'outOfScope' },
  ],
  hwu64: [
    { set: 'banking77', split: 'valid', take: 'texts' },
    { set: 'stackoverflow20', split: 'dev', take: 'texts' },
  ],
};

export const CALIBRATION_SETS: readonly string[] = Object.keys(SOURCES);

/**
 * Loads a set and what is far from it. Training splits give the bots and their queries, which is fair as long as the encoder
 * has not seen them; no test split is read.
 *
 * @param encoder folder of an encoder that has not seen the set.
 * @throws KshotError `invalid_configuration` for a set that is none of `CALIBRATION_SETS`, and what the loader throws.
 */
export async function loadCalibrationSet(
  loader: Pick<SetLoader, 'load'>,
  name: string,
  encoder: string,
): Promise<CalibrationSet> {
  const sources = SOURCES[name];
  if (sources === undefined) {
    throw new KshotError(
      'invalid_configuration',
      `there is nothing to calibrate on in "${name}", only in ${CALIBRATION_SETS.join(', ')}`,
    );
  }
  const load = async (spec: SetSpec) => (await loader.load({ ...spec, encoder }))[0]!;
  const embedded = await load({ set: name, split: 'train' });
  const least = BOT_SIZES[0]!.min;
  if (embedded.set.classes.length < least) {
    throw new KshotError('invalid_configuration', `${name} has fewer than ${least} classes`);
  }
  const far: { name: string; embeddings: Float32Array }[] = [];
  for (const { set, split, take } of sources) {
    const { embeddings, outOfScope } = await load({ set, split });
    far.push({
      name: take === 'texts' ? set : `${set} oos`,
      embeddings: take === 'texts' ? embeddings : outOfScope,
    });
  }
  return { name, embedded, far };
}
