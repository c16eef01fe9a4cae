import { KshotError } from '../errors.js';
import { MAX_KEYS } from './store.js';

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

export function unknownCounterexample(bot: string, id: number): KshotError {
  return new KshotError('unknown_example', `Bot "${bot}" has no counter-example ${id}`);
}

export function intentExists(bot: string, intent: string): KshotError {
  return new KshotError(
    'intent_exists',
    `Bot "${bot}" has an intent "${intent}" already: choose another name, or move the examples to it`,
  );
}

export function unknownEvaluation(bot: string, id: number): KshotError {
  return new KshotError('unknown_evaluation', `Bot "${bot}" has no evaluation ${id}`);
}

export function unknownText(bot: string, id: number): KshotError {
  return new KshotError('unknown_text', `Bot "${bot}" has no unlabelled text ${id}`);
}

export function unknownVersion(bot: string, version: string): KshotError {
  return new KshotError('unknown_version', `Bot "${bot}" has no version "${version}"`);
}

export function unknownAlias(bot: string, alias: string): KshotError {
  return new KshotError('unknown_alias', `Bot "${bot}" has no alias "${alias}"`);
}

export function versionExists(
  bot: string,
  version: string,
  revisions: { holds: number; bot: number },
): KshotError {
  return new KshotError(
    'version_exists',
    `Bot "${bot}" has a version "${version}", which holds its revision ${revisions.holds}, not ${revisions.bot}: ` +
      'versions never change, save it under another name',
  );
}

/** A name that is to be a version's, or an alias's, and is the other one's. */
export function nameTaken(bot: string, name: string, wanted: 'version' | 'alias'): KshotError {
  const holder = wanted === 'version' ? 'an alias' : 'a version';
  return new KshotError('name_taken', `"${name}" is ${holder} of bot "${bot}": name the ${wanted} otherwise`);
}

export function versionInUse(bot: string, version: string, aliases: readonly string[]): KshotError {
  return new KshotError(
    'version_in_use',
    `The alias ${aliases.join(', ')} of bot "${bot}" points at version "${version}": move it, or delete it, first`,
  );
}

export function nothingToRollBack(bot: string, alias: string): KshotError {
  return new KshotError(
    'nothing_to_roll_back',
    `The alias "${alias}" of bot "${bot}" has pointed at no other version before that there still is`,
  );
}

/** @throws KshotError `too_many_keys`. */
export function checkKeyCount(inForce: number): void {
  if (inForce < MAX_KEYS) return;
  throw new KshotError('too_many_keys', `There are ${MAX_KEYS} API keys in force; revoke some first`);
}

export function unknownKey(id: number): KshotError {
  return new KshotError('unknown_key', `There is no API key ${id}; GET /v1/keys lists them`);
}

export function lastManagingKey(id: number): KshotError {
  return new KshotError(
    'no_managing_key',
    `The API key ${id} is the last that may manage keys; make another one that writes to all bots first`,
  );
}

export function unknownJob(id: number): KshotError {
  return new KshotError('unknown_job', `There is no job ${id}; GET /v1/jobs lists them`);
}

/** When to come back where too many jobs wait, in ms: one takes seconds at least. */
const JOB_RETRY_AFTER_MS = 5000;

/** @param open jobs of the kind that wait or run. @throws KshotError `overloaded`. */
export function checkOpenJobs(kind: string, open: number, most: number): void {
  if (open < most) return;
  throw new KshotError(
    'overloaded',
    `Too many jobs of the kind ${kind} wait for their turn (${most} may wait or run): try again later`,
    { retryAfterMs: JOB_RETRY_AFTER_MS },
  );
}
