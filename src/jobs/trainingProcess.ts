import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { describeClass } from '../classify/text.js';
import { type EncoderOptions, loadEncoder } from '../encoder/load.js';
import { type ErrorCode, KshotError } from '../errors.js';
import { initHeads } from '../heads/runtime.js';
import { EmbeddingCache } from '../learn/embeddingCache.js';
import { trainHead } from '../learn/headTraining.js';
import { SetLoader } from '../learn/setLoader.js';
import type { TrainingConfig } from '../learn/trainingConfig.js';
import type { TrainingResult } from '../learn/trainingRun.js';
import { encoderFolder } from './folderName.js';

/*
 * A training in a process of its own: what src/jobs/trainingChild.ts forks. It is sent a task, and then that it shall stop;
 * it sends reports. Without the process that has forked it, it ends.
 */

/** What is to be trained, and where everything is. */
export interface TrainingTask {
  readonly config: TrainingConfig;
  /** The checkpoint's folder. */
  readonly out: string;
  /** Where the state is kept, and what was embedded. */
  readonly folder: string;
  /** The folder of data sets, which tables are in, too. */
  readonly datasets: string;
  /** The folder in which the configuration names encoders. */
  readonly encoders: string | undefined;
  /** What embeds where the configuration names no encoder: an absolute path. */
  readonly encoder: EncoderOptions;
}

export type TrainingOrder =
  | { readonly kind: 'train'; readonly task: TrainingTask }
  /** Its state is to be saved first. */
  | { readonly kind: 'stop' };

export type TrainingReport =
  /** Sent when the training begins, at each validation, and now and then. */
  | { readonly kind: 'learned'; readonly episodes: number; readonly of: number }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'trained'; readonly result: TrainingResult }
  | { readonly kind: 'failed'; readonly code: ErrorCode | undefined; readonly message: string };

/** The same training in a server that was killed may not have ended yet. */
const CACHE_WAIT_MS = 60_000;

/** Between two reports that it goes on. */
const REPORT_MS = 200;

// At once: threads have the priority of the one that starts them.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
// Where memory is short, Linux shall kill this process and not the server.
if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000');

const stop = new AbortController();
let hasBegun = false;

process.on('disconnect', () => process.exit());
process.on('message', (order: TrainingOrder) => {
  if (order.kind === 'train') void answer(order.task);
  else if (hasBegun) stop.abort();
  // What is embedded is on the disk; nothing else is there to be saved.
  else process.exit();
});

async function answer(task: TrainingTask): Promise<void> {
  const last = await train(task).then(
    (result): TrainingReport => ({ kind: 'trained', result }),
    (error: unknown): TrainingReport => ({
      kind: 'failed',
      code: error instanceof KshotError ? error.code : undefined,
      message: error instanceof Error ? error.message : String(error),
    }),
  );
  process.send!(last, () => process.exit());
}

async function train(task: TrainingTask): Promise<TrainingResult> {
  await initHeads();
  const { config, out, folder } = task;
  // Its own: an embedding's last digits depend on the texts that share its batch, and so on what was embedded before.
  const cache = new EmbeddingCache(join(folder, 'embeddings'), CACHE_WAIT_MS);
  let of = config.episodes;
  let reported = 0;
  const tell = ({ episodes }: { readonly episodes: number }) => {
    reported = performance.now();
    report({ kind: 'learned', episodes, of });
  };
  return trainHead(config, cache, openLoader(task, cache), {
    out,
    folder,
    signal: stop.signal,
    observer: {
      begun: (run) => {
        hasBegun = true;
        of = run.of;
        tell(run);
      },
      learned: (progress) => {
        if (performance.now() - reported > REPORT_MS) tell(progress);
      },
      validated: (_point, progress) => tell(progress),
    },
  });
}

function openLoader({ config, datasets, encoders, encoder }: TrainingTask, cache: EmbeddingCache): SetLoader {
  return new SetLoader({
    root: datasets,
    tables: datasets,
    cache,
    encoder: config.encoder ?? encoder.model,
    openEncoder: async (model) =>
      loadEncoder({
        ...encoder,
        model: isAbsolute(model) ? model : await encoderFolder(encoders, model),
        warn: (message) => report({ kind: 'warning', message }),
      }),
    describe: describeClass,
  });
}

function report(told: TrainingReport): void {
  process.send!(told);
}
