export { Kshot } from './kshot.js';
export {
  type ApiErrorDetails,
  KshotApiError,
  KshotClientError,
  KshotConnectionError,
  KshotTimeoutError,
} from './errors.js';
export type { CallOptions, FileContent, KshotOptions, Retry } from './transport.js';
export type * from './types.js';
export type { Aliases } from './aliases.js';
export type { Bots } from './bots.js';
export type { Counterexamples } from './counterexamples.js';
export type { ExampleChange, Examples } from './examples.js';
export type { Heads } from './heads.js';
export type { Intents } from './intents.js';
export type * from './evaluations.js';
export { type FinishedOptions, isOver } from './finished.js';
export type { JobListOptions, JobRequest, Jobs } from './jobs.js';
export type { Keys } from './keys.js';
export type { Unlabelled as UnlabelledTexts } from './unlabelled.js';
export type { Versions } from './versions.js';

// The wire format.
export type { BotSettings } from '../classify/botSettings.js';
export type { FieldProblem, ProblemCode } from '../errors.js';
export type * from '../classify/evaluationTypes.js';
export type * from '../classify/mapTypes.js';
export type * from '../jobs/jobTypes.js';
export type * from '../classify/versionTypes.js';
export type {
  CheckCode,
  Checks,
  Finding,
  FoundPair,
  FoundText,
  Severity,
  SeverityCounts,
} from '../classify/checks/finding.js';
export type {
  BotChecks,
  BotHead,
  BotSummary,
  ChangeKind,
  ClassifyResult,
  Evidence,
  Example,
  Explanation,
  HeadChangeSummary,
  HeadReload,
  HeadSummary,
  HeadTraining,
  ImportResult,
  ImportTotals,
  Intent,
  IntentChange,
  IntentDefinition,
  ModelVersion,
  RankedIntent,
  SuggestedText,
  Suggestions,
  TextCounts,
  TextsChange,
  Unlabelled,
  UnlabelledPage,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
} from '../classify/service.js';
export type * from '../keys/keyTypes.js';
export type { SuggestionStrategy } from '../classify/suggestionStrategies.js';
export type { ExportFormat, ImportFormat } from '../formats/formatNames.js';
