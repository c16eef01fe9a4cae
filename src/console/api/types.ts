/** The wire types that the console draws. This file is the one place that names where they come from. */
export type { BotSettings } from '../../classify/settings.js';
export type { CheckCode, Finding, FoundText, Severity } from '../../classify/checks/finding.js';
export type {
  BotChecks,
  BotSummary,
  ChangeKind,
  ClassifyResult,
  Example,
  HeadSummary,
  ImportResult,
  Intent,
  IntentChange,
  SuggestedText,
  Suggestions,
  TextsChange,
  UnlabelledPage,
  UnlabelledRemoval,
  UnlabelledWrite,
  WriteResult,
} from '../../classify/service.js';
export type { AliasSummary, VersionChanges, VersionSummary } from '../../classify/versionTypes.js';
export type {
  ComparedRow,
  Evaluation,
  EvaluationComparison,
  EvaluationSummary,
  IntentMeasures,
  Reliability,
  ThresholdPoint,
} from '../../classify/evaluationTypes.js';
export type { BotMap, MapPoint } from '../../classify/mapTypes.js';
