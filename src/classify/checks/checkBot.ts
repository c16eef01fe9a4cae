import { type CheckedBot, comparedRows } from './checkedBot.js';
import { emptyIntents } from './emptyIntents.js';
import { fewExamples } from './fewExamples.js';
import { CHECK_CODES, type Checks, type Finding, SEVERITIES, type Severity } from './finding.js';
import { imbalance } from './imbalance.js';
import { intentMiddles, placements } from './intentMiddles.js';
import { longTexts } from './longTexts.js';
import { NEAR_DUPLICATE, nearDuplicates } from './nearDuplicates.js';
import { nearerToOther } from './nearerToOther.js';
import { overlaps } from './overlaps.js';
import { sameTexts } from './sameText.js';
import { surroundings } from './surroundings.js';
import { unusedCounterexamples } from './unusedCounterexamples.js';

/** Findings of one code that are listed; more are counted. A bot with more of one kind has one cause for them. */
const MOST_LISTED = 100;

/**
 * Looks at a bot's examples for what makes answers worse. O(n² D) time for n compared texts, at most MOST_COMPARED: 1.8 s
 * for 10,000 of BANKING77; O(n) memory besides the embeddings.
 *
 * @returns what was found, gravest first, the same for the same bot.
 */
export function checkBot(bot: CheckedBot): Checks {
  const sight = lookAt(bot);
  const { rows, around, middles, same, near } = sight;
  const found = [
    ...same,
    ...emptyIntents(bot),
    ...near,
    ...misplaced(bot, sight),
    ...overlaps(bot, rows, middles, around),
    ...fewExamples(bot),
    ...imbalance(bot),
    ...longTexts(bot),
    ...unusedCounterexamples(bot, rows, around),
  ].toSorted((a, b) => rank(a) - rank(b));
  const checks = listed(found);
  return {
    counts: countsOf(found),
    texts: bot.intents.reduce((sum, { examples }) => sum + examples.length, bot.counterexamples.length),
    compared: rows.length,
    left_out: found.length - checks.length,
    checks,
  };
}

/** The findings `nearer_to_other_intent`, all of them; the example that is misplaced is the first of each. */
export function misplacedExamples(bot: CheckedBot): Finding[] {
  return misplaced(bot, lookAt(bot));
}

/** What several checks rest on. */
function lookAt(bot: CheckedBot) {
  const rows = comparedRows(bot);
  const around = surroundings(bot.compared, NEAR_DUPLICATE);
  const same = sameTexts(bot);
  return {
    rows,
    around,
    middles: intentMiddles(bot.compared),
    same,
    near: nearDuplicates(bot, rows, around, textsOf(same)),
  };
}

function misplaced(
  bot: CheckedBot,
  { rows, around, middles, same, near }: ReturnType<typeof lookAt>,
): Finding[] {
  return nearerToOther(bot, rows, placements(bot.compared, middles), around, textsOf([...same, ...near]));
}

/** A text that one finding is about would be the subject of others, for the same cause. */
function textsOf(found: readonly Finding[]): Set<string> {
  return new Set(found.flatMap(({ examples }) => examples.map(({ text }) => text)));
}

function rank({ severity, code }: Finding): number {
  return SEVERITIES.indexOf(severity) * CHECK_CODES.length + CHECK_CODES.indexOf(code);
}

function listed(found: readonly Finding[]): Finding[] {
  const counts = new Map<string, number>();
  return found.filter(({ code }) => {
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    return count <= MOST_LISTED;
  });
}

function countsOf(found: readonly Finding[]): Record<Severity, number> {
  const counts = { error: 0, warning: 0, info: 0 };
  for (const { severity } of found) counts[severity]++;
  return counts;
}
