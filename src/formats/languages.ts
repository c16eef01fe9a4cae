import { KshotError } from '../errors.js';
import { listed } from './document.js';

/** The language whose texts are read, and what is to be said of it. */
export interface LanguageChoice {
  readonly language: string;
  readonly leftOut: readonly string[];
}

/**
 * Chooses among the languages that a file has texts in.
 *
 * @param present not empty.
 * @param wanted the caller's choice: a tag such as `en-US`, or its first part where that leaves no doubt.
 * @param fallback the file's own default.
 * @throws KshotError `invalid_file` where the file has no texts in that language.
 */
export function chooseLanguage(
  present: Iterable<string>,
  wanted: string | undefined,
  fallback: string | undefined,
): LanguageChoice {
  const languages = [...new Set(present)].sort();
  const asked = wanted ?? fallback ?? languages[0] ?? '';
  const language = matching(languages, asked);
  if (language === undefined) {
    const isOwn = wanted === undefined ? ', its default language' : '';
    throw new KshotError(
      'invalid_file',
      `there are no texts in "${asked}"${isOwn}; choose one of its languages: ${listed(languages)}`,
    );
  }
  return { language, leftOut: languages.filter((other) => other !== language) };
}

/** What to tell of a choice; nothing where there was none to make. */
export function languageNotes({ language, leftOut }: LanguageChoice): string[] {
  if (leftOut.length === 0) return [];
  return [`read the texts in "${language}"; left out: ${listed(leftOut)} (choose with the option language)`];
}

function matching(languages: readonly string[], asked: string): string | undefined {
  const tag = normalised(asked);
  const same = languages.find((language) => normalised(language) === tag);
  if (same !== undefined) return same;
  const regional = languages.filter((language) => normalised(language).startsWith(`${tag}-`));
  return regional.length === 1 ? regional[0] : undefined;
}

/** `pt_BR` and `pt-br` are one. */
function normalised(language: string): string {
  return language.toLowerCase().replaceAll('_', '-');
}
