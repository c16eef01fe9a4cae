/** Texts on one map: more would take longer than anybody waits (O(n²) to find neighbours, hundreds of rounds over them). */
export const MOST_ON_MAP = 2_000;

/** A bot's examples in two dimensions, near to one another where their embeddings are. */
export interface BotMap {
  readonly bot: string;
  readonly revision: number;
  readonly method: 'umap' | 'pca';
  /** Texts that are on it, of all that the bot has: of a large bot the newest of each intent. */
  readonly shown: number;
  readonly texts: number;
  readonly points: readonly MapPoint[];
}

export interface MapPoint {
  readonly id: number;
  readonly text: string;
  /** Null: a counter-example. */
  readonly intent: string | null;
  /** From -1 to 1. */
  readonly x: number;
  readonly y: number;
  /** Nearer to another intent than to its own. */
  readonly outlier: boolean;
}
