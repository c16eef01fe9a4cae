import type {
  ChangeKind,
  ImportDocument,
  ImportResult,
  IntentChange,
  IntentDefinition,
  TextCounts,
  TextsChange,
} from './service.js';

type Changes = Pick<ImportResult, 'totals' | 'intents' | 'counterexamples'>;

/** The texts of a bot, or of a version of it. */
export interface PresentTexts {
  readonly intents: readonly PresentIntent[];
  intent(name: string): PresentIntent | undefined;
  readonly counterexamples: readonly { readonly text: string }[];
}

interface PresentIntent {
  readonly name: string;
  readonly description: string | null;
  readonly examples: readonly { readonly text: string }[];
}

/**
 * What an import does to a bot.
 *
 * @param present the bot's texts; undefined where there is no bot.
 * @param document with its texts as they are stored.
 * @param prune whether goes what the document does not name.
 */
export function importChanges(
  present: PresentTexts | undefined,
  document: ImportDocument,
  prune: boolean,
): Changes {
  const named = new Set(document.intents.map(({ name }) => name));
  const intents = document.intents.map((intent) => changeOf(present, intent));
  for (const { name, description, examples } of present?.intents ?? []) {
    if (named.has(name)) continue;
    const texts = examples.map(({ text }) => text);
    intents.push({
      name,
      description: prune && description !== null ? 'removed' : 'unchanged',
      ...(prune ? { change: 'removed', added: [], removed: texts, kept: 0 } : unchanged(texts.length)),
    });
  }
  const known = (present?.counterexamples ?? []).map(({ text }) => text);
  const stay = document.counterexamples.length === 0 && !prune;
  const counterexamples = stay ? unchanged(known.length) : compare(known, document.counterexamples);
  return {
    totals: {
      intents: kindsOf(intents),
      examples: countsOf(intents),
      counterexamples: countsOf([counterexamples]),
    },
    intents,
    counterexamples,
  };
}

function changeOf(
  present: PresentTexts | undefined,
  { name, description = null, examples }: IntentDefinition,
): IntentChange {
  const before = present?.intent(name);
  const texts = compare(before?.examples.map(({ text }) => text) ?? [], examples);
  const described = descriptionChange(before?.description ?? null, description);
  if (before === undefined) return { name, description: described, ...texts, change: 'added' };
  const isSame = described === 'unchanged' && texts.added.length === 0 && texts.removed.length === 0;
  return { name, description: described, ...texts, change: isSame ? 'unchanged' : 'changed' };
}

function descriptionChange(before: string | null, after: string | null): ChangeKind {
  if (before === after) return 'unchanged';
  if (before === null) return 'added';
  return after === null ? 'removed' : 'changed';
}

function compare(before: readonly string[], after: readonly string[]): TextsChange {
  const known = new Set(before);
  const wanted = new Set(after);
  const added = [...wanted].filter((text) => !known.has(text));
  const removed = [...known].filter((text) => !wanted.has(text));
  return {
    change: kindOf(known.size, wanted.size, added.length, removed.length),
    added,
    removed,
    kept: wanted.size - added.length,
  };
}

function kindOf(before: number, after: number, added: number, removed: number): ChangeKind {
  if (added === 0 && removed === 0) return 'unchanged';
  if (before === 0) return 'added';
  return after === 0 ? 'removed' : 'changed';
}

function unchanged(kept: number): TextsChange {
  return { change: 'unchanged', added: [], removed: [], kept };
}

function kindsOf(changes: readonly TextsChange[]): Record<ChangeKind, number> {
  const kinds = { added: 0, changed: 0, removed: 0, unchanged: 0 };
  for (const { change } of changes) kinds[change]++;
  return kinds;
}

function countsOf(changes: readonly TextsChange[]): TextCounts {
  const counts = { added: 0, removed: 0, kept: 0 };
  for (const { added, removed, kept } of changes) {
    counts.added += added.length;
    counts.removed += removed.length;
    counts.kept += kept;
  }
  return counts;
}
