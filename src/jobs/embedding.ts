import { once } from 'node:events';
import { z } from 'zod';
import { embedMissing } from '../classify/embedTexts.js';
import type { Encoder } from '../encoder/encoder.js';
import type { ChangeFeed } from '../store/changeFeed.js';
import type { Store } from '../store/store.js';
import { encoderFolder, folderName } from './folderName.js';
import type { JobRun, JobRunner } from './jobRun.js';

/** Which encoder the store is embedded under. */
export const embeddingInput = z.strictObject({
  model: folderName
    .optional()
    .describe(
      "Name of a folder in --encoders that the next start shall have as --model; by default the server's own",
    ),
});

export type EmbeddingInput = z.infer<typeof embeddingInput>;

export interface EmbeddingRunnerOptions {
  /** The server's own. */
  readonly encoder: Encoder;
  readonly store: Store;
  /** Undefined where the store is this process's alone. */
  readonly feed: ChangeFeed | undefined;
  /** A folder of encoders, in which they are named; undefined: there is only the server's own. */
  readonly encoders: string | undefined;
  /** Loads the encoder of a folder, with few enough threads that requests do not wait for it. */
  readonly open: (folder: string) => Promise<Encoder>;
}

/**
 * Embeds every text of the store that has no embedding under an encoder, so that a start with that encoder finds all done. The
 * embeddings of the server's own encoder stay; when texts were embedded under another one, those of third encoders that no
 * server uses are deleted. Whatever ends it, what was embedded is in the store.
 *
 * The runner throws KshotError `invalid_configuration` where `--encoders` is missing, `encoder_unavailable`, and what
 * encoder and store throw.
 */
export function embeddingRunner(options: EmbeddingRunnerOptions): JobRunner<EmbeddingInput> {
  const { encoder: own, store, feed, encoders, open } = options;
  return async ({ model }, run) => {
    const began = performance.now();
    const encoder = model === undefined ? own : await open(await encoderFolder(encoders, model));
    try {
      const inTurn = <T>(work: () => Promise<T>) => takeTurn(feed, work, run.signal);
      const embedded = await embedMissing(encoder, store, { ...run, inTurn });
      const { name, fingerprint } = encoder;
      if (embedded > 0 && fingerprint !== own.fingerprint) {
        await inTurn(() => store.deleteOtherEmbeddings(fingerprint, own.fingerprint));
      }
      return {
        encoder: name,
        fingerprint,
        embedded,
        seconds: Math.round((performance.now() - began) / 1000),
      };
    } catch (error) {
      run.signal.throwIfAborted(); // of which the encoder has words of its own
      throw error;
    } finally {
      if (encoder !== own) await encoder.close();
    }
  };
}

/**
 * One process at a time embeds, slice by slice: a server that starts meanwhile waits for one slice, not for all.
 *
 * @throws what the work throws; the signal's reason, also while another process has the turn.
 */
async function takeTurn<T>(
  feed: ChangeFeed | undefined,
  work: () => Promise<T>,
  signal: JobRun['signal'],
): Promise<T> {
  if (feed === undefined) return work();
  const done = new AbortController();
  const aborted = once(signal, 'abort', { signal: done.signal }).then(() =>
    Promise.reject(signal.reason as Error),
  );
  try {
    return await Promise.race([feed.exclusively(work, () => undefined), aborted]);
  } finally {
    aborted.catch(() => undefined);
    done.abort();
  }
}
