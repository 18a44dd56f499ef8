// Adds up vitest's JSON reports: `node .ci/sum.mjs <failed steps> <run>...`, a run being `<run>.json` (the report) and
// `<run>.status` (what vitest ended with). The last line is `N passed, N failed`.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const [failedSteps, ...runs] = process.argv.slice(2);
let passed = 0;
let failed = Number(failedSteps);

for (const run of runs) {
  const { passedTests, skippedTests, problems } = judge(run);
  console.log(
    `${path.basename(run)}: ${passedTests} passed, ${problems.length} failed, ${skippedTests} skipped`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  passed += passedTests;
  failed += problems.length;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && runs.length > 0 ? 0 : 1;

/** Every problem counts as one failed test, so that nothing that went wrong sums up to `0 failed`. */
function judge(run) {
  const report = readJson(`${run}.json`);
  if (report === null)
    return { passedTests: 0, skippedTests: 0, problems: ['no report: it did not get to its end'] };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const problems = [
    ...tests.filter(({ status }) => status === 'failed').map(({ fullName }) => `failed: ${fullName}`),
    ...report.testResults.filter(isBroken).map(({ name }) => `failed to run: ${name}`),
    ...skipped.filter(needsPython).map(({ fullName }) => `skipped though pyarrow is there: ${fullName}`),
  ];
  const passedTests =
    tests.length - skipped.length - tests.filter(({ status }) => status === 'failed').length;
  if (passedTests === 0) problems.push('not one test passed');
  if (problems.length === 0 && readJson(`${run}.status`) !== 0)
    problems.push('vitest failed without a failed test');
  return { passedTests, skippedTests: skipped.length, problems };
}

/** A file that does not load has no tests that could fail. */
function isBroken({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

/** Where pyarrow is installed, a test that does without it proves nothing. */
function needsPython({ fullName }) {
  return process.env.SLUICE_PYTHON !== undefined && /pyarrow/i.test(fullName);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
