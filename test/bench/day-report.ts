/** The day's files as a table and as a picture. */

export type Sizes = readonly number[];

export interface DayResult {
  readonly targetBytes: number;
  readonly buckets: number;
  readonly checkpoints: number;
  readonly rows: number;
  /** Of all parts that the sink wrote. */
  readonly bytes: number;
  /** Of all parts that compaction wrote. */
  readonly mergedBytes: number;
  /** Visible at once, looked at each minute. */
  readonly mostFiles: number;
  /** Visible at the end of the day, before the last merges. */
  readonly atMidnight: number;
  /** What a roll of each bucket with rows at each checkpoint leaves. */
  readonly forcedRoll: Sizes;
  readonly rollingPolicy: Sizes;
  readonly compacted: Sizes;
}

/** Buckets of the picture: up to these shares of the target. */
const STEPS = [1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4, 1 / 2, 1, 2];
const LABELS = ['1/1024', '1/256', '1/64', '1/16', '1/4', '1/2', '1', '2'];

const LINES = [
  ['a roll at each checkpoint', '#b42318', 'forcedRoll'],
  ['rolling policy (60 s), open parts outlive checkpoints', '#b98900', 'rollingPolicy'],
  ['and compaction', '#1f6feb', 'compacted'],
] as const;

export function formatDay(result: DayResult): string {
  const { targetBytes, rows, checkpoints, bytes, mergedBytes, mostFiles, atMidnight } = result;
  const header =
    '| | files | median | smallest | largest | of the target or half of it and more |\n|---|---|---|---|---|---|';
  const lines = LINES.map(([name, , key]) => {
    const sizes = [...result[key]].sort((a, b) => a - b);
    const good = sizes.filter((size) => size >= targetBytes / 2 && size <= targetBytes).length;
    const kib = (size: number) => `${(size / 1024).toFixed(size < 10_240 ? 1 : 0)} KiB`;
    const median = sizes[Math.floor(sizes.length / 2)]!;
    return `| ${name} | ${sizes.length.toLocaleString('en')} | ${kib(median)} | ${kib(sizes[0]!)} | ${kib(sizes.at(-1)!)} | ${((good / sizes.length) * 100).toFixed(1)} % |`;
  });
  return [
    header,
    ...lines,
    '',
    `${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB, ${checkpoints.toLocaleString('en')} checkpoints; target ${(targetBytes / 1024).toFixed(0)} KiB`,
    `compaction wrote ${(mergedBytes / bytes).toFixed(2)} bytes for each byte of the job's; at most ${mostFiles} files were visible at once, ${atMidnight} at midnight`,
  ].join('\n');
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 60;
const BOTTOM = 44;
const TOP = 66;

/** How many files there are of which size, logarithmic. */
export function daySvg(result: DayResult): string {
  const counts = LINES.map(([, , key]) => countBySteps(result[key], result.targetBytes));
  const top = 10 ** Math.ceil(Math.log10(Math.max(...counts.flat())));
  const y = (count: number) =>
    HEIGHT - BOTTOM - (Math.log10(count) / Math.log10(top)) * (HEIGHT - BOTTOM - TOP);
  const step = (WIDTH - LEFT - 16) / STEPS.length;
  const bar = (step - 12) / LINES.length;
  const parts: string[] = [];
  for (let count = 1; count <= top; count *= 10) {
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(count)}" y2="${y(count)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${y(count) + 4}" text-anchor="end">${count.toLocaleString('en')}</text>`,
    );
  }
  for (const [i, label] of LABELS.entries())
    parts.push(
      `<text x="${LEFT + i * step + step / 2}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${label}</text>`,
    );
  parts.push(
    `<text x="${LEFT + (WIDTH - LEFT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">size of a file, up to this share of the target</text>`,
  );
  for (const [line, [name, colour, key]] of LINES.entries()) {
    parts.push(
      `<rect x="${LEFT}" y="${8 + line * 17}" width="10" height="10" fill="${colour}"/>`,
      `<text x="${LEFT + 16}" y="${17 + line * 17}">${name}: ${result[key].length.toLocaleString('en')} files</text>`,
    );
    for (const [i, count] of counts[line]!.entries()) {
      if (count === 0) continue;
      const height = Math.max(1, HEIGHT - BOTTOM - y(count));
      parts.push(
        `<rect x="${(LEFT + 6 + i * step + line * bar).toFixed(1)}" y="${(HEIGHT - BOTTOM - height).toFixed(1)}" width="${bar.toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"/>`,
      );
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">
<title>Files of a day by their size</title>
<rect width="100%" height="100%" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function countBySteps(sizes: Sizes, targetBytes: number): number[] {
  const counts = STEPS.map(() => 0);
  for (const size of sizes) {
    const at = STEPS.findIndex((share) => size <= share * targetBytes);
    counts[at === -1 ? STEPS.length - 1 : at]!++;
  }
  return counts;
}
