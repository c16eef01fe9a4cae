/** Texts on one map. 160 take 0.6 s of a core, 1,000 2.6 s, 2,000 5 s, 3,000 7 s. */
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
