/**
 * The end of `.ci/run`: every test that failed, by name and with the first lines of its error, then
 * "N passed, N failed". Plain JavaScript, because it must also run where nothing could be installed.
 *
 * node scripts/ciSummary.mjs --tests FILE ... --runtimes FILE ...: results of Vitest's JSON reporter, and of
 * `npm run test:runtimes -- --json`. A test file that does not load, a hook that fails, and a file of results that is
 * missing, empty or broken count as one failed test each.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** Most lines of an error that are printed. */
const LINES = 12;

/**
 * @param {string} text An error's message, which may hold control characters, or nothing.
 * @returns {string} Its first lines, each behind four spaces.
 */
function firstLines(text) {
  const lines = (text ?? '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of terminals are what goes.
    .replace(/\x1b\[[0-9;]*m/g, '')
    .split('\n')
    .filter((line) => line.trim());
  return lines
    .slice(0, LINES)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Counts and failures of one half of the tests. */
function ofTests(results) {
  const failures = [];
  for (const file of results.testResults) {
    const name = relative(process.cwd(), file.name);
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed) {
      const title = [name, ...test.ancestorTitles, test.title].join(' > ');
      failures.push(`${title}\n${test.failureMessages.map(firstLines).join('\n')}`);
    }
    if (file.status === 'failed' && failed.length === 0) failures.push(`${name}\n${firstLines(file.message)}`);
  }
  return { passed: results.numPassedTests, failures };
}

/** Counts and failures of runtimes; one that had to run to its end and did not counts as one failure. */
function ofRuntimes({ passed, runtimes }) {
  const failures = runtimes.flatMap(({ name, results }) =>
    results
      .filter((result) => !result.ok)
      .map((result) => `${name}: ${result.name}\n${firstLines(result.message ?? `error ${result.error}`)}`),
  );
  for (const { name, status, reason, required } of runtimes)
    if (required && status !== 'passed' && status !== 'failed')
      failures.push(`${name}: ${status}\n${firstLines(reason)}`);
  return { passed, failures };
}

function read(file, of) {
  try {
    return of(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    return { passed: 0, failures: [`no results of a part of the tests\n${firstLines(error.message)}`] };
  }
}

const files = { tests: [], runtimes: [] };
let kind;
for (const argument of process.argv.slice(2))
  if (argument.startsWith('--')) kind = argument.slice(2);
  else files[kind].push(argument);

const parts = [
  ...files.tests.map((file) => read(file, ofTests)),
  ...files.runtimes.map((file) => read(file, ofRuntimes)),
];
const failures = parts.flatMap((part) => part.failures);
const passed = parts.reduce((sum, part) => sum + part.passed, 0);
if (failures.length > 0) console.log(`\n== failed\n${failures.join('\n')}\n`);
console.log(`${passed} passed, ${failures.length} failed`);
