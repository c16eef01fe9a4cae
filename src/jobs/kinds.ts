import type { z } from 'zod';
import { EVALUATION_JOB } from '../classify/evaluation/evaluations.js';
import { embeddingInput } from './embedding.js';
import { trainingInput } from './training.js';

/** What a process does one of at a time: it has a training beside an evaluation, but not two of either. */
export type Lane = 'light' | 'training';

export interface JobKind {
  readonly lane: Lane;
  /** Jobs of the kind that may wait or run; undefined: whoever adds them says so. */
  readonly mostOpen?: number;
  /** What is asked for; undefined: the kind is begun by an operation of its own. */
  readonly input?: z.ZodObject;
}

export type JobKinds = Readonly<Record<string, JobKind>>;

/** Of trainings and re-embeddings. */
const MOST_OPEN = 20;

/** The kinds of jobs that there are. */
export const JOB_KINDS = {
  [EVALUATION_JOB]: { lane: 'light' },
  embedding: { lane: 'light', mostOpen: MOST_OPEN, input: embeddingInput },
  training: { lane: 'training', mostOpen: MOST_OPEN, input: trainingInput },
} as const satisfies JobKinds;
