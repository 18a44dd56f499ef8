/** Whether the ledger agrees with itself: every row that was read is in a part, and every file was read without a gap. */
import { type Books, type InputBook, openingOf } from './books.ts';
import type { Finding } from './finding.ts';

/** @param followsAppends whether what is behind the last whole line of a file may be left for later */
export function checkBooks(books: Books, followsAppends: boolean): Finding[] {
  return [...checkBalance(books), ...checkRanges(books, followsAppends)];
}

function checkBalance(books: Books): Finding[] {
  const { read, published, open, lateDropped, quarantined, quarantineOpen } = books.balance;
  const { openRows, openQuarantined } = openingOf(books);
  const findings: Finding[] = [];
  const rows = published + open + lateDropped - openRows;
  if (read.rows !== rows) {
    findings.push({
      code: 'rows_unaccounted',
      path: null,
      message: `${read.rows} rows were read, and ${rows} are accounted for: ${published} in parts, ${open} in open ones, ${lateDropped} dropped as late, ${openRows} of before the ledger`,
    });
  }
  const refused = quarantined + quarantineOpen - openQuarantined;
  if (read.quarantined !== refused) {
    findings.push({
      code: 'quarantine_unaccounted',
      path: null,
      message: `${read.quarantined} records were quarantined, and ${refused} are accounted for: ${quarantined} in parts, ${quarantineOpen} in open ones, ${openQuarantined} of before the ledger`,
    });
  }
  return findings;
}

function checkRanges(books: Books, followsAppends: boolean): Finding[] {
  const findings: Finding[] = [];
  for (const takes of groupByPath(books.inputs)) {
    const { path } = takes[0]!;
    const torn = takes.find(({ end }) => end === 'missing' || end === 'changed');
    if (torn !== undefined) {
      const what = torn.end === 'missing' ? 'was gone' : 'changed';
      findings.push({
        code: 'source_torn',
        path,
        message: `${path} ${what} before it was read to its end: the rest was not taken`,
      });
      continue;
    }
    const begunBefore = books.ledger.opening !== undefined || books.forgotten?.followed === true;
    const gap = gapOf(takes, begunBefore, followsAppends);
    if (gap !== null) findings.push({ code: 'source_gap', path, message: `${path}: ${gap}` });
  }
  return findings;
}

/** Each begins where the one before it ended, or at the file's beginning, and the last one reaches the file's end. */
function gapOf(takes: readonly InputBook[], begunBefore: boolean, followsAppends: boolean): string | null {
  let end: number | null = 0;
  let { fileId } = takes[0]!;
  for (const [index, take] of takes.entries()) {
    const { fromByte, toByte } = take;
    // Read anew from its beginning, as another version.
    const isNew = take.fileId !== fileId && fromByte === 0;
    // What came before it may be older than the ledger, or have stood under another name: logs are rotated.
    const isFirst = (begunBefore || followsAppends) && (index === 0 || take.fileId !== fileId);
    if (!isNew && !isFirst && fromByte !== end)
      return end === null || fromByte < end
        ? `the lines from byte ${fromByte} on were read twice`
        : `the lines from byte ${end} to ${fromByte} were not read`;
    end = toByte;
    fileId = take.fileId;
  }
  const { sizeBytes } = takes.at(-1)!;
  return end !== null && end < sizeBytes && !followsAppends
    ? `the lines from byte ${end} on were not read`
    : null;
}

/** Of the source, each in the order in which it was taken. */
function groupByPath(inputs: readonly InputBook[]): InputBook[][] {
  const byPath = new Map<string, InputBook[]>();
  for (const input of inputs) {
    if (input.lane !== 'source') continue;
    const group = byPath.get(input.path);
    if (group === undefined) byPath.set(input.path, [input]);
    else group.push(input);
  }
  const order = (a: InputBook, b: InputBook) =>
    Number(a.fileId) - Number(b.fileId) || a.fromByte - b.fromByte;
  return [...byPath.values()].map((group) => group.sort(order));
}
