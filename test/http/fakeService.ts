import type { BotMap } from '../../src/classify/mapTypes.js';
import type {
  BotChecks,
  BotSummary,
  ClassifyOptions,
  ClassifyResult,
  ClassifyService,
  CrossValidationOptions,
  EvaluationOptions,
  Example,
  ExampleEdit,
  HeadReload,
  HeadSummary,
  ImportDocument,
  ImportOptions,
  ImportResult,
  IntentDefinition,
  ServiceStats,
  SuggestOptions,
  Suggestions,
  Unlabelled,
  UnlabelledPage,
  UnlabelledPageOptions,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
} from '../../src/classify/service.js';
import { compareRows } from '../../src/classify/evaluation/comparison.js';
import { rowOf } from '../../src/classify/evaluation/judge.js';
import { headlineOf, measuresOf } from '../../src/classify/evaluation/measures.js';
import type {
  Evaluation,
  EvaluationComparison,
  EvaluationRow,
  EvaluationSummary,
} from '../../src/classify/evaluationTypes.js';
import type { BotSettings } from '../../src/classify/settings.js';
import { KshotError } from '../../src/errors.js';
import { FakeVersions } from './fakeVersions.js';

export interface FakeBot {
  settings: BotSettings;
  revision: number;
  intents: Map<string, { description: string | null; examples: Example[] }>;
  counterexamples: Example[];
  unlabelled: Unlabelled[];
  /** Each is done at once. */
  evaluations: Evaluation[];
}

const EPOCH = '2024-01-01T00:00:00.000Z';

/** A service without encoder or store: a text means the first intent that has it as an example, word for word. */
export class FakeService implements ClassifyService {
  private readonly bots = new Map<string, FakeBot>();
  private readonly versions = new FakeVersions((bot) => this.find(bot));
  private nextId = 1;
  /** What it was given to import. */
  readonly imports: (ImportDocument & { readonly prune: boolean; readonly dryRun: boolean })[] = [];
  /** Called before a text is classified; tests put delays and errors here. */
  beforeClassify: (signal: AbortSignal | undefined) => Promise<void> = () => Promise.resolve();
  ready: () => Promise<void> = () => Promise.resolve();
  refusal: () => KshotError | undefined = () => undefined;

  async classify(
    bot: string,
    texts: readonly string[],
    options: ClassifyOptions = {},
  ): Promise<ClassifyResult[]> {
    const { version, ...how } = options;
    const found = version === undefined ? this.find(bot) : this.versions.find(bot, version);
    await this.beforeClassify(options.signal);
    const results = texts.map((text) => resultOf(found, text, how));
    if (version === undefined) return results;
    const { name } = await this.getVersion(bot, version);
    return results.map((result) => ({ ...result, model: { ...result.model, version: name } }));
  }

  async classifyAgainst(
    intents: readonly IntentDefinition[],
    texts: readonly string[],
    options: ClassifyOptions = {},
  ): Promise<ClassifyResult[]> {
    const service = new FakeService();
    await service.putIntents('once', intents);
    return service.classify('once', texts, options);
  }

  reach(bot: string, revision: number): Promise<void> {
    return attempt(() => {
      if (this.find(bot).revision < revision) {
        throw new KshotError('revision_unavailable', `revision ${revision} is not here`);
      }
    });
  }

  listBots(): Promise<BotSummary[]> {
    return Promise.resolve([...this.bots.keys()].sort().map((name) => this.summary(name)));
  }

  getBot(bot: string): Promise<BotSummary> {
    return attempt(() => this.summary(bot));
  }

  putBot(bot: string, settings: BotSettings): Promise<BotSummary> {
    const found = this.findOrMake(bot);
    found.settings = settings;
    found.revision += 1;
    return Promise.resolve(this.summary(bot));
  }

  deleteBot(bot: string): Promise<void> {
    return attempt(() => {
      this.find(bot);
      this.bots.delete(bot);
    });
  }

  listIntents(bot: string) {
    return attempt(() => [...this.find(bot).intents].map(([name, intent]) => ({ name, ...intent })));
  }

  getIntent(bot: string, intent: string) {
    return attempt(() => ({ name: intent, ...this.findIntent(bot, intent) }));
  }

