import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { embedMissing } from '../classify/embedTexts.js';
import { botSettingsSchema, DEFAULT_HEAD } from '../classify/settings.js';
import type { Settings } from '../config.js';
import type { Encoder } from '../encoder/encoder.js';
import { type EncoderIdentity, identifyEncoder } from '../encoder/fingerprint.js';
import { loadEncoder } from '../encoder/load.js';
import { isDirectory } from '../encoder/modelDirectory.js';
import { type ModelFile, modelFiles } from '../encoder/modelFiles.js';
import { copyEncoder, formerOf, settleReplacement } from '../encoder/replacement.js';
import { KshotError } from '../errors.js';
import { encoderOptions, storeOptions } from '../serve.js';
import { type OpenedStore, openStore, storeLocation } from '../store/openStore.js';
import { type EncoderFit, fitOf } from './encoderFit.js';

const PROBE = 'i would like to know whether this is an encoder';

export interface SwitchOptions {
  /** Of them `model` is not looked at. */
  readonly settings: Settings;
  /** The folder of the encoder that is to be taken. */
  readonly source: string;
  /** The folder that it replaces. */
  readonly folder: string;
  /** Whether the store is embedded anew. */
  readonly withStore: boolean;
  readonly warn: (message: string) => void;
}

/** A trained head that is served with the present encoder and would not be with the other one. */
export interface LostHead {
  readonly name: string;
  /** The bots that it answers for now; undefined where the store was not looked at. */
  readonly bots: readonly string[] | undefined;
}

/** What taking another encoder brings about. */
export interface SwitchPlan {
  /** What is in the folder now; undefined where there is none that could be read. */
  readonly present: EncoderIdentity | undefined;
  /** Why it could not be read, where there is one. */
  readonly presentProblem: string | undefined;
  readonly next: EncoderIdentity & { readonly dimension: number; readonly files: readonly ModelFile[] };
  /** Whether the folder is to be replaced: it holds another encoder. */
  readonly replaces: boolean;
  /** Absent where there is no store, or it is to be left as it is. */
  readonly store: { readonly location: string; readonly bots: number; readonly missing: number } | undefined;
  readonly fit: EncoderFit;
  readonly lostHeads: readonly LostHead[];
  readonly losesCalibration: boolean;
  /** Whether bots would be answered by less than they are now, or may be. */
  readonly needsConsent: boolean;
}

/** What has been done. */
export interface SwitchOutcome {
  /** Texts that were embedded. */
  readonly embedded: number;
  /** What the encoder is called in its new place. */
  readonly name: string;
  /** Where the former one is kept; undefined where none was replaced. */
  readonly former: string | undefined;
}

/** Another encoder, loaded and looked at; the store is held until it is closed. */
export interface EncoderSwitch {
  readonly plan: SwitchPlan;
  /**
   * Embeds the store, then replaces the folder: whatever ends it in between, the folder's encoder has its embeddings.
   *
   * @param progress told while texts are embedded.
   * @throws KshotError what the encoder and the store throw; `encoder_unavailable` where the folder cannot be replaced. The
   *   folder is as it was then.
   */
  apply(progress: (done: number, total: number) => void): Promise<SwitchOutcome>;
  close(): Promise<void>;
}

/**
 * Loads the other encoder, has it embed a text, and finds out what it would change.
 *
 * @throws KshotError `encoder_unavailable`, `device_unavailable` where it is none or cannot run here; `store_in_use` while a
 *   server has the store; what `openStore` and `fitOf` throw.
 */
