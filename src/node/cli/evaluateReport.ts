/** The output of `deghost evaluate`: tables as stacks are finished, means at the end, JSON. */
import { meanFigures } from '../evaluate/figures.ts';
import type { Figures } from '../evaluate/figures.ts';
import { summarizeHarm } from '../evaluate/harm.ts';
import type { Harm, HarmSummary } from '../evaluate/harm.ts';
import { harmSummaryText, harmText, tableText } from '../evaluate/table.ts';

export interface Row {
  name: string;
  figures: Figures;
}

/** What is known about a stack once it is judged. */
export interface Report {
  name: string;
  path: string;
  width: number;
  height: number;
  frames: { file: string; exposure: number }[];
  reference: number;
  /** Null without a ground truth. */
  truth: { file: string; scale: number; residual: number | null } | null;
  weights: string;
  response: string;
  /** Figures against the truth; empty without a truth. */
  rows: Row[];
  harm: Harm;
}

/** A stack's tables: against the truth if it has one, and its harm. */
export function stackText({ name, truth, rows, harm }: Report): string {
  const tables = truth ? [tableText(`${name} (truth x ${truth.scale.toPrecision(4)})`, rows)] : [];
  return `${[...tables, harmText(`${name}, harm`, harm)].join('\n\n')}\n\n`;
}

/** Means of the rows over the stacks that have them; `merge, truth` covers only the stacks with true maps. */
function meanRows(reports: readonly Report[]): Row[] {
  const names = [...new Set(reports.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  return names.map((name) => ({
    name,
    figures: meanFigures(
      reports.flatMap(({ rows }) => rows.filter((row) => row.name === name).map((row) => row.figures)),
    ),
  }));
}

/** The tables over all stacks; empty for one. */
export function summaryText(reports: readonly Report[]): string {
  const judged = reports.filter(({ truth }) => truth).length;
  const tables = judged > 1 ? [tableText(`mean of ${judged} stacks`, meanRows(reports))] : [];
  if (reports.length > 1) tables.push(harmSummaryText(summarizeHarm(reports.map(({ harm }) => harm))));
  return tables.map((table) => `${table}\n`).join('\n');
}

const byName = <T>(rows: readonly ({ name: string } & T)[]): object =>
  Object.fromEntries(rows.map(({ name, ...rest }) => [name, rest]));
const figuresByName = (rows: readonly Row[]): object =>
  Object.fromEntries(rows.map(({ name, figures }) => [name, figures]));

function harmJson({ pictures, still, ...rest }: Harm): object {
  return {
    ...byName(pictures.map(({ cast, ...picture }) => ({ ...picture, cast: cast ?? null }))),
    ...rest,
    still: still ?? null,
  };
}

function summaryJson({ pictures, ...rest }: HarmSummary): object {
  return { ...byName(pictures), ...rest };
}

/**
 * Figures that do not exist (no true motion, nothing known to stand still) or are infinite (equal pictures) are null.
 */
export function reportJson(
  reports: readonly Report[],
  about: {
    adapter: string;
    precision: string;
    peakLuminance: number;
    leftOut: string[];
    failed: { name: string; reason: string }[];
  },
): object {
  return {
    ...about,
    mean: figuresByName(meanRows(reports)),
    harm: summaryJson(summarizeHarm(reports.map(({ harm }) => harm))),
    stacks: reports.map(({ rows, harm, ...rest }) => ({ ...rest, rows: figuresByName(rows), harm: harmJson(harm) })),
  };
}