  putIntents(bot: string, intents: readonly IntentDefinition[]): Promise<WriteResult> {
    const found = this.findOrMake(bot);
    const added: Example[] = [];
    const removed: Example[] = [];
    for (const { name, examples, description } of intents) {
      const before = found.intents.get(name)?.examples ?? [];
      const now = [...new Set(examples)].map(
        (text) => before.find((old) => old.text === text) ?? this.example(text),
      );
      added.push(...now.filter((example) => !before.includes(example)));
      removed.push(...before.filter((example) => !now.includes(example)));
      found.intents.set(name, { description: description ?? null, examples: now });
    }
    return Promise.resolve(this.written(bot, added, removed));
  }

  importBot(
    bot: string,
    { intents, counterexamples }: ImportDocument,
    { prune = false, dryRun = false }: ImportOptions = {},
  ): Promise<ImportResult> {
    this.imports.push({ intents, counterexamples, prune, dryRun });
    const none = { added: 0, removed: 0, kept: 0 };
    const added = intents.map(({ name, examples }) => ({
      name,
      change: 'added' as const,
      description: 'unchanged' as const,
      added: examples,
      removed: [],
      kept: 0,
    }));
    if (!dryRun) {
      this.findOrMake(bot).counterexamples = counterexamples.map((text) => this.example(text));
      void this.putIntents(bot, intents);
    }
    return Promise.resolve({
      bot,
      dry_run: dryRun,
      revision: this.bots.get(bot)?.revision ?? 0,
      totals: {
        intents: { added: added.length, changed: 0, removed: 0, unchanged: 0 },
        examples: { ...none, added: intents.flatMap(({ examples }) => examples).length },
        counterexamples: { ...none, added: counterexamples.length },
      },
      intents: added,
      counterexamples: { change: 'added', added: counterexamples, removed: [], kept: 0 },
    });
  }

  deleteIntent(bot: string, intent: string): Promise<WriteResult> {
    return attempt(() => {
      const { examples } = this.findIntent(bot, intent);
      this.find(bot).intents.delete(intent);
      return this.written(bot, [], examples);
    });
  }

  addExamples(bot: string, intent: string, examples: readonly string[]): Promise<WriteResult> {
    return attempt(() => {
      const found = this.findIntent(bot, intent);
      const known = new Set(found.examples.map((example) => example.text));
      const added = [...new Set(examples)]
        .filter((text) => !known.has(text))
        .map((text) => this.example(text));
      found.examples.push(...added);
      return this.written(bot, added, []);
    });
  }

  removeExample(bot: string, intent: string, id: number): Promise<WriteResult> {
    return attempt(() => {
      const found = this.findIntent(bot, intent);
      const removed = found.examples.filter((example) => example.id === id);
      if (removed.length === 0) throw new KshotError('unknown_example', `There is no example ${id}`);
      found.examples = found.examples.filter((example) => example.id !== id);
      return this.written(bot, [], removed);
    });
  }

  editExample(bot: string, intent: string, id: number, edit: ExampleEdit): Promise<WriteResult> {
    return attempt(() => {
      const from = this.findIntent(bot, intent);
      const to = this.findIntent(bot, edit.intent ?? intent);
      const example = from.examples.find((one) => one.id === id);
      if (example === undefined) throw new KshotError('unknown_example', `There is no example ${id}`);
      from.examples = from.examples.filter((one) => one !== example);
      const edited = this.example(edit.text ?? example.text);
      to.examples.push(edited);
      return this.written(bot, [edited], [example]);
    });
  }

  renameIntent(bot: string, intent: string, to: string): Promise<WriteResult> {
    return attempt(() => {
      this.findIntent(bot, intent);
      const found = this.find(bot);
      if (found.intents.has(to)) throw new KshotError('intent_exists', `There is an intent "${to}"`);
      found.intents = new Map([...found.intents].map(([name, one]) => [name === intent ? to : name, one]));
      return this.written(bot, [], []);
    });
  }

  getCounterexamples(bot: string): Promise<Example[]> {
    return attempt(() => this.find(bot).counterexamples);
  }

  putCounterexamples(bot: string, examples: readonly string[]): Promise<WriteResult> {
    return attempt(() => {
      const found = this.find(bot);
      const removed = found.counterexamples;
      found.counterexamples = examples.map((text) => this.example(text));
      return this.written(bot, found.counterexamples, removed);
    });
  }

