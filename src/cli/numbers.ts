import { InvalidArgumentError } from 'commander';

/** Reads an option's or argument's value as a whole number from 1. */
export function wholeNumber(most = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : 0;
    if (number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
    if (number > most) throw new InvalidArgumentError(`It must be at most ${most}.`);
    return number;
  };
}

/** Reads an option's value as a number above 0. */
export function positiveNumber(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (!(number > 0 && Number.isFinite(number)))
    throw new InvalidArgumentError('It must be a number above 0.');
  return number;
}
