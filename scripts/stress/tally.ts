import { type Answer, problemOf } from '../../test/e2e/api.js';
import type { Problem } from '../../src/http/problem.js';

/** What became of requests. What was neither answered nor refused with a word met a broken connection, or a fault. */
export class Tally {
  sent = 0;
  /** With what was asked for. */
  answered = 0;
  /** With a problem whose code says what is wrong, and when to come back where that helps. */
  refused = 0;
  /** Of the refusals. */
  readonly codes = new Set<string>();
  /** Of the answers, in ms. */
  slowest = 0;

  /** @returns the answer, where it is what was asked for. */
  async add(sent: Promise<Answer>): Promise<Answer | undefined> {
    this.sent++;
    const answer = await sent.catch(() => undefined);
    if (answer === undefined) return undefined;
    if (answer.status < 300) {
      this.answered++;
      this.slowest = Math.max(this.slowest, answer.milliseconds);
      return answer;
    }
    const code = refusalIn(answer);
    if (code !== undefined) {
      this.refused++;
      this.codes.add(code);
    }
    return undefined;
  }

  /** Both together. */
  with(other: Tally): Tally {
    const all = new Tally();
    for (const { sent, answered, refused, codes, slowest } of [this, other]) {
      all.sent += sent;
      all.answered += answered;
      all.refused += refused;
      all.slowest = Math.max(all.slowest, slowest);
      for (const code of codes) all.codes.add(code);
    }
    return all;
  }
}

/** The code of a refusal that is as it should be. */
function refusalIn(answer: Answer): string | undefined {
  let problem: Problem;
  try {
    problem = problemOf(answer);
  } catch {
    return undefined; // no problem+json
  }
  if (problem.code === 'internal_error') return undefined;
  return answer.status === 503 && answer.headers['retry-after'] === undefined ? undefined : problem.code;
}