  addCounterexamples(bot: string, examples: readonly string[]): Promise<WriteResult> {
    return attempt(() => {
      const { counterexamples } = this.find(bot);
      const known = new Set(counterexamples.map(({ text }) => text));
      const added = examples.filter((text) => !known.has(text)).map((text) => this.example(text));
      counterexamples.push(...added);
      return this.written(bot, added, []);
    });
  }

  removeCounterexample(bot: string, id: number): Promise<WriteResult> {
    return attempt(() => {
      const found = this.find(bot);
      const removed = found.counterexamples.filter((example) => example.id === id);
      if (removed.length === 0) throw new KshotError('unknown_example', `There is no counter-example ${id}`);
      found.counterexamples = found.counterexamples.filter((example) => example.id !== id);
      return this.written(bot, [], removed);
    });
  }

  addUnlabelled(bot: string, texts: readonly string[]): Promise<UnlabelledWrite> {
    return attempt(() => {
      const { unlabelled } = this.find(bot);
      const known = new Set(unlabelled.map(({ text }) => text));
      const added = [...new Set(texts)].filter((text) => !known.has(text));
      unlabelled.push(...added.map((text) => ({ ...this.example(text), source: 'given' as const })));
      const counts = { added: added.length, known: texts.length - added.length, dropped: 0 };
      return { bot, ...counts, total: unlabelled.length };
    });
  }

  listUnlabelled(
    bot: string,
    { limit = 100, after = 0 }: UnlabelledPageOptions = {},
  ): Promise<UnlabelledPage> {
    return attempt(() => {
      const { unlabelled } = this.find(bot);
      const rest = unlabelled.filter(({ id }) => id > after);
      const texts = rest.slice(0, limit);
      const next = rest.length > limit ? texts.at(-1)!.id : null;
      return { texts, total: unlabelled.length, next };
    });
  }

  removeUnlabelled(bot: string, id: number): Promise<UnlabelledRemoval> {
    return attempt(() => {
      this.take(bot, id);
      return { bot, removed: 1 };
    });
  }

  clearUnlabelled(bot: string): Promise<UnlabelledRemoval> {
    return attempt(() => ({ bot, removed: this.find(bot).unlabelled.splice(0).length }));
  }

  labelUnlabelled(bot: string, id: number, intent: string | null): Promise<WriteResult> {
    return attempt(() => {
      const found = this.find(bot);
      const examples = intent === null ? found.counterexamples : this.findIntent(bot, intent).examples;
      const labelled = this.example(this.take(bot, id).text);
      examples.push(labelled);
      return this.written(bot, [labelled], []);
    });
  }

  suggest(bot: string, { strategy = 'mix', limit = 10 }: SuggestOptions = {}): Promise<Suggestions> {
    return attempt(() => {
      const found = this.find(bot);
      const suggestions = found.unlabelled.slice(0, limit).map((one) => {
        const { intent, confidence, out_of_scope, in_scope, ranking } = resultOf(found, one.text, { top: 3 });
        return { ...one, score: 0.5, intent, confidence, out_of_scope, in_scope, ranking };
      });
      return { strategy, considered: found.unlabelled.length, suggestions };
    });
  }

  check(bot: string): Promise<BotChecks> {
    return attempt(() => {
      const { revision } = this.find(bot);
      const counts = { error: 0, warning: 0, info: 0 };
      return { bot, revision, counts, texts: 0, compared: 0, left_out: 0, checks: [] };
    });
  }

  map(bot: string): Promise<BotMap> {
    return attempt(() => {
      const { revision } = this.find(bot);
      return { bot, revision, method: 'pca', shown: 0, texts: 0, points: [] };
    });
  }

  crossValidate(
    bot: string,
    { folds = 5, ...options }: CrossValidationOptions = {},
  ): Promise<EvaluationSummary> {
    return attempt(() => {
      const { intents } = this.find(bot);
      const rows = [...intents].flatMap(([intent, { examples }]) =>
        examples.map(({ text }) => this.judged(bot, text, intent)),
      );
      return this.evaluated(bot, { kind: 'cross-validation', folds }, rows, options);
    });
  }

