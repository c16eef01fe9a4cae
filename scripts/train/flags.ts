import { InvalidArgumentError, Option } from 'commander';
import type { z } from 'zod';
import { isTable, type SetSpec } from '../../src/learn/setLoader.js';
import { trainingSchema } from '../../src/learn/trainingConfig.js';

/*
 * The flags of `npm run train`: each sets one field of the training's configuration, and says what the schema says of it.
 */

type Path = readonly [string, ...string[]];

interface Flag {
  readonly flags: string;
  readonly field: Path;
  /** @throws InvalidArgumentError */
  readonly parse?: (value: string, former: unknown) => unknown;
}

const FLAGS: readonly Flag[] = [
  { flags: '--head <name>', field: ['head'] },
  { flags: '--option <name=value...>', field: ['options'], parse: parseOption },
  { flags: '--data <sets...>', field: ['data'], parse: listOf(parseSet) },
  { flags: '--exclude <sets...>', field: ['exclude'], parse: listOf(parseSet) },
  { flags: '--validation <share|sets...>', field: ['validation'], parse: parseValidation },
  { flags: '--out <folder>', field: ['out'] },
  { flags: '--no-names', field: ['names'] },
  { flags: '--way <n>', field: ['episode', 'ways'], parse: parseCount },
  { flags: '--shot <n>', field: ['episode', 'shots'], parse: parseCount },
  { flags: '--query <n>', field: ['episode', 'queries'], parse: parseNumber },
  { flags: '--left-out <n>', field: ['episode', 'leftOut'], parse: parseCount },
  { flags: '--confusable <share>', field: ['episode', 'confusable'], parse: parseNumber },
  { flags: '--validation-way <n>', field: ['validationEpisode', 'ways'], parse: parseCount },
  { flags: '--validation-shot <n>', field: ['validationEpisode', 'shots'], parse: parseCount },
  { flags: '--validation-query <n>', field: ['validationEpisode', 'queries'], parse: parseNumber },
  { flags: '--validation-episodes <n>', field: ['validationEpisodes'], parse: parseNumber },
  { flags: '--episodes <n>', field: ['episodes'], parse: parseNumber },
  { flags: '--pool <n>', field: ['pool'], parse: parseNumber },
  { flags: '--batch <n>', field: ['batch'], parse: parseNumber },
  { flags: '--rate <number>', field: ['rate'], parse: parseNumber },
  { flags: '--weight-decay <number>', field: ['weightDecay'], parse: parseNumber },
  { flags: '--warmup <steps>', field: ['warmup'], parse: parseNumber },
  { flags: '--clip <norm>', field: ['clip'], parse: parseNumber },
  { flags: '--schedule <name>', field: ['schedule'] },
  { flags: '--validate-every <steps>', field: ['validateEvery'], parse: parseNumber },
  { flags: '--patience <n>', field: ['patience'], parse: parseNumber },
  { flags: '--unfreeze <layers>', field: ['unfreeze', 'layers'], parse: parseNumber },
  { flags: '--encoder-rate <number>', field: ['unfreeze', 'rate'], parse: parseNumber },
  { flags: '--max-tokens <n>', field: ['unfreeze', 'maxTokens'], parse: parseNumber },
  { flags: '--interpolation <shares...>', field: ['unfreeze', 'interpolation'], parse: listOf(parseNumber) },
  { flags: '--half', field: ['half'] },
  { flags: '--seed <n>', field: ['seed'], parse: parseNumber },
];

/** Options for a commander command, in the order in which help shall have them. */
export function trainingOptions(): Option[] {
  return FLAGS.map(({ flags, field, parse }) => {
    const option = new Option(flags, describeField(field));
    if (parse !== undefined) option.argParser(parse);
    return option;
  });
}

/**
 * A configuration with what the flags say over what the file says.
 *
 * @param file the configuration file's content; an empty object without one.
 * @param given the command's options.
 */
