/**
 * Takes steps of the plan, from where the store stands, as fast as it can. Prints `open`, then the number of each
 * step once it is acknowledged: at once and past every buffer, so that what was printed was acknowledged.
 */
import { writeSync } from 'node:fs';
import type { Store } from '../../src/store/store.js';
import { openStoreAt } from './openStoreAt.js';
import { embedded, intentInput } from './texts.js';
import { applyStep, stateAfter, stepAt, type Step } from './writePlan.js';

const [location = '', bot = '', fingerprint = ''] = process.argv.slice(2);
const store = await openStoreAt(location);
const contents = await store.readBot(bot, fingerprint);
const ids = new Map(contents?.texts.map(({ text, id }) => [text, id]));
const state = stateAfter(contents?.bot.revision ?? 0);
writeSync(1, 'open\n');

for (let n = (contents?.bot.revision ?? 0) + 1; ; n++) {
  const step = stepAt(n, state);
  await take(step, store);
  writeSync(1, `${n}\n`);
  applyStep(step, state);
}

async function take(step: Step, to: Store): Promise<void> {
  if (step.do === 'settings') {
    await to.putBot(bot, step.settings);
    return;
  }
  const change = await write(step, to);
  for (const { text, id } of change.added) ids.set(text, id);
}

function write(step: Exclude<Step, { do: 'settings' }>, to: Store) {
  const embed = (texts: readonly string[]) => texts.map((text) => embedded(text, fingerprint));
  switch (step.do) {
    case 'replace':
      return to.putIntents(
        bot,
        [...step.intents].map(([name, examples]) => intentInput(name, examples, fingerprint)),
        fingerprint,
      );
    case 'add':
      return to.addExamples(bot, step.intent, embed(step.examples), fingerprint);
    case 'remove':
      return to.removeExample(bot, step.intent, ids.get(step.example) ?? -1);
    case 'counterexamples':
      return to.putCounterexamples(bot, embed(step.texts), fingerprint);
  }
}
