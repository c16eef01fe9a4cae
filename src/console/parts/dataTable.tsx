import {
  type ColumnDef,
  createPaginatedRowModel,
  createSortedRowModel,
  type RowData,
  rowPaginationFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { type ReactNode, useMemo } from 'react';
import { count } from '../format.js';
import { Button } from './button.js';
import { Icon } from './icons.js';

const features = tableFeatures({
  rowSortingFeature,
  rowPaginationFeature,
  sortedRowModel: createSortedRowModel(),
  paginatedRowModel: createPaginatedRowModel(),
});

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** What it is sorted by; without it, it is not. */
  readonly value?: (row: Row) => string | number;
  readonly align?: 'end';
  /** Left out where there is little room. */
  readonly wideOnly?: true;
  /** Its cells head their rows. */
  readonly isHeader?: true;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
}

/** A real table, sorted by its headings; of very many rows a page at a time. */
export function DataTable<Row extends RowData>({
  caption,
  columns,
  rows,
  rowKey,
  sortedBy,
  pageSize = 100,
}: {
  /** For screen readers. */
  readonly caption: string;
  /** Stable from one render to the next. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly sortedBy?: { readonly id: string; readonly desc: boolean };
  readonly pageSize?: number;
}) {
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const definitions = useMemo(
    () =>
      columns.map(({ id, header, value }): ColumnDef<typeof features, Row> => ({
        id,
        header,
        accessorFn: value ?? (() => ''),
        enableSorting: value !== undefined,
        sortDescFirst: false,
        sortFn: (a, b, id) => compare(a.getValue(id), b.getValue(id)),
      })),
    [columns],
  );
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowKey,
    autoResetPageIndex: false,
    initialState: { sorting: sortedBy ? [sortedBy] : [], pagination: { pageIndex: 0, pageSize } },
  });
  const pages = table.getPageCount();
  const page = Math.min(table.state.pagination.pageIndex, Math.max(0, pages - 1));
  return (
    <>
      <div className="table-frame">
        <table className="table">
          <caption className="visually-hidden">{caption}</caption>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id}>
                {group.headers.map(({ id, column }) => {
                  const spec = byId.get(id);
                  const sorted = column.getIsSorted();
                  return (
                    <th
                      key={id}
                      scope="col"
                      className={cellClass(spec)}
                      aria-sort={sorted === false ? undefined : sorted === 'asc' ? 'ascending' : 'descending'}
                    >
                      {column.getCanSort() ? (
                        <button type="button" className="sort" onClick={column.getToggleSortingHandler()}>
                          {spec?.header}
                          {sorted !== false && <Icon name={sorted === 'asc' ? 'up' : 'down'} />}
                        </button>
                      ) : (
                        <span className={spec?.header === 'Actions' ? 'visually-hidden' : undefined}>
                          {spec?.header}
                        </span>
                      )}
                    </th>
                  );
                })}
              </tr>
            ))}
          </thead>
          <tbody>
            {table.getRowModel().rows.map((row) => (
              <tr key={row.id}>
                {columns.map((column) => {
                  const content = column.cell(row.original);
                  return column.isHeader ? (
                    <th key={column.id} scope="row" className={cellClass(column)}>
                      {content}
                    </th>
                  ) : (
                    <td key={column.id} className={cellClass(column)}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 && (
        <nav className="pager" aria-label={`Pages: ${caption}`}>
          <Button
            small
            icon="back"
            disabled={page === 0}
            onClick={() => {
              table.setPageIndex(page - 1);
            }}
          >
            Before
          </Button>
          <span className="muted number">
            {count(page * pageSize + 1)}–{count(Math.min((page + 1) * pageSize, rows.length))} of{' '}
            {count(rows.length)}
          </span>
          <Button
            small
            disabled={page >= pages - 1}
            onClick={() => {
              table.setPageIndex(page + 1);
            }}
          >
            Next
          </Button>
        </nav>
      )}
    </>
  );
}

function cellClass<Row>(column: Column<Row> | undefined): string | undefined {
  const names = [column?.align === 'end' && 'end number', column?.wideOnly && 'wide-only'].filter(Boolean);
  return names.length > 0 ? names.join(' ') : undefined;
}
