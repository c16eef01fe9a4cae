import { isDeepStrictEqual } from 'node:util';
import { isHeadName } from '../../heads/registry.js';
import type { Cell } from '../evaluation/cell.js';
import type { Strata } from '../evaluation/outcomes.js';
import { type BenchmarkPlan, type RowPlan, settingsOf } from '../evaluation/plan.js';
import type { Protocol, Setting } from '../evaluation/protocol.js';
import { type ResultStore, settingId } from '../evaluation/resultStore.js';

/** The settings of a benchmark that share tables and charts. */
export interface Group {
  readonly name: string;
  readonly settings: readonly Setting[];
}

/** A benchmark's plan with what is stored of it: what its section is written from. */
export class Benchmark {
  readonly groups: readonly Group[];

  constructor(
    readonly plan: BenchmarkPlan,
    private readonly store: ResultStore,
  ) {
    const settings = settingsOf(plan);
    this.groups = [...new Set(settings.map(({ group }) => group))].map((name) => ({
      name,
      settings: settings.filter(({ group }) => group === name),
    }));
  }

  get protocol(): Protocol {
    return this.groups[0]!.settings[0]!.protocol;
  }

  row(name: string): RowPlan | undefined {
    return this.plan.rows.find((row) => row.name === name);
  }

  /** Cells of a row's trainings, in the order of its heads; those of another protocol, evaluated before it was changed, are none. */
  cells(row: RowPlan, setting: Setting): Cell[] {
    return row.heads.flatMap((head) => {
      const cell = this.store.get({ setting: settingId(setting), row: row.name, head });
      return cell !== undefined && isDeepStrictEqual(cell.protocol, setting.protocol) ? [cell] : [];
    });
  }

  /** The outcomes of a row's trainings; empty where there are none. */
  runs(row: RowPlan, setting: Setting): Strata[] {
    return this.cells(row, setting).flatMap(({ strata }) => (strata === undefined ? [] : [strata]));
  }

  /** What stands where there are no outcomes. */
  absence(row: RowPlan, setting: Setting): string {
    const [cell] = this.cells(row, setting);
    if (cell?.unsupported !== undefined) return 'cannot';
    const settings = this.groups.flatMap((group) => group.settings);
    const isThere =
      row.heads.every(isHeadName) || settings.some((other) => this.cells(row, other).length > 0);
    return isThere ? 'not evaluated' : 'not trained';
  }
}
