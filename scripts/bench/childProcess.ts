import { fork } from 'node:child_process';
import { pin } from './pin.js';

// Work in a process of its own, so that a load generator does not share the server's thread.

/**
 * Has the module at `file` do its work (`answerParent`) on an input, and waits for the outcome.
 *
 * @param core that the process is to run on; any, where it is undefined.
 */
export async function runInChild<Input, Outcome>(
  file: string,
  input: Input,
  core?: number,
): Promise<Outcome> {
  const child = fork(file, { serialization: 'advanced' });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.once('message', (outcome) => {
      resolve(outcome as Outcome);
      child.kill();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${file} ended with code ${code}`)));
  });
  outcome.catch(() => undefined);
  if (core !== undefined && child.pid !== undefined) await pin(child.pid, core);
  child.send(input as object);
  return outcome;
}

/** In the module that is run: what it does with its input. Nothing in a process that nobody forked. */
export function answerParent<Input, Outcome>(work: (input: Input) => Promise<Outcome>): void {
  if (process.send === undefined) return;
  process.once('message', (input) => {
    void work(input as Input).then((outcome) => process.send!(outcome));
  });
}
