import { misplacedExamples } from '../checks/checkBot.js';
import { type CheckedBot, comparedRows, comparedTexts } from '../checks/checkedBot.js';
import { type BotMap, MOST_ON_MAP } from '../mapTypes.js';
import { fitted } from './layout.js';
import { principalLayout } from './principal.js';
import { FEWEST_FOR_UMAP, umapLayout } from './umap.js';

/** Digits of a coordinate after the point: finer than a screen shows. */
const PRECISION = 1e4;

/**
 * Lays a bot's texts out in the plane: by UMAP, or where they are too few for it along their principal components. Of a
 * large bot the newest of each intent are on it.
 *
 * @param most texts that are on it.
 * @returns the same for the same bot.
 */
export function mapBot(bot: CheckedBot, most = MOST_ON_MAP): Omit<BotMap, 'bot' | 'revision'> {
  const { positions, embeddings, dimension: D } = bot.compared;
  const rows = comparedRows(bot);
  const shown = shownRows(
    positions.map(({ length }) => length),
    most,
  );
  const picked = new Float32Array(shown.length * D);
  shown.forEach((row, i) => picked.set(embeddings.subarray(row * D, (row + 1) * D), i * D));

  const method = shown.length < FEWEST_FOR_UMAP ? 'pca' : 'umap';
  const layout = method === 'pca' ? principalLayout(picked, D) : umapLayout(picked, D);
  const places = fitted(layout, 1);
  const misplaced = new Set(misplacedExamples(bot).map(({ examples: [example] }) => example!.id));
  return {
    method,
    shown: shown.length,
    texts: bot.intents.reduce((sum, { examples }) => sum + examples.length, bot.counterexamples.length),
    points: shown.map((row, i) => {
      const { group, text } = rows[row]!;
      const [x, y] = places[i]!;
      return {
        id: text.id!,
        text: text.text,
        intent: bot.intents[group]?.name ?? null,
        x: Math.round(x * PRECISION) / PRECISION,
        y: Math.round(y * PRECISION) / PRECISION,
        outlier: misplaced.has(text.id),
      };
    }),
  };
}

/** The rows that are on the map. @param counts of the texts of each intent, and counter-examples, that are compared. */
function shownRows(counts: readonly number[], most: number): number[] {
  let first = 0;
  return comparedTexts(counts, most).flatMap((positions, group) => {
    const start = first;
    first += counts[group]!;
    return positions.map((position) => start + position);
  });
}
