import { jit, type numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import type { Params, Support } from '../../heads/head.js';
import type { Episode as HeadEpisode, TrainedHead } from '../../heads/trainedHead.js';
import type { EpisodeArrays, EpisodeEmbeddings } from '../episodeArrays.js';
import type { Episode } from '../episodes.js';
import type { EpisodeStream } from '../episodeStream.js';
import { headEpisode } from '../headEpisode.js';
import type { LearnedParams, Learner } from '../learner.js';
import type { Proportion } from '../../statistics/measures.js';
import { type HeadMeasure, Validator } from '../validator.js';
import { episodeTexts, gradientOfTexts } from './episodeTexts.js';
import type { LayerParams } from './layers.js';
import type { TokenInput, TokenizedSet } from './tokenInput.js';
import type { UpperEncoder } from './upperEncoder.js';

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
  /** The validation's episodes, drawn once, and their texts. */
  readonly #validation: Placed;
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
    const { stream, sets, episodes } = tasks.validation;
    const drawn = Array.from({ length: episodes }, (_, i) => stream.draw(i));
    this.#validation = placed(drawn, sets);
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
    const { inputs, episodes } = placed([training.stream.draw(i)], training.sets);
    const { episode, places } = episodes[0]!;
    const traced = await this.#encoder.trace(layers, inputs);
    const { dimension } = training.stream;
    const arrays = training.stream.layOut(episode, spread(traced.embeddings, places, dimension));

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
    const named = places.names.map((at) => at !== NOWHERE);
    const back = gradientOfTexts(episode, arrays, slopes, { texts: places.rows.length, named, nameRows });
    const cotangents = gathered(back, places, inputs.length, dimension);
    return {
      loss,
      gradient: { head: gradient.head, encoder: await this.#encoder.gradient(layers, traced, cotangents) },
    };
  }

  async accuracy({ head, encoder }: LearnedParams): Promise<Proportion> {
    await this.#embedValidation(encoder as LayerParams[]);
    return this.#measure.accuracy(head);
  }

  async baseline(): Promise<Proportion> {
    await this.#embedValidation(this.#start);
    return this.#validator.baseline();
  }

  dispose(): void {
    this.#measure.dispose();
    this.#slope.dispose();
    tree.dispose(this.#start);
  }

  async #embedValidation(layers: LayerParams[]): Promise<void> {
    const { stream } = this.#tasks.validation;
    const { inputs, episodes } = this.#validation;
    const embeddings = await this.#encoder.embed(layers, inputs);
    this.#validated = episodes.map(({ episode, places }) =>
      stream.layOut(episode, spread(embeddings, places, stream.dimension)),
    );
  }
}

/** Where the texts and names of an episode are among inputs. */
interface Places {
  /** Text for text. */
  readonly rows: readonly number[];
  /** Class for class; `NOWHERE` for one without a name. */
  readonly names: readonly number[];
}

const NOWHERE = -1;

/** Episodes over their own texts, and all that is to be embedded for them: each input once, whatever number of them it is in. */
interface Placed {
  readonly inputs: readonly TokenInput[];
  readonly episodes: readonly { readonly episode: Episode; readonly places: Places }[];
}

function placed(drawn: readonly Episode[], sets: readonly TokenizedSet[]): Placed {
  const known = new Map<TokenInput, number>();
  const place = (input: TokenInput | undefined) => {
    if (input === undefined) return NOWHERE;
    const at = known.get(input) ?? known.size;
    known.set(input, at);
    return at;
  };
  const episodes = drawn.map((one) => {
    const { episode, rows, classes } = episodeTexts(one);
    const { texts, names } = sets[one.source]!;
    const places = {
      rows: rows.map((row) => place(texts[row])),
      names: classes.map((c) => place(names[c])),
    };
    return { episode, places };
  });
  return { inputs: [...known.keys()], episodes };
}

/** An episode's embeddings among those of all inputs; zero for a class without a name. */
function spread(embeddings: Float32Array, places: Places, D: number): EpisodeEmbeddings {
  const rowsAt = (from: readonly number[]) => {
    const rows = new Float32Array(from.length * D);
    for (const [to, at] of from.entries()) {
      if (at !== NOWHERE) rows.set(embeddings.subarray(at * D, (at + 1) * D), to * D);
    }
    return rows;
  };
  return { dimension: D, embeddings: rowsAt(places.rows), names: rowsAt(places.names) };
}

/** The way back of `spread` for one episode's inputs: `[inputs, D]`. */
function gathered(
  { texts, names }: { texts: Float32Array; names: Float32Array },
  places: Places,
  inputs: number,
  D: number,
): Float32Array {
  const all = new Float32Array(inputs * D);
  const put = (rows: Float32Array, to: readonly number[]) => {
    for (const [from, at] of to.entries()) {
      if (at !== NOWHERE) all.set(rows.subarray(from * D, (from + 1) * D), at * D);
    }
  };
  put(texts, places.rows);
  put(names, places.names);
  return all;
}
