import { fileURLToPath } from 'node:url';
import { readBotFile } from '../../src/cli/importExport.js';

const DATA = fileURLToPath(new URL('../../../data', import.meta.url));
export const DEMO_FILE = `${DATA}/demo.yml`;
export const DEMO = 'demo';

export interface HeldOut {
  /** Texts that an intent of the demo bot is right for. */
  readonly inScope: readonly { readonly text: string; readonly intent: string }[];
  readonly outOfScope: readonly string[];
}

/** The texts to try the demo bot on, none of which it was given. */
export async function readHeldOut(): Promise<HeldOut> {
  const { document } = await readBotFile(`${DATA}/demo-heldout.csv`);
  const inScope = document.intents.flatMap(({ name, examples }) =>
    examples.map((text) => ({ text, intent: name })),
  );
  return { inScope, outOfScope: document.counterexamples };
}
