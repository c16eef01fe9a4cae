import { fork } from 'node:child_process';

// Work in a process of its own, so that a load generator does not share the server's thread.

/** Has the module at `file` do its work (`answerParent`) on an input, and waits for the outcome. */
export function runInChild<Input, Outcome>(file: string, input: Input): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(file, { serialization: 'advanced' });
    child.once('message', (outcome) => {
      resolve(outcome as Outcome);
      child.kill();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with code ${code}`)));
    child.send(input as object);
  });
}

/** In the module that is run: what it does with its input. Nothing in a process that nobody forked. */
export function answerParent<Input, Outcome>(work: (input: Input) => Promise<Outcome>): void {
  if (process.send === undefined) return;
  process.once('message', (input) => {
    void work(input as Input).then((outcome) => process.send!(outcome));
  });
}
