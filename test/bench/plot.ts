/** The growth benches' results as one SVG: a panel each, both axes logarithmic, a line of the same slope as guide. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface Series {
  readonly of: string;
  /** What the points' heights are. */
  readonly what?: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

const WIDTH = 340;
const HEIGHT = 250;
const LEFT = 52;
const RIGHT = 16;
const TOP = 34;
const BOTTOM = 40;

/** The plot of all growth results in a folder. */
export async function growthPlot(folder: string): Promise<string> {
  const series: Series[] = [];
  for (const name of (await readdir(folder)).filter((each) => /^growth-.*\.json$/.test(each)).sort()) {
    const result: { of: string; points: { x: number; figures: { cpuSeconds: number } }[] } = JSON.parse(
      await readFile(path.join(folder, name), 'utf8'),
    );
    series.push({
      of: result.of,
      points: result.points.map(({ x, figures }) => ({ x, y: figures.cpuSeconds })),
    });
  }
  return plot(series);
}

/** @param series values above 0 */
export function plot(series: readonly Series[], title = 'CPU seconds as the input grows'): string {
  const columns = Math.min(2, Math.max(1, series.length));
  const rows = Math.ceil(series.length / columns);
  const panels = series.map((each, i) => {
    const [x, y] = [(i % columns) * WIDTH, Math.floor(i / columns) * HEIGHT];
    return `<g transform="translate(${x},${y})">${panel(each)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * WIDTH} ${rows * HEIGHT}" font-family="sans-serif" font-size="11">
<title>${title}</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

function panel({ of, what = 'CPU seconds', points }: Series): string {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [minX, maxX] = [Math.min(...xs), Math.max(...xs)];
  const minY = 10 ** Math.floor(Math.log10(Math.min(...ys)));
  const maxY = 10 ** Math.ceil(Math.log10(Math.max(...ys) * 1.001));
  const scale = (value: number, min: number, max: number, from: number, to: number) =>
    from + (max === min ? 0.5 : Math.log(value / min) / Math.log(max / min)) * (to - from);
  const px = (x: number) => scale(x, minX, maxX, LEFT, WIDTH - RIGHT).toFixed(1);
  const py = (y: number) => scale(y, minY, maxY, HEIGHT - BOTTOM, TOP).toFixed(1);
  const parts = [`<text x="${LEFT}" y="18" font-weight="bold">${what} by ${of}</text>`];
  for (let y = minY; y <= maxY * 1.001; y *= 10) {
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(y)}" y2="${py(y)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${Number(py(y)) + 4}" text-anchor="end">${Number(y.toPrecision(3))}</text>`,
    );
  }
  for (const x of xs)
    parts.push(
      `<text x="${px(x)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${x.toLocaleString('en')}</text>`,
    );
  const line = points.map(({ x, y }) => `${px(x)},${py(y)}`).join(' ');
  parts.push(`<polyline points="${line}" fill="none" stroke="#1f6feb" stroke-width="2"/>`);
  for (const { x, y } of points)
    parts.push(
      `<circle cx="${px(x)}" cy="${py(y)}" r="3" fill="#1f6feb"/>`,
      `<text x="${px(x)}" y="${Number(py(y)) - 8}" text-anchor="middle" fill="#1f6feb">${y.toPrecision(2)}</text>`,
    );
  return parts.join('');
}