export async function prepareSwitch(options: SwitchOptions): Promise<EncoderSwitch> {
  const { settings, source, folder, warn } = options;
  await settleReplacement(folder);
  if (!(await isDirectory(source))) {
    throw new KshotError('encoder_unavailable', `there is no folder "${source}" to take an encoder from`);
  }
  const encoder = await loadEncoder({ ...encoderOptions(settings), model: source, warn });
  const closers: (() => Promise<void>)[] = [() => encoder.close()];
  const close = async () => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    await encoder.encode([PROBE]);
    const where = storeOptions(settings);
    // Opening would make one.
    const isThere = where.url !== undefined || existsSync(where.file);
    const store = options.withStore && isThere ? await openStore(where) : undefined;
    if (store !== undefined) closers.unshift(() => store.close());
    const plan = await planSwitch(options, encoder, store);
    return { plan, apply: (progress) => applySwitch(options, plan, encoder, store, progress), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function planSwitch(
  { settings, source, folder, withStore }: SwitchOptions,
  encoder: Encoder,
  opened: OpenedStore | undefined,
): Promise<SwitchPlan> {
  const { fingerprint, dimension, name } = encoder;
  const { present, presentProblem } = await lookAt(folder, encoder, settings);
  const fit = await fitOf(settings, encoder);
  const store = opened?.store;
  const bots = await store?.listBots();
  const choices = bots?.map((bot) => ({
    name: bot.name,
    head: botSettingsSchema.parse(bot.settings).head ?? DEFAULT_HEAD,
  }));
  const replaces = present?.fingerprint !== fingerprint;
  const isOfPresent = (madeFor: string | undefined) =>
    replaces && present !== undefined && madeFor === present.fingerprint;
  const lostHeads = fit.heads
    .filter((head) => !head.fits && isOfPresent(head.encoder))
    .map((head) => ({
      name: head.name,
      // Without a store there are no bots; of one that is left as it is they are not known.
      bots: withStore
        ? (choices ?? []).filter((bot) => bot.head === head.name).map((bot) => bot.name)
        : undefined,
    }));
  const losesCalibration = isOfPresent(fit.calibration.encoder);
  return {
    present,
    presentProblem,
    next: { name, fingerprint, dimension, files: await modelFiles(source) },
    replaces,
    store: store && {
      location: storeLocation(storeOptions(settings)),
      bots: bots!.length,
      missing: await store.countMissingEmbeddings(fingerprint),
    },
    fit,
    lostHeads,
    losesCalibration,
    needsConsent:
      lostHeads.some((head) => head.bots?.length !== 0) ||
      (losesCalibration && (bots === undefined ? !withStore : bots.length > 0)),
  };
}

async function applySwitch(
  { settings, source, folder, warn }: SwitchOptions,
  { present, replaces, next }: SwitchPlan,
  encoder: Encoder,
  opened: OpenedStore | undefined,
  progress: (done: number, total: number) => void,
): Promise<SwitchOutcome> {
  const former = formerOf(folder);
  const embed = async (kept: EncoderIdentity | undefined) => {
    if (opened === undefined) return 0;
    const { store, feed } = opened;
    const work = async () => {
      const embedded = await embedMissing(encoder, store, { progress });
      const others = kept === undefined ? [] : [kept.fingerprint];
      if (embedded > 0) await store.deleteOtherEmbeddings(encoder.fingerprint, ...others);
      return embedded;
    };
    return feed === undefined
      ? work()
      : feed.exclusively(work, () => warn('another process embeds the store; waiting for it'));
  };
  if (!replaces) {
    const { present: before } = await lookAt(former, encoder, settings);
    return { embedded: await embed(before), name: present!.name, former: undefined };
  }
  const copy = await copyEncoder(source, folder);
  try {
    const copied = await identifyEncoder(copy.directory, encoder.device, settings.weights);
    if (copied.fingerprint !== next.fingerprint) {
      throw new KshotError(
        'encoder_unavailable',
        `${source} has changed while it was copied: try again when it is finished`,
      );
    }
    const embedded = await embed(present);
    const isThere = await isDirectory(folder);
    await copy.install();
    return { embedded, name: copy.name, former: isThere ? former : undefined };
  } catch (error) {
    await copy.discard();
    throw error;
  }
}

/** Which encoder a folder holds, as the other one's device would have it. */
async function lookAt(
  folder: string,
  { device }: Encoder,
  { weights }: Settings,
): Promise<Pick<SwitchPlan, 'present' | 'presentProblem'>> {
  if (!(await isDirectory(folder))) return { present: undefined, presentProblem: undefined };
  try {
    return { present: await identifyEncoder(resolve(folder), device, weights), presentProblem: undefined };
  } catch (error) {
    if (!(error instanceof KshotError)) throw error;
    return { present: undefined, presentProblem: error.message };
  }
}
