import { KshotError } from '../errors.js';

// What every backend refuses, in the same words.

export function unknownBot(bot: string): KshotError {
  return new KshotError('unknown_bot', `There is no bot "${bot}"`);
}

export function unknownIntent(bot: string, intent: string): KshotError {
  return new KshotError('unknown_intent', `Bot "${bot}" has no intent "${intent}"`);
}

export function unknownExample(bot: string, intent: string, id: number): KshotError {
  return new KshotError('unknown_example', `Intent "${intent}" of bot "${bot}" has no example ${id}`);
}

export function unknownText(bot: string, id: number): KshotError {
  return new KshotError('unknown_text', `Bot "${bot}" has no unlabelled text ${id}`);
}

/** @throws RangeError if `embeddings` cannot be those of that many texts. @returns D, how many numbers each has. */
export function widthOf(embeddings: Float32Array, texts: number): number {
  const width = embeddings.length / texts;
  if (!Number.isInteger(width) || width === 0) {
    throw new RangeError(`${embeddings.length} numbers are not the embeddings of ${texts} texts`);
  }
  return width;
}
