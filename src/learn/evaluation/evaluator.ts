import { KshotError } from '../../errors.js';
import { type CalibrationModel, sharpnessOf } from '../../heads/calibration.js';
import { temperatureOf, UNCALIBRATED } from '../../heads/temperature.js';
import { readArscTests } from '../datasets/arsc.js';
import { arscFolder } from '../datasets/catalogue.js';
import type { EmbeddedSet } from '../embeddedSet.js';
import type { SetLoader, SetSpec } from '../setLoader.js';
import { type EmbeddedTask, evaluateTasks } from './arsc.js';
import type { Cell, Variant } from './cell.js';
import { evaluateEpisodes, type Report } from './episodic.js';
import type { EvaluatedHead } from './evaluatedHead.js';
import { confidences, fullSetMeasures } from './fullSet.js';
import { outOfScopeMeasures } from './outOfScope.js';
import type { Protocol } from './protocol.js';
import { evaluateShots } from './shots.js';
import { scopeScores } from './scopeDetector.js';
import { scoreTask, taskOf } from './task.js';

/** Only the pairs that are confused most are stored. */
const CONFUSIONS = 40;

export interface EvaluatorOptions {
  /** With the encoder that embeds all sets. */
  readonly loader: Pick<SetLoader, 'load' | 'embed'>;
  /** The folder of the data sets. */
  readonly root: string;
  /** What scores become probabilities by; without one, logits are taken as they are. */
  readonly calibration?: CalibrationModel | undefined;
}

const DETECTOR_SCORES = { prototype: 'nearestPrototype', served: 'served' } as const;

/** What is measured; the rest of a cell says of what. */
export type Measured = Omit<Cell, 'key' | 'protocol' | 'training'>;

/** Runs protocols over sets that one encoder has embedded, each read and embedded once. */
export class Evaluator {
  readonly #sets = new Map<string, Promise<EmbeddedSet>>();
  #tasks: Promise<EmbeddedTask[]> | undefined;

  constructor(private readonly options: EvaluatorOptions) {}

  /** D of what a protocol's sets are embedded as. */
  async dimensionOf(protocol: Protocol, variant: Variant): Promise<number> {
    if (protocol.kind === 'arsc') return (await this.#arsc())[0]!.queries.dimension;
    return (await this.#queriesOf(protocol, variant)).dimension;
  }

  /** @throws KshotError what reading and embedding throws; a head that cannot take the setting is no error, but `unsupported`. */
  async evaluate(
    evaluated: EvaluatedHead,
    protocol: Protocol,
    variant: Variant,
    report?: Report,
  ): Promise<Measured> {
    switch (protocol.kind) {
      case 'episodes': {
        const set = await this.#queriesOf(protocol, variant);
        return supported(() => ({ strata: { all: evaluateEpisodes(evaluated, set, protocol, report) } }));
      }
      case 'arsc': {
        const tasks = await this.#arsc();
        return supported(() => ({ strata: evaluateTasks(evaluated, tasks, report) }));
      }
      case 'shots': {
        const [texts, queries] = [
          await this.#set(protocol.set, 'train'),
          await this.#queriesOf(protocol, variant),
        ];
        const { nameRows } = variant;
        return supported(() => ({
          strata: { all: evaluateShots(evaluated, texts, queries, { ...protocol, nameRows }, report) },
        }));
      }
      case 'intents':
      case 'out-of-scope': {
        const support = await this.#set(protocol.set, `train_${protocol.shots}`);
        const queries = await this.#queriesOf(protocol, variant);
        return supported(() => this.#fullSet(evaluated, support, queries, protocol, variant, report));
      }
    }
  }

  #fullSet(
    evaluated: EvaluatedHead,
    support: EmbeddedSet,
    queries: EmbeddedSet,
    { kind }: Protocol,
    { nameRows, detector }: Variant,
    report: Report | undefined,
  ): Measured {
    const task = taskOf(support, queries, nameRows);
    const { calibration } = this.options;
    const sharpness =
      calibration === undefined ? UNCALIBRATED : sharpnessOf(calibration, evaluated.head.name);
    const temperature = temperatureOf(sharpness, task.support.counts);
    if (kind === 'intents') {
      const logits = scoreTask(evaluated, task.support, task.queries, report);
      const { outcomes, confusions, ece, reliability } = fullSetMeasures(task, logits, temperature);
      return {
        strata: { all: outcomes },
        calibration: { temperature, ece, reliability: [...reliability] },
        confusions: confusions.slice(0, CONFUSIONS),
      };
    }

    const { outOfScope } = queries;
    const all = new Float32Array(task.queries.length + outOfScope.length);
    all.set(task.queries);
    all.set(outOfScope, task.queries.length);
    const classes = task.classes.length;
    const logits = scoreTask(evaluated, task.support, all, report);
    const inside = task.labels.length * classes;
    const { outcomes, ece, reliability } = fullSetMeasures(task, logits.subarray(0, inside), temperature);
    const scores =
      detector === 'confidence'
        ? confidences(logits, classes, temperature)
        : scopeScores(task, all, calibration)[DETECTOR_SCORES[detector]];
    if (scores === undefined)
      return { unsupported: 'The detector is a part of the calibration; none was given.' };
    return {
      strata: { all: outcomes },
      calibration: { temperature, ece, reliability: [...reliability] },
      outOfScope: outOfScopeMeasures(
        scores.slice(0, task.labels.length),
        scores.slice(task.labels.length),
        detector === 'served',
      ),
    };
  }

  async #queriesOf(protocol: Exclude<Protocol, { kind: 'arsc' }>, { marked }: Variant): Promise<EmbeddedSet> {
    const entities = protocol.kind === 'episodes' && protocol.entities;
    return this.#set(protocol.set, protocol.split, { entities, marked });
  }

  #set(
    set: string,
    split: string,
    { entities = false, marked = false }: Pick<SetSpec, 'entities' | 'marked'> = {},
  ): Promise<EmbeddedSet> {
    const spec: SetSpec = {
      set,
      split,
      ...(entities ? { entities } : {}),
      ...(marked ? { marked } : {}),
    };
    const key = JSON.stringify(spec);
    const known = this.#sets.get(key) ?? this.options.loader.load(spec).then((sets) => sets[0]!);
    this.#sets.set(key, known);
    return known;
  }

  #arsc(): Promise<EmbeddedTask[]> {
    return (this.#tasks ??= this.#readArsc());
  }

  async #readArsc(): Promise<EmbeddedTask[]> {
    const { loader, root } = this.options;
    const tests = await readArscTests(arscFolder(root));
    const spec: SetSpec = { set: 'arsc', split: 'test' };
    const support = await loader.embed(
      spec,
      tests.map((test) => test.support),
    );
    const queries = await loader.embed(
      spec,
      tests.map((test) => test.queries),
    );
    return tests.map(({ domain, threshold }, i) => ({
      name: `${domain}.t${threshold}`,
      support: support[i]!,
      queries: queries[i]!,
    }));
  }
}

/** A head says by its error that it cannot take so large a support set. */
function supported(measure: () => Measured): Measured {
  try {
    return measure();
  } catch (error) {
    if (error instanceof KshotError && error.code === 'invalid_configuration') {
      return { unsupported: error.message };
    }
    throw error;
  }
}
