/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat('en');
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

export function count(n: number): string {
  return whole.format(n);
}

/** "1 intent", "20 intents". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}

/** A share as a percentage; never rounded to a certainty that it is not. */
export function percent(share: number, digits = 0): string {
  const shown = (share * 100).toFixed(digits);
  if (share < 1 && Number(shown) === 100) return `>${(100 - 10 ** -digits).toFixed(digits)} %`;
  if (share > 0 && Number(shown) === 0) return `<${(10 ** -digits).toFixed(digits)} %`;
  return `${shown} %`;
}

/** As `percent`, of a measure that may not exist. */
export function percentOrNone(share: number | null, digits = 0): string {
  return share === null ? '–' : percent(share, digits);
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** "2 hours ago". */
export function ago(time: string): string {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  return unit === undefined || length === undefined
    ? 'just now'
    : relative.format(Math.round(seconds / length), unit);
}

export function dateAndTime(time: string): string {
  return absolute.format(new Date(time));
}