export function withFlags(
  file: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const config = structuredClone(file) as Record<string, unknown>;
  for (const { flags, field } of FLAGS) {
    const option = new Option(flags);
    const value = given[option.attributeName()];
    // commander has true for a switch that was not turned off.
    if (value !== undefined && !(option.negate && value === true)) assign(config, field, value);
  }
  return config;
}

function assign(config: Record<string, unknown>, [name, ...inner]: Path, value: unknown): void {
  const old = config[name];
  if (inner.length > 0) {
    const nested = isRecord(old) ? old : {};
    assign(nested, inner as unknown as Path, value);
    config[name] = nested;
  } else {
    config[name] = name === 'options' && isRecord(old) ? { ...old, ...(value as object) } : value;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describeField(path: Path): string {
  let schema: z.core.$ZodType = trainingSchema;
  const words: string[] = [];
  for (const name of path) {
    schema = (unwrapped(schema) as z.ZodObject<Record<string, z.ZodType>>).shape[name]!;
    const description = (schema as z.ZodType).description ?? (unwrapped(schema) as z.ZodType).description;
    if (description === undefined) throw new TypeError(`The field ${path.join('.')} is not described`);
    words.push(description);
  }
  const { defaultValue } = schema._zod.def as { defaultValue?: unknown };
  const known = typeof defaultValue === 'number' || typeof defaultValue === 'string';
  const own = path[0] === 'validationEpisode' ? `In the validation: ${words.at(-1)}` : words.at(-1)!;
  return known ? `${own} (default: ${defaultValue})` : own;
}

/** What is inside a default, an optional and the like. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType } = schema._zod.def as { innerType?: z.core.$ZodType };
  return innerType === undefined ? schema : unwrapped(innerType);
}

/** `clinc150`, `clinc150:train@encoders/without-clinc150`, `fewrel:train+entities`, `arsc:train+100`, `mine.csv`. */
export function parseSet(text: string): SetSpec {
  const [, named, encoder] = /^([^@]*)(?:@(.*))?$/s.exec(text)!;
  const [part, ...kinds] = named!.split('+') as [string, ...string[]];
  const [, set, split] = isTable(part) ? [part, part] : /^([^:]*)(?::(.*))?$/s.exec(part)!;
  const limit = kinds.find((kind) => /^[1-9]\d*$/.test(kind));
  const unknown = kinds.find((kind) => kind !== 'marked' && kind !== 'entities' && kind !== limit);
  if ([set, split, encoder].includes('') || unknown !== undefined) {
    throw new InvalidArgumentError(
      'It must be set[:split][+marked][+entities][+limit][@encoder], such as clinc150:train.',
    );
  }
  return {
    set: set,
    ...(split === undefined ? {} : { split }),
    ...Object.fromEntries(kinds.filter((kind) => kind !== limit).map((kind) => [kind, true])),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(encoder === undefined ? {} : { encoder }),
  };
}

function listOf<T>(parse: (value: string) => T) {
  return (value: string, former: unknown): T[] => [...((former as T[] | undefined) ?? []), parse(value)];
}

function parseValidation(value: string, former: unknown): unknown {
  const share = Number(value);
  return Number.isNaN(share) ? listOf(parseSet)(value, former) : { classes: share };
}

function parseOption(value: string, former: unknown): Record<string, unknown> {
  const [name, setting] = value.split('=', 2) as [string, string | undefined];
  if (setting === undefined || name === '') {
    throw new InvalidArgumentError('It must be name=value, such as width=64.');
  }
  const switched = { true: true, false: false }[setting];
  return { ...(former as object | undefined), [name]: switched ?? parseNumber(setting) };
}

/** `5`, or `1-10`. */
function parseCount(value: string): number | { min: number; max: number } {
  const bounds = /^(\d+)-(\d+)$/.exec(value);
  return bounds === null ? parseNumber(value) : { min: Number(bounds[1]), max: Number(bounds[2]) };
}

function parseNumber(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (Number.isNaN(number)) throw new InvalidArgumentError('It must be a number.');
  return number;
}
