// Loaded into a measured process by --require: says at its end what the whole process took, threads included.
// Plain JavaScript and CommonJS: node loads it into each thread too, where a module, or TypeScript, would have taken 30 ms
// of the figure.
const { readFileSync, writeFileSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');

const target = process.env.SLUICE_BENCH_USAGE;
if (isMainThread && target !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    writeFileSync(
      target,
      JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakRssBytes: peakRss(maxRSS) }),
    );
  });
}

/** ru_maxrss begins at what the parent held when it forked; VmHWM is this program's own. Bytes. */
function peakRss(maxRssKiB) {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match !== null) return Number(match[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return maxRssKiB * 1024;
}