  evaluateTestSet(
    bot: string,
    { intents, counterexamples }: ImportDocument,
    options: EvaluationOptions = {},
  ): Promise<EvaluationSummary> {
    return attempt(() => {
      const rows = [
        ...intents.flatMap(({ name, examples }) => examples.map((text) => this.judged(bot, text, name))),
        ...counterexamples.map((text) => this.judged(bot, text, null)),
      ];
      return this.evaluated(bot, { kind: 'test-set', folds: null }, rows, options);
    });
  }

  listEvaluations(bot: string): Promise<EvaluationSummary[]> {
    return attempt(() => this.find(bot).evaluations.map(summaryOf).reverse());
  }

  getEvaluation(bot: string, id: number): Promise<Evaluation> {
    return attempt(() => this.findEvaluation(bot, id));
  }

  deleteEvaluation(bot: string, id: number): Promise<void> {
    return attempt(() => {
      const evaluation = this.findEvaluation(bot, id);
      const { evaluations } = this.find(bot);
      evaluations.splice(evaluations.indexOf(evaluation), 1);
    });
  }

  compareEvaluations(bot: string, id: number, other?: number): Promise<EvaluationComparison> {
    return attempt(() => {
      const now = this.findEvaluation(bot, id);
      const before = this.find(bot).evaluations.findLast((one) => one.id < id && one.kind === now.kind);
      const then = other === undefined ? before : this.findEvaluation(bot, other);
      if (then === undefined) throw new KshotError('nothing_to_compare', 'There is no other evaluation');
      return { bot, evaluation: summaryOf(now), with: summaryOf(then), ...compareRows(now, then) };
    });
  }
  listVersions = (bot: string) => attempt(() => this.versions.list(bot));
  getVersion = (bot: string, version: string) => attempt(() => this.versions.get(bot, version));
  saveVersion = (bot: string, version: string, note: string | null) =>
    attempt(() => this.versions.save(bot, version, note));
  deleteVersion = (bot: string, version: string) => attempt(() => this.versions.delete(bot, version));
  getVersionContents = (bot: string, version: string) => attempt(() => this.versions.contents(bot, version));
  versionChanges = (bot: string, from: string, to?: string) =>
    attempt(() => this.versions.changes(bot, from, to));
  restoreVersion = (bot: string, version: string) =>
    attempt(() => {
      Object.assign(this.find(bot), this.versions.contentsToRestore(bot, version));
      return this.written(bot, [], []);
    });
  listAliases = (bot: string) => attempt(() => this.versions.listAliases(bot));
  putAlias = (bot: string, alias: string, version: string) =>
    attempt(() => this.versions.putAlias(bot, alias, version));
  rollBackAlias = (bot: string, alias: string) => attempt(() => this.versions.rollBackAlias(bot, alias));
  deleteAlias = (bot: string, alias: string) => attempt(() => this.versions.deleteAlias(bot, alias));

  listHeads(): Promise<HeadSummary[]> {
    return Promise.resolve([
      {
        name: 'adapted',
        kind: 'built-in',
        default: true,
        available: true,
        reason: null,
        bots: this.bots.size,
        training: null,
      },
    ]);
  }

  async reloadHeads(): Promise<HeadReload> {
    return { changes: [], bots_renewed: 0, heads: await this.listHeads() };
  }

  stats(): ServiceStats {
    return {
      bots: this.bots.size,
      fallbacks: 0,
      intents: 2,
      examples: 3,
      loaded: { bots: 1, bytes: 9, letGo: 10 },
      adaptations: 0,
      storeConnected: true,
      adaptedSince: Infinity,
      encoder: { queuedTexts: 4, cacheEntries: 5, cacheBytes: 6, cacheHits: 7, cacheMisses: 8 },
    };
  }

