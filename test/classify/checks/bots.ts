import type { CheckedBot, CheckedText } from '../../../src/classify/checks/checkedBot.js';
import { comparedTexts } from '../../../src/classify/checks/checkedBot.js';

export const D = 8;

/** A direction: so much of each axis, brought to unit length. */
export function vector(...parts: number[]): Float32Array {
  const row = Float32Array.from({ length: D }, (_, d) => parts[d] ?? 0);
  const length = Math.hypot(...row);
  return row.map((value) => value / length);
}

/** A text with its embedding; its number is its id. */
export type Placed = readonly [text: string, embedding: Float32Array];

/** A bot of hand-made embeddings: texts by intent, and counter-examples under "-". */
export function botOf(texts: Readonly<Record<string, readonly Placed[]>>): CheckedBot {
  const { '-': outside = [], ...inside } = texts;
  const groups = [...Object.values(inside), outside];
  let id = 0;
  const look = ([text]: Placed): CheckedText => ({ id: ++id, text, isCut: text.length > 500 });
  const intents = Object.entries(inside).map(([name, examples]) => ({
    name,
    hasDescription: false,
    examples: examples.map(look),
  }));
  const counterexamples = outside.map(look);
  const embeddings = new Float32Array(groups.flat().length * D);
  groups.flat().forEach(([, row], i) => embeddings.set(row, i * D));
  const positions = comparedTexts(groups.map(({ length }) => length));
  return { intents, counterexamples, compared: { positions, embeddings, dimension: D } };
}

/** So many texts around an axis, each leaning to an axis of its own among the last ones. */
export function around(name: string, axis: number, count: number, lean = 0.4): Placed[] {
  return Array.from({ length: count }, (_, i) => {
    const parts = new Array<number>(D).fill(0);
    parts[axis] = 1;
    parts[4 + (i % 4)] = lean * (i < 4 ? 1 : -1);
    return [`${name} ${'abcdefghijklmnop'[i]}`, vector(...parts)];
  });
}
