import { TextSetBuilder, type TextSet } from '../../src/learn/datasets/textSet.js';

/** A set of classes `c00`, `c01`, … with so many different texts each. */
export function setOf(counts: readonly number[], name = 'toy'): TextSet {
  const builder = new TextSetBuilder(name);
  for (const [c, count] of counts.entries()) {
    const label = `c${String(c).padStart(2, '0')}`;
    for (let i = 0; i < count; i++) builder.add(label, `text ${i} of ${label} in ${name}`, name);
  }
  return builder.finish();
}
