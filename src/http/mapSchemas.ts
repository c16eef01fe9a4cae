import { z } from 'zod';
import type { BotMap, MapPoint } from '../classify/mapTypes.js';

const count = z.int().min(0);
const coordinate = z.number().min(-1).max(1);

const mapPoint = z.strictObject({
  id: count,
  text: z.string(),
  intent: z.string().nullable().describe('null: it is a counter-example'),
  x: coordinate,
  y: coordinate,
  outlier: z
    .boolean()
    .describe('Nearer to another intent than to its own: the check `nearer_to_other_intent` has found it'),
}) satisfies z.ZodType<MapPoint>;

/** The answer to `GET /v1/bots/{bot}/map`. */
export const botMap = z.strictObject({
  bot: z.string(),
  revision: count.describe('Of the bot that is on it'),
  method: z.enum(['umap', 'pca']).describe('pca: the bot has too few texts for UMAP'),
  shown: count.describe('Texts that are on it: of a large bot the newest of each intent'),
  texts: count.describe('Examples and counter-examples of the bot'),
  points: z.array(mapPoint).describe('By intent, then the counter-examples'),
}) satisfies z.ZodType<BotMap>;
