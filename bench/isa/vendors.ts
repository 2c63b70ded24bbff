/**
 * GPUs whose compilers run without the GPU: for each vendor Mesa's driver, the stub device that makes it start
 * (mesa-drm-shim), and which of its compiler's statistics say what a kernel costs.
 *
 * These are Mesa's compilers, not the vendors' own: if one of them spills registers, that is a strong hint; if all do,
 * it is a fact. README.md says what was tried for Intel and Mali.
 */
import type { DType } from '../../src/kernels/tensor.ts';
import type { Counts } from './counts.ts';

/** What is planned: the shipped network for three frames of 1000x1500, which are padded to multiples of 16. */
export const FRAMES = 3;
export const TILE = { width: 1008, height: 1504 };

export interface Vendor {
  /** The names in `lib{shim}_noop_drm_shim.so` and in the driver's manifest, `{manifest}_icd.json`. */
  shim: string;
  manifest: string;
  /** The environment variable that chooses a GPU of the family. */
  variable?: string;
  /** The values of the variable that `all` compiles for, the default first, with the GPUs' names. */
  chips: readonly (readonly [value: string, gpu: string])[];
  precisions: readonly DType[];
  /** What makes the driver print its code, if the layer cannot ask for it. */
  environment?: string;
  /** Fields of the adapter that a real device has, where the stub's differ. */
  seen?: Partial<GPUAdapterInfo>;
  /** Columns of the table, by the names that the compiler gives its statistics: registers first, spills second. */
  columns: readonly string[];
  /** The column of waves, warps or threads that fit at once. */
  occupancy: string;
  /** A default with less occupancy than this needs a reason (reasons.ts). */
  leastOccupancy?: number;
}

export const VENDORS: Record<string, Vendor> = {
  nvidia: {
    shim: 'nouveau',
    manifest: 'nouveau',
    variable: 'NOUVEAU_CHIPSET',
    chips: [
      ['192', 'Ada'],
      ['162', 'Turing'],
    ],
    // NVK's stub offers no shader-f16.
    precisions: ['f32'],
    columns: [
      'Number of GPRs',
      'Spills to memory',
      'Fills from memory',
      'Max warps/SM',
      'Instruction count',
      'Static cycle count',
    ],
    occupancy: 'Max warps/SM',
    leastOccupancy: 8,
  },
  apple: {
    shim: 'asahi',
    manifest: 'asahi',
    chips: [['m1', 'M1']],
    precisions: ['f32', 'f16'],
    environment: 'AGX_MESA_DEBUG=shaders',
    seen: { vendor: 'apple', architecture: 'metal-3' },
    columns: ['GPRs', 'Spills', 'Fills', 'Threads', 'Instructions', 'ALU'],
    occupancy: 'Threads',
    leastOccupancy: 384,
  },
  adreno: {
    shim: 'freedreno',
    manifest: 'freedreno',
    variable: 'FD_GPU_ID',
    chips: [
      ['740', 'Adreno 740'],
      ['660', 'Adreno 660'],
    ],
    precisions: ['f32', 'f16'],
    columns: [
      'Registers used',
      'STP Count',
      'LDP Count',
      'Half-registers used',
      'Max Waves Per Core',
      'Instruction Count',
      'cat3 instructions',
    ],
    occupancy: 'Max Waves Per Core',
  },
  amd: {
    shim: 'amdgpu',
    manifest: 'radeon',
    variable: 'AMDGPU_GPU_ID',
    chips: [
      ['navi31', 'RDNA 3'],
      ['navi21', 'RDNA 2'],
      ['vega10', 'GCN 5'],
    ],
    precisions: ['f32', 'f16'],
    columns: ['VGPRs', 'Spilled VGPRs', 'Subgroups per SIMD', 'LDS size', 'Instructions', 'VALU', 'VMEM', 'SMEM'],
    occupancy: 'Subgroups per SIMD',
  },
};

/** One GPU and one precision: what one process compiles for. */
export interface Target {
  vendor: string;
  chip: string;
  precision: DType;
  /** Whether Dawn's checks of accesses and divisions are off, as with `requestDevice({ robustness: false })`. */
  unchecked?: boolean;
}

/** `amd navi31 f32` */
export function targetName({ vendor, chip, precision, unchecked }: Target): string {
  return `${vendor} ${chip} ${precision}${unchecked ? ' unchecked' : ''}`;
}

/** Every chip of every vendor, in each precision that its stub offers. */
export function allTargets(): Target[] {
  return Object.entries(VENDORS).flatMap(([vendor, { chips, precisions }]) =>
    chips.flatMap(([chip]) => precisions.map((precision) => ({ vendor, chip, precision }))),
  );
}

/** One implementation of one class of steps, compiled. */
export interface Compiled {
  class: string;
  implementation: string;
  /** Whether it runs where nothing was tuned. */
  isDefault: boolean;
  /** The class's share of a merge's multiply-adds. */
  share: number;
  program: string;
  workgroupBytes: number;
  /** Milliseconds that compiling its program took, once for all classes that share it. */
  ms: number;
  /** What the compiler says, by its own names. */
  statistics: Record<string, number>;
  /** Why it does not compile. */
  error?: string;
  /** Instructions for each multiply-add; absent where there are none. */
  counts?: Counts;
  /** Why they could not be counted. */
  uncounted?: string;
}

/** What one process found. */
export interface Report extends Target {
  /** The driver with its version. */
  compiler: string;
  rows: Compiled[];
}

/** Registers that did not fit, by the vendor's name for them. */
export function spills({ columns }: Vendor, { statistics }: Pick<Compiled, 'statistics'>): number {
  return statistics[columns[1]] ?? 0;
}

/** The table's last columns: instructions for each multiply-add. */
const COUNTED: readonly (readonly [title: string, count: keyof Counts])[] = [
  ['arith/MA', 'arithmetic'],
  ['all/MA', 'all'],
  ['loads/MA', 'loads'],
  ['MA/MA', 'products'],
];

/**
 * The table for people: one implementation per line, `*` before defaults.
 * @param least the smallest share that is shown
 */
export function tableText(vendor: Vendor, rows: readonly Compiled[], least = 0): string {
  const shown = rows.filter(({ share }) => share >= least);
  const figures = (row: Compiled): string[] => [
    ...vendor.columns.map((name) => String(row.statistics[name] ?? '-')),
    ...COUNTED.map(([, count]) => row.counts?.[count].toFixed(3) ?? '-'),
  ];
  const cells = shown.map((row) => [
    row.class,
    `${row.isDefault ? '*' : ' '} ${row.implementation || '(one way)'}`,
    (100 * row.share).toFixed(1),
    ...(row.error ? [row.error] : figures(row)),
  ]);
  const titles = ['class', '  implementation', 'share %', ...vendor.columns, ...COUNTED.map(([title]) => title)];
  const table = [titles, ...cells];
  const widths = table[0].map((_, c) =>
    Math.max(...table.map((line) => (line.length === table[0].length ? line[c].length : 0))),
  );
  return table
    .map((line) =>
      line
        .map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
