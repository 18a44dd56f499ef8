/**
 * Puts the results of `npm run bench` into docs/performance.md: `npm run bench:publish`. What stands between
 * `<!-- bench NAME -->` and `<!-- end -->` is replaced by the tables of that bench's results, one a version of Node; the
 * plot of the growth benches goes to docs/performance-growth.svg. Results that are not there leave their place as it is.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { growthPlot } from './plot.ts';
import type { Figures } from './report.ts';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const PLOT = fileURLToPath(new URL('../../docs/performance-growth.svg', import.meta.url));

interface Result {
  readonly bench: string;
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly load: number;
  };
  readonly input?: { readonly rows: number; readonly sizeBytes: number } | null;
  readonly figures?: readonly Figures[];
  readonly of?: string;
  readonly points?: readonly { readonly figures: Figures }[];
}

const names = await readdir(RESULTS).catch(() => []);
const results: Result[] = [];
for (const name of names.filter((each) => /-node\d+\.json$/.test(each)).sort())
  results.push(JSON.parse(await readFile(path.join(RESULTS, name), 'utf8')));

const page = await readFile(PAGE, 'utf8');
await writeFile(PAGE, fillIn(page, results));
if (results.some(({ points }) => points !== undefined)) await writeFile(PLOT, await growthPlot(RESULTS));

function fillIn(text: string, all: readonly Result[]): string {
  return text.replace(/(<!-- bench (\S+) -->\n).*?(<!-- end -->)/gs, (whole, begin, bench, end) => {
    const own = all.filter((result) => result.bench === bench);
    return own.length === 0 ? whole : `${begin}\n${own.map(tableOf).join('\n')}\n${end}`;
  });
}

function tableOf({ machine, input, figures, points }: Result): string {
  const rows = figures ?? points?.map((point) => point.figures) ?? [];
  const what = input
    ? `${input.rows.toLocaleString('en')} rows, ${(input.sizeBytes / 1e6).toFixed(0)} MB. `
    : '';
  const where = `Node ${machine.node}, ${machine.cores} cores (${machine.cpu}), load ${machine.load.toFixed(1)} at the end`;
  return `${what}${where}, median of ${rows[0]?.runs ?? 0}:

| | wall s | CPU s | MB/s | MB per CPU s | peak RSS MB | files | by the clock | by CPU | as fast as |
|---|--:|--:|--:|--:|--:|--:|--:|--:|---|
${rows.map(line).join('\n')}
`;
}

function line(each: Figures): string {
  const cells = [
    each.candidate,
    each.wallSeconds.toFixed(2),
    each.cpuSeconds.toFixed(2),
    each.mbPerSecond?.toFixed(0) ?? '',
    each.mbPerCpuSecond?.toFixed(0) ?? '',
    (each.peakRssBytes / 1e6).toFixed(0),
    String(each.files),
    each.speedup === null ? '' : `${each.speedup.toFixed(2)}x`,
    each.cpuSpeedup === null ? '' : `${each.cpuSpeedup.toFixed(2)}x`,
    each.speedup === null ? '' : (each.versus ?? ''),
  ];
  return `| ${cells.join(' | ')} |`;
}
