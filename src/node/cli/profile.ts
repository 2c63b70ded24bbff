/** `deghost merge --profile`: where the time went, as a table and as data. */
import { basename } from 'node:path';
import { shown } from '../../shown.ts';
import { gflops } from '../../profile.ts';
import type { MergeProfile, StageProfile } from '../../profile.ts';
import { columns } from './columns.ts';
import type { EngineTimes } from './engine.ts';

/** Wall times of all phases, which follow one after another; all in milliseconds. */
export interface CommandProfile {
  /** Starting Node and loading modules, before the command began. */
  startMs: number;
  /** Checking the command line, reading weights, finding the adapter. */
  checkMs: number;
  /** Reading pictures and maps. */
  readMs: number;
  /** Preparing the engine, meanwhile and until the merge began. */
  engine: EngineTimes;
  /** Waiting for the device after that. */
  waitMs: number;
  merge: MergeProfile;
  writeMs: number;
  /** Time for each file; they are written at the same time. */
  files: { file: string; ms: number }[];
  /** From the start of the process. */
  totalMs: number;
}

const STAGES: Record<StageProfile['name'], string> = {
  segmentation: 'finding motion',
  fusion: 'merging',
  merge: 'merging',
};

const seconds = (ms: number): string => (ms / 1000).toFixed(2);

/** Time during which the GPU computed: by its timestamps, or else by the time it had work. */
function gpuMs(stage: StageProfile): number {
  return stage.computeMs ?? stage.busyMs;
}

function stageNote(stage: StageProfile): string {
  const { prepareMs, sendMs, pasteMs, cutMs, takeMs, submissions, busyMs } = stage;
  const gpu =
    stage.computeMs === null
      ? `GPU busy ${seconds(busyMs)}`
      : `GPU: compute ${seconds(stage.computeMs)}, cut ${seconds(cutMs!)}, take ${seconds(takeMs!)}`;
  return (
    `${gpu}; CPU meanwhile: prepare ${seconds(prepareMs)}, send ${seconds(sendMs)}, paste ${seconds(pasteMs)}; ` +
    `${submissions} submissions`
  );
}

/** The profile as a readable table. */
export function profileText(profile: CommandProfile): string {
  const { merge, engine } = profile;
  const compiled = engine.compiledMs === undefined ? '' : `, and everything compiled in ${seconds(engine.compiledMs)}`;
  const rows: [string, number, string][] = [
    ['starting up', profile.startMs, ''],
    ['checking, weights, adapter', profile.checkMs, ''],
    [
      'reading pictures',
      profile.readMs,
      engine.openedMs === undefined ? '' : `meanwhile the device was opened in ${seconds(engine.openedMs)}${compiled}`,
    ],
    ['waiting for the device', profile.waitMs, ''],
    ['camera response', merge.responseMs, ''],
    ['remaining compilation', merge.compileMs, ''],
    ...merge.stages.map((stage): [string, number, string] => [
      `${STAGES[stage.name]}, ${stage.tiles} ${stage.tiles === 1 ? 'tile' : 'tiles'}`,
      stage.ms,
      stageNote(stage),
    ]),
    [
      'writing',
      profile.writeMs,
      profile.files.map(({ file, ms }) => `${shown(basename(file))} ${seconds(ms)}`).join(', '),
    ],
  ];
  const rest = profile.totalMs - rows.reduce((sum, [, ms]) => sum + ms, 0);
  const computed = merge.stages.reduce((sum, stage) => sum + gpuMs(stage), 0);
  rows.push(['everything else', rest, '']);
  rows.push([
    'total',
    profile.totalMs,
    `the GPU computed for ${seconds(computed)} of this; the rest is ${seconds(profile.totalMs - computed)}`,
  ]);
  const lines = [
    'where the time went, in seconds',
    ...columns(
      rows.map(([name, ms]) => [name, seconds(ms)]),
      (c) => c < 1,
    ).map((line, i) => `  ${line}${rows[i][2] && `   ${rows[i][2]}`}`),
  ];
  if (!merge.timestamps) lines.push('this adapter has no timestamps: there are no times by operation');
  for (const stage of merge.stages) {
    const whole = stage.computeMs ?? 0;
    const table = [
      ['operation', 'program', 'dispatches', 'GPU ms', 'share', 'GFLOP/s'],
      ...stage.programs.map((row) => [
        row.op,
        row.program,
        `${row.dispatches}`,
        row.ms?.toFixed(1) ?? '-',
        row.ms === null ? '-' : `${((100 * row.ms) / Math.max(whole, 1e-9)).toFixed(1)} %`,
        gflops(row)?.toFixed(1) ?? '-',
      ]),
    ];
    lines.push('', STAGES[stage.name], ...columns(table, (c) => c < 2).map((line) => `  ${line}`));
  }
  return lines.join('\n');
}
