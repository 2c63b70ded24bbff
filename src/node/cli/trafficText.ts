/** What `deghost plan` says of the bytes that a merge and its alignment move. */
import type { AlignmentPlan } from '../../align/traffic.ts';
import { bytesText } from '../../bytesText.ts';
import { trafficSum } from '../../model/traffic.ts';
import type { ScheduleTraffic, Traffic } from '../../model/traffic.ts';
import { columns } from './columns.ts';

/** Bytes moved, in decimal units as data sheets have them. */
function moved(bytes: number): string {
  return bytes >= 1e8 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function row(what: string, { dispatches, bytesRead, bytesWritten }: Traffic): string[] {
  return [what, `${dispatches}`, moved(bytesRead), moved(bytesWritten), moved(bytesRead + bytesWritten)];
}

/** Bytes moved as tables: of each stage by kind of program, and of an alignment by its parts. */
export function trafficText({ bytes, stages }: ScheduleTraffic, alignment: AlignmentPlan): string {
  const { parts, peakBytes, resamplingBytes } = alignment;
  const merge = trafficSum(stages);
  const aligning = trafficSum(parts);
  const rows = [
    ['bytes moved', 'dispatches', 'read', 'written', 'both'],
    ...stages.flatMap((stage) => [
      row(stage.name, stage),
      ...stage.kinds.map(({ kind, ...traffic }) => row(`  ${kind}`, traffic)),
    ]),
    row('the whole merge', merge),
    row('aligning frames taken by hand', aligning),
    ...parts.map(({ part, ...traffic }) => row(`  ${part}`, traffic)),
  ];
  return [
    ...columns(rows, (column) => column === 0),
    `aligning moves ${((100 * alignment.bytes) / bytes).toFixed(2)} % of the merge's bytes; it takes ` +
      `${bytesText(peakBytes)} of GPU buffers before the merge begins, and ${bytesText(resamplingBytes)} while it runs`,
  ].join('\n');
}
