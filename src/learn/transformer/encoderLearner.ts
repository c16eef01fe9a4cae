import { jit, type numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import type { Params, Support } from '../../heads/head.js';
import { prototypical } from '../../heads/prototypical.js';
import type { Episode as HeadEpisode, TrainedHead } from '../../heads/trainedHead.js';
import type { EpisodeArrays, EpisodeEmbeddings } from '../episodeArrays.js';
import type { Episode } from '../episodes.js';
import type { EpisodeStream } from '../episodeStream.js';
import { headEpisode } from '../headEpisode.js';
import type { LearnedParams, Learner } from '../learner.js';
import type { Proportion } from '../measures.js';
import { type HeadMeasure, Validator } from '../validator.js';
import { episodeTexts, gradientOfTexts } from './episodeTexts.js';
import type { LayerParams } from './layers.js';
import type { TokenInput, TokenizedSet } from './tokenInput.js';
import type { Traced, UpperEncoder } from './upperEncoder.js';

/** A stream of episodes with the token inputs of its sources' texts. */
export interface TokenTasks {
  readonly stream: EpisodeStream;
  /** Source for source. */
  readonly sets: readonly TokenizedSet[];
}

export interface EncoderTasks {
  readonly training: TokenTasks;
  readonly validation: TokenTasks & { readonly episodes: number };
  /** Whether names are support rows (`EpisodeLayout`). */
  readonly nameRows: boolean;
}

/** What the loss of an episode is differentiated by. */
type Learned = { head: Params } & Pick<Support, 'rows' | 'names'> & Pick<HeadEpisode, 'queries'>;

/** What of an episode is as it is. */
type Fixed = Pick<Support, 'mask'> & Pick<HeadEpisode, 'targets' | 'weights' | 'progress'>;

/**
 * A head and the encoder's upper layers, learning together from the head's own loss: its gradient with respect to the
 * embeddings goes on into the layers.
 */
export class EncoderLearner implements Learner {
  readonly #head: TrainedHead;
  readonly #encoder: UpperEncoder;
  readonly #start: LayerParams[];
  readonly #tasks: EncoderTasks;
  readonly #measure: HeadMeasure;
  readonly #validator: Validator;
  /** The validation's episodes, drawn once. */
  readonly #drawn: readonly Episode[];
  /** Of the validation's episodes, while it is measured. */
  #validated: readonly EpisodeArrays[] = [];
  readonly #slope = jit((learned: Learned, fixed: Fixed) =>
    valueAndGrad(({ head, rows, names, queries }: Learned, { mask, ...rest }: Fixed) =>
      this.#head.loss(head, { support: { rows, names, mask }, queries, ...rest }),
    )(learned, fixed),
  );

  /**
   * @param head whose class state is a function of the support rows: not one that adapts without its loss knowing.
   * @param start the layers before they have learned; not consumed.
   * @param encoder stays the caller's.
   */
  constructor(head: TrainedHead, encoder: UpperEncoder, start: LayerParams[], tasks: EncoderTasks) {
    this.#head = head;
    this.#encoder = encoder;
    this.#start = tree.ref<LayerParams[]>(start);
    this.#tasks = tasks;
    const { stream, episodes } = tasks.validation;
    this.#drawn = Array.from({ length: episodes }, (_, i) => stream.draw(i));
    this.#validator = new Validator({ at: (i) => this.#validated[i]! }, episodes);
    this.#measure = this.#validator.measure(head);
  }

  template(): LearnedParams {
    const { dimension } = this.#tasks.training.stream;
    return { head: this.#head.init(random.key(0), dimension), encoder: tree.ref(this.#start) };
  }

  async slope({ head, encoder }: LearnedParams, i: number, progress: number) {
    const { training, nameRows } = this.#tasks;
    const layers = encoder as LayerParams[];
    const { episode, rows, classes } = episodeTexts(training.stream.draw(i));
    const set = training.sets[episode.source]!;
    const named = classes.map((c) => set.names[c] !== undefined);
    const inputs = [
      ...rows.map((row) => set.texts[row]!),
      ...classes.map((c) => set.names[c]).filter((name) => name !== undefined),
    ];
    const embedded = await this.#encoder.trace(layers, inputs);
    const { dimension } = training.stream;
    const arrays = training.stream.layOut(episode, spread(embedded, rows.length, named, dimension));

    const { support, queries, ...rest } = headEpisode(arrays, progress);
    const { rows: supportRows, names, mask } = support;
    const [value, gradient] = this.#slope(
      { head: tree.ref(head), rows: supportRows, names, queries },
      { mask, ...rest },
    );
    const loss = value.item();
    const read = (array: np.Array) => array.dataSync() as Float32Array;
    const slopes = {
      rows: read(gradient.rows),
      names: read(gradient.names),
      queries: read(gradient.queries),
    };
    const back = gradientOfTexts(episode, arrays, slopes, { texts: rows.length, named, nameRows });
    const cotangents = gathered(back, named, dimension);
    return {
      loss,
      gradient: { head: gradient.head, encoder: await this.#encoder.gradient(layers, embedded, cotangents) },
    };
  }

  async accuracy({ head, encoder }: LearnedParams): Promise<Proportion> {
    await this.#embedValidation(encoder as LayerParams[]);
    return this.#measure.accuracy(head);
  }

  async baseline(): Promise<Proportion> {
    await this.#embedValidation(this.#start);
    const prototypes = this.#validator.measure(prototypical);
    try {
      return prototypes.accuracy({});
    } finally {
      prototypes.dispose();
    }
  }

  dispose(): void {
    this.#measure.dispose();
    this.#slope.dispose();
    tree.dispose(this.#start);
  }

  /** Every text of the validation's episodes is embedded once, whatever number of them it is in. */
  async #embedValidation(layers: LayerParams[]): Promise<void> {
    const { stream, sets } = this.#tasks.validation;
    const { dimension: D } = stream;
    const inputs: TokenInput[] = [];
    const places = new Map<TokenInput, number>();
    const place = (input: TokenInput) => {
      if (places.has(input)) return;
      places.set(input, inputs.length);
      inputs.push(input);
    };
    const texts = this.#drawn.map(episodeTexts);
    for (const { episode, rows, classes } of texts) {
      const set = sets[episode.source]!;
      for (const row of rows) place(set.texts[row]!);
      for (const c of classes) if (set.names[c] !== undefined) place(set.names[c]);
    }
    const embeddings = await this.#encoder.embed(layers, inputs);
    const rowOf = (input: TokenInput) => {
      const at = places.get(input)!;
      return embeddings.subarray(at * D, (at + 1) * D);
    };
    this.#validated = texts.map(({ episode, rows, classes }) => {
      const set = sets[episode.source]!;
      const own = {
        dimension: D,
        embeddings: new Float32Array(rows.length * D),
        names: new Float32Array(classes.length * D),
      };
      for (const [at, row] of rows.entries()) own.embeddings.set(rowOf(set.texts[row]!), at * D);
      for (const [at, c] of classes.entries()) {
        if (set.names[c] !== undefined) own.names.set(rowOf(set.names[c]), at * D);
      }
      return stream.layOut(episode, own);
    });
  }
}

/** Texts, then the names that there are, to one row a class; zero where a class has none. */
function spread(
  { embeddings }: Traced,
  texts: number,
  named: readonly boolean[],
  D: number,
): EpisodeEmbeddings {
  const names = new Float32Array(named.length * D);
  let from = texts * D;
  for (const [c, has] of named.entries()) {
    if (!has) continue;
    names.set(embeddings.subarray(from, from + D), c * D);
    from += D;
  }
  return { dimension: D, embeddings: embeddings.subarray(0, texts * D), names };
}

/** The way back of `spread`. */
function gathered(
  { texts, names }: { texts: Float32Array; names: Float32Array },
  named: readonly boolean[],
  D: number,
): Float32Array {
  const count = named.filter(Boolean).length;
  const all = new Float32Array(texts.length + count * D);
  all.set(texts);
  let to = texts.length;
  for (const [c, has] of named.entries()) {
    if (!has) continue;
    all.set(names.subarray(c * D, (c + 1) * D), to);
    to += D;
  }
  return all;
}
