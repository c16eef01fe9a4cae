/** What of a PromQL expression can be checked against the metrics that there are. */
export interface Query {
  /** Metrics that it selects, with their matchers. */
  readonly selectors: readonly {
    readonly metric: string;
    readonly matchers: readonly {
      readonly label: string;
      readonly operator: string;
      readonly value: string;
    }[];
  }[];
  /** Labels that it groups by. */
  readonly grouping: readonly string[];
}

/** The functions and words that the expressions may have; another identifier is a metric. */
const WORDS = new Set('sum max rate histogram_quantile clamp_min min_over_time by offset'.split(' '));
const MATCHERS = String.raw`\{((?:[^"{}]|"(?:[^"\\]|\\.)*")*)\}`;
const SELECTOR = new RegExp(String.raw`([a-zA-Z_:][\w:]*)(?:\s*${MATCHERS})?`, 'g');
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;
const GROUPING = /\bby\s*\(([^)]*)\)/g;
const DURATION = /\[[^\]]*\]|\b\d+[smhdwy]\b|\b\d[\d.]*(?:e[+-]?\d+)?\b/g;

/** Reads an expression of a rule, or of a panel, whose variables are left alone. */
export function readQuery(expression: string): Query {
  const grouping = [...expression.matchAll(GROUPING)].flatMap(([, labels]) => split(labels!));
  const rest = expression.replace(GROUPING, ' ');
  const selectors = [];
  for (const [, metric, matchers = ''] of rest.replace(DURATION, outsideStrings).matchAll(SELECTOR)) {
    if (WORDS.has(metric!)) continue;
    selectors.push({
      metric: metric!,
      matchers: [...matchers.matchAll(MATCHER)].map(([, label, operator, value]) => ({
        label: label!,
        operator: operator!,
        value: value!,
      })),
    });
  }
  return { selectors, grouping };
}

/** Numbers and durations go, but not within a matcher's value. */
function outsideStrings(match: string, offset: number, whole: string): string {
  const quotesBefore = whole.slice(0, offset).split('"').length - 1;
  return quotesBefore % 2 === 1 ? match : ' ';
}

function split(list: string): string[] {
  return list.split(',').map((one) => one.trim());
}
