/** Tables for people: few lines, no frame but what helps the eye. */
import Table from 'cli-table3';
import { printableLine } from './printable.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** More rows are counted, not printed: ten thousand open parts tell nobody anything. */
const MAX_ROWS = 20;

const NO_FRAME = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    chars: NO_FRAME,
    // Colours are the caller's decision.
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    head: columns.map((column) => column.title),
    colAligns: columns.map((column) => column.align ?? 'left'),
  });
  for (const row of rows.slice(0, MAX_ROWS)) table.push(row.map(printableLine));
  const rest = rows.length - MAX_ROWS;
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  return [...lines, ...(rest > 0 ? [`... and ${rest} more`] : [])].join('\n');
}