  checkReady(): Promise<void> {
    return this.ready();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private find(bot: string): FakeBot {
    const found = this.bots.get(bot);
    if (found === undefined) throw new KshotError('unknown_bot', `There is no bot "${bot}"`);
    return found;
  }

  private findOrMake(bot: string): FakeBot {
    const found = this.bots.get(bot) ?? {
      settings: {},
      revision: 0,
      intents: new Map(),
      counterexamples: [],
      unlabelled: [],
      evaluations: [],
    };
    this.bots.set(bot, found);
    return found;
  }

  /** Takes an unlabelled text away. */
  private take(bot: string, id: number): Unlabelled {
    const { unlabelled } = this.find(bot);
    const at = unlabelled.findIndex((one) => one.id === id);
    if (at < 0) throw new KshotError('unknown_text', `There is no unlabelled text ${id}`);
    return unlabelled.splice(at, 1)[0]!;
  }

  private findEvaluation(bot: string, id: number): Evaluation {
    const found = this.find(bot).evaluations.find((one) => one.id === id);
    if (found === undefined) throw new KshotError('unknown_evaluation', `There is no evaluation ${id}`);
    return found;
  }

  private judged(bot: string, text: string, expected: string | null): EvaluationRow {
    return rowOf({ text, expected }, resultOf(this.find(bot), text, { top: 1 }));
  }

  private evaluated(
    bot: string,
    about: Pick<EvaluationSummary, 'kind' | 'folds'>,
    rows: readonly EvaluationRow[],
    { name, version }: EvaluationOptions,
  ): EvaluationSummary {
    const { revision, evaluations } = this.find(bot);
    if (rows.length === 0) throw new KshotError('nothing_to_evaluate', 'There is no text');
    const measures = measuresOf(rows);
    const evaluation: Evaluation = {
      ...about,
      id: this.nextId++,
      job: null,
      name: name ?? null,
      version: version === undefined ? null : this.versions.get(bot, version).name,
      revision,
      head: 'adapted',
      threshold: 0.5,
      status: 'done',
      progress: { done: rows.length, total: rows.length },
      error: null,
      created_at: EPOCH,
      finished_at: EPOCH,
      headline: headlineOf(measures),
      measures,
      rows,
    };
    evaluations.push(evaluation);
    return summaryOf(evaluation);
  }

  private findIntent(bot: string, intent: string) {
    const found = this.find(bot).intents.get(intent);
    if (found === undefined) throw new KshotError('unknown_intent', `The bot has no intent "${intent}"`);
    return found;
  }

  private example(text: string): Example {
    return { id: this.nextId++, text };
  }

  private written(bot: string, added: Example[], removed: Example[]): WriteResult {
    const found = this.find(bot);
    found.revision += 1;
    return { bot, revision: found.revision, added: [...added], removed: [...removed] };
  }

  private summary(bot: string): BotSummary {
    const { settings, revision, intents, counterexamples } = this.find(bot);
    return {
      name: bot,
      settings,
      head: { wanted: settings.head ?? 'adapted', serving: settings.head ?? 'adapted', reason: null },
      revision,
      intents: intents.size,
      examples: [...intents.values()].reduce((sum, intent) => sum + intent.examples.length, 0),
      counterexamples: counterexamples.length,
      created_at: EPOCH,
      updated_at: EPOCH,
    };
  }
}

function resultOf(bot: FakeBot, text: string, { top = 5, explain = false }: ClassifyOptions): ClassifyResult {
  const intents = [...bot.intents];
  const match = intents.find(([, intent]) => intent.examples.some((example) => example.text === text))?.[0];
  const ranking = intents
    .map(([intent]) => ({ intent, confidence: intent === match ? 0.9 : 0.1 }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, top);
  return {
    text,
    intent: match ?? null,
    confidence: ranking[0]?.confidence ?? 0,
    out_of_scope: match === undefined,
    in_scope: match === undefined ? 0.1 : 0.9,
    ranking,
    evidence: match === undefined ? [] : [{ example: text, intent: match, similarity: 1 }],
    ...(explain && {
      explanation: {
        threshold: 0.5,
        temperature: 1,
        calibration: 'default' as const,
        adapted: true,
        similarity: 1,
        similarity_at_even_odds: 0.6,
        nearest_counterexample: null,
        summary: 'The text is one of the examples.',
      },
    }),
    model: { encoder: 'fake', head: bot.settings.head ?? 'adapted', revision: bot.revision },
  };
}

function summaryOf({ measures: _measures, rows: _rows, ...summary }: Evaluation): EvaluationSummary {
  return summary;
}

/** What the function returns, or its error, as a promise: the interface is asynchronous throughout. */
function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
