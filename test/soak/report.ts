/** What a soak test saw: as a plot in text, as SVG, and as a verdict. */
export interface Sample {
  /** Since the start. */
  readonly seconds: number;
  readonly rssBytes: number;
  /** Open file descriptors. */
  readonly files: number;
}

const COLUMNS = 72;
const LINES = 12;
/** The median of the end may be so much above that of the second quarter. The first is for the heap to find its size. */
const MAX_RSS_GROWTH = 1.1;
const MAX_MORE_FILES = 4;

export function verdict(samples: readonly Sample[]): { readonly isFlat: boolean; readonly text: string } {
  if (samples.length < 8) return { isFlat: false, text: 'too few samples to tell' };
  const quarter = samples.length >> 2;
  const early = samples.slice(quarter, 2 * quarter);
  const late = samples.slice(-quarter);
  const rss = [early, late].map((part) => median(part.map(({ rssBytes }) => rssBytes)));
  const files = [early, late].map((part) => median(part.map((each) => each.files)));
  const isFlat = rss[1]! <= rss[0]! * MAX_RSS_GROWTH && files[1]! <= files[0]! + MAX_MORE_FILES;
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const peak = Math.max(...samples.map(({ rssBytes }) => rssBytes));
  return {
    isFlat,
    text: `${isFlat ? 'flat' : 'NOT FLAT'}: RSS ${mb(rss[0]!)} MB in the second quarter, ${mb(rss[1]!)} MB in the last, at most ${mb(peak)} MB; file descriptors ${files[0]} and ${files[1]}`,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** RSS and file descriptors over time. */
export function textPlot(samples: readonly Sample[]): string {
  const rss = chart(samples, 'RSS, MB', ({ rssBytes }) => rssBytes / 1e6);
  return `${rss}\n\n${chart(samples, 'file descriptors', ({ files }) => files)}`;
}

function chart(samples: readonly Sample[], title: string, value: (sample: Sample) => number): string {
  const points = buckets(samples, COLUMNS).map((part) => Math.max(...part.map(value)));
  const top = Math.max(...points, 1);
  const lines = Array.from({ length: LINES }, (_, i) => {
    const level = (top * (LINES - i)) / LINES;
    const label = i % 3 === 0 ? level.toFixed(0).padStart(8) : ' '.repeat(8);
    return `${label} |${points.map((point) => (point >= level - top / LINES / 2 ? '#' : ' ')).join('')}`;
  });
  const seconds = samples.at(-1)?.seconds ?? 0;
  return [title, ...lines, `         +${'-'.repeat(COLUMNS)} ${(seconds / 60).toFixed(1)} min`].join('\n');
}

function buckets(samples: readonly Sample[], count: number): Sample[][] {
  const parts: Sample[][] = [];
  for (let i = 0; i < count; i++) {
    const from = Math.floor((i * samples.length) / count);
    const to = Math.max(from + 1, Math.floor(((i + 1) * samples.length) / count));
    const part = samples.slice(from, to);
    if (part.length > 0) parts.push(part);
  }
  return parts;
}

export function timePlot(samples: readonly Sample[]): string {
  const panels = [
    { title: 'RSS, MB', value: (sample: Sample) => sample.rssBytes / 1e6 },
    { title: 'file descriptors', value: (sample: Sample) => sample.files },
  ].map(({ title, value }, i) => {
    const end = samples.at(-1)?.seconds ?? 1;
    const top = Math.max(...samples.map(value), 1) * 1.1;
    const line = samples
      .map(
        (sample) =>
          `${(50 + (sample.seconds / end) * 620).toFixed(1)},${(170 - (value(sample) / top) * 130).toFixed(1)}`,
      )
      .join(' ');
    return `<g transform="translate(0,${i * 200})"><text x="50" y="24" font-weight="bold">${title}</text>
<line x1="50" x2="670" y1="170" y2="170" stroke="#999"/><text x="44" y="174" text-anchor="end">0</text>
<text x="44" y="56" text-anchor="end">${(top / 1.1).toFixed(0)}</text><text x="670" y="188" text-anchor="end">${(end / 60).toFixed(0)} min</text>
<polyline points="${line}" fill="none" stroke="#1f6feb"/></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 690 400" font-family="sans-serif" font-size="11">
<title>A daemon's memory and file descriptors over time</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}
