import { kshot } from '../api/kshot.js';
import type { WriteResult } from '../../client/index.js';

/** Where examples stand: in an intent, or, where that is null, among the counter-examples. */
export interface ExamplePlace {
  readonly bot: string;
  readonly intent: string | null;
}

export function addTo({ bot, intent }: ExamplePlace, texts: readonly string[]): Promise<WriteResult> {
  return intent === null ? kshot().counterexamples.add(bot, texts) : kshot().examples.add(bot, intent, texts);
}

export function removeFrom({ bot, intent }: ExamplePlace, id: number): Promise<WriteResult> {
  return intent === null ? kshot().counterexamples.delete(bot, id) : kshot().examples.delete(bot, intent, id);
}

/** The text reads otherwise. A counter-example has no edit of its own: the new one comes before the old one goes. */
export async function rewrite({ bot, intent }: ExamplePlace, id: number, text: string): Promise<WriteResult> {
  if (intent !== null) return kshot().examples.edit(bot, intent, id, { text });
  await kshot().counterexamples.add(bot, [text]);
  return kshot().counterexamples.delete(bot, id);
}

/** The text belongs to another intent, or to none. */
export async function moveTo(
  { bot, intent }: ExamplePlace,
  { id, text }: { readonly id: number; readonly text: string },
  to: string | null,
): Promise<WriteResult> {
  if (intent !== null && to !== null) return kshot().examples.edit(bot, intent, id, { intent: to });
  await addTo({ bot, intent: to }, [text]);
  return removeFrom({ bot, intent }, id);
}

export function nameOf({ intent }: Pick<ExamplePlace, 'intent'>): string {
  return intent ?? 'the counter-examples';
}
