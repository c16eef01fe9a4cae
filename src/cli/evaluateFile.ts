import { setTimeout as sleep } from 'node:timers/promises';
import { openService } from '../classify/live.js';
import { type Flags, readSettings } from '../config.js';
import { loadEncoder } from '../encoder/load.js';
import type { BotDocument } from '../formats/document.js';
import { readCalibration } from '../heads/calibration.js';
import { openJobs } from '../jobs/openJobs.js';
import { evaluationsOnly } from '../jobs/runners.js';
import { calibrationFile, encoderOptions, headsDirectory } from '../serve.js';
import { openSqliteStore } from '../store/sqlite.js';
import type { Bench } from './evaluationBench.js';
import type { Io } from './io.js';

/** What a bot that lives for one command is called. */
const BOT = 'evaluated';

/**
 * Evaluates a document with the service that a server would have, on a store in memory: encoder, heads and calibration are those
 * of the settings.
 *
 * @throws KshotError what the service throws.
 */
export async function evaluateFile<T>(
  document: BotDocument,
  flags: Flags,
  { env, stderr }: Io,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  const settings = readSettings(flags, env, ['encoder', 'heads', 'limits']);
  // Before the encoder, which would be left open if there were something wrong with the file.
  const calibration = await readCalibration(calibrationFile(settings));
  const warn = (message: string) => void stderr.write(`note: ${message}\n`);
  const store = await openSqliteStore(':memory:');
  const service = await openService({
    encoder: await loadEncoder({ ...encoderOptions(settings), warn }),
    store,
    maxTextChars: settings.maxTextChars,
    ...headsDirectory(settings),
    calibration,
    warn,
  });
  const jobs = await openJobs(store, undefined, { warn });
  try {
    await jobs.begin(evaluationsOnly(service));
    await service.importBot(BOT, document);
    return await work({
      crossValidate: (asked) => service.crossValidate(BOT, asked),
      evaluateTestSet: (test, asked) => service.evaluateTestSet(BOT, test, asked),
      get: (id) => service.getEvaluation(BOT, id),
      sleep, // in earnest: the work is done in this process
    });
  } finally {
    await jobs.close();
    await service.close();
  }
}
