import {
  type BotShape,
  type Nearness,
  NEAREST_EXAMPLES,
  type ScopeModel,
  scopeFeatures,
} from '../../heads/scopeDetector.js';
import { dot, intentShape, leaveOneOut } from '../../heads/supportShape.js';
import type { SampledBot } from './bots.js';

/** One query of one bot, as the detector sees it. */
export interface ScopeRecord {
  readonly bot: BotShape;
  /** Position in `BOT_SIZES`. */
  readonly size: number;
  readonly near: readonly Nearness[];
  /** `SampledBot.labels` */
  readonly label: number;
  /** The largest cosine to a prototype, for comparison: what the detector has to beat. */
  readonly nearestPrototype: number;
}

/** What the server would know of each of a bot's queries. */
export function scopeRecords({ support, examples, queries, labels, size }: SampledBot): ScopeRecord[] {
  const C = support.counts.length;
  const D = support.names.length / C;
  let row = 0;
  const intents = support.counts.map((count, c) => {
    const rows = Array.from({ length: count }, (_, k) => rowOf(support.rows, row + k, D));
    const shape = intentShape(support.rows.subarray(row * D, (row + count) * D), D);
    row += count;
    // The index holds the examples; of an intent without any, its name.
    return { shape, rows, indexed: Math.max(1, examples[c]!), named: examples[c] === 0 };
  });
  const bot: BotShape = { intents: C, leaveOneOut: leaveOneOut(support, examples, D) };

  return Array.from(labels, (label, q) => {
    const query = rowOf(queries, q, D);
    const cosines = intents.map(({ rows }) => rows.map((one) => dot(query, one)));
    const prototypes = intents.map(({ shape }) => dot(query, shape.prototype));
    const nearest = nearestIntents(cosines.map((own, c) => own.slice(0, intents[c]!.indexed)));
    const near = nearest.map((c): Nearness => {
      const { shape, named } = intents[c]!;
      const { rows, cohesion } = shape;
      return { prototype: prototypes[c]!, best: Math.max(...cosines[c]!), shape: { rows, cohesion }, named };
    });
    return { bot, size, near, label, nearestPrototype: Math.max(...prototypes) };
  });
}

/** The features of a record for each of the intents that it is near to. */
export function recordFeatures(model: ScopeModel, { near, bot }: ScopeRecord, cohesion: number): number[][] {
  return near.map((one) => scopeFeatures(model, one, bot, cohesion));
}

/** The intents, each once, of the largest cosines: `[C]` lists to indices. */
function nearestIntents(cosines: readonly (readonly number[])[]): number[] {
  const nearest: { cosine: number; c: number }[] = [];
  for (const [c, own] of cosines.entries()) {
    for (const cosine of own) {
      if (nearest.length === NEAREST_EXAMPLES && cosine <= nearest.at(-1)!.cosine) continue;
      const before = nearest.findIndex((other) => other.cosine < cosine);
      nearest.splice(before < 0 ? nearest.length : before, 0, { cosine, c });
      if (nearest.length > NEAREST_EXAMPLES) nearest.pop();
    }
  }
  return [...new Set(nearest.map(({ c }) => c))];
}

function rowOf(rows: Float32Array, at: number, D: number): Float32Array {
  return rows.subarray(at * D, (at + 1) * D);
}
