/** The report of a run of all runtimes: a table for people, JSON for programs, the exit code. */
import type { TestResult } from './events.ts';
import type { Outcome } from './watch.ts';

/**
 * Whether an outcome fails the run: something wrong anywhere; a required runtime, or one asked for by name, that is
 * absent or broken.
 */
export function isFailure({ status, required }: Outcome): boolean {
  return status === 'failed' || (required && status !== 'passed');
}

/**
 * Tests that passed and failed, over all outcomes; a runtime that had to run to its end and did not counts as one
 * failed test.
 */
export function counts(outcomes: readonly Outcome[]): { passed: number; failed: number } {
  const results = outcomes.flatMap((outcome) => outcome.results);
  const broken = outcomes.filter((outcome) => isFailure(outcome) && outcome.status !== 'failed').length;
  return {
    passed: results.filter((result) => result.ok).length,
    failed: results.filter((result) => !result.ok).length + broken,
  };
}

/** The largest error of a group; undefined where it has none, Infinity where one could not be told. */
function worst(results: readonly TestResult[], group: TestResult['group']): number | undefined {
  const errors = results.filter((result) => result.group === group).map((result) => result.error ?? Infinity);
  return errors.length > 0 ? Math.max(...errors) : undefined;
}

function figure(error: number | undefined): string {
  return error === undefined ? '-' : error.toExponential(1);
}

/** The table, and below it why a runtime did not pass. */
export function table(outcomes: readonly Outcome[]): string {
  const head = ['runtime', 'version', 'adapter', 'passed', 'golden error', 'kernel error', 'time', ''];
  const rows = outcomes.map((outcome) => {
    const { name, version = '-', adapter = '-', tests, results, seconds, status } = outcome;
    const passed = tests ? `${results.filter((result) => result.ok).length}/${tests}` : '-';
    return [
      name,
      version,
      adapter,
      passed,
      figure(worst(results, 'golden')),
      figure(worst(results, 'kernel')),
      seconds ? `${seconds.toFixed(1)} s` : '-',
      status,
    ];
  });
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => (column > 2 && column < 7 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
  const notes = outcomes
    .filter((outcome) => outcome.reason !== undefined)
    .map((outcome) => `${outcome.name}: ${outcome.status}${outcome.required ? '' : ' (optional)'}: ${outcome.reason}`);
  return [...lines, ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

/** The same as plain JSON, every result included. */
export function json(outcomes: readonly Outcome[]): object {
  const runtimes = outcomes.map(({ results, ...outcome }) => ({
    ...outcome,
    goldenError: worst(results, 'golden') ?? null,
    kernelError: worst(results, 'kernel') ?? null,
    results,
  }));
  return { ...counts(outcomes), runtimes };
}
