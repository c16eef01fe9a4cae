/** Puts one encoder after the other into the folder named on the command line, and says so, until it is killed. */
import { writeSync } from 'node:fs';
import { copyEncoder, settleReplacement } from '../../src/encoder/replacement.js';

const [folder = '', ...sources] = process.argv.slice(2);
process.stdin.resume().once('end', () => process.exit());
for (let i = 0; ; i++) {
  await settleReplacement(folder);
  const copy = await copyEncoder(sources[i % sources.length]!, folder);
  await copy.install();
  writeSync(1, `${i}\n`);
}
