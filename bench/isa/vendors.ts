/**
 * GPUs whose compilers run without the GPU: for each vendor Mesa's driver, the stub device that makes it start
 * (mesa-drm-shim), and which of its compiler's statistics say what a kernel costs.
 *
 * These are Mesa's compilers, not the vendors' own: if one of them spills registers, that is a strong hint; if all do,
 * it is a fact. Intel and Mali have no packaged stub.
 */

export interface Vendor {
  /** The GPUs that the driver compiles for. */
  gpu: string;
  /** The names in `lib{shim}_noop_drm_shim.so` and in the driver's manifest, `{manifest}_icd.json`. */
  shim: string;
  manifest: string;
  /** The environment variable that chooses a GPU of the family, and which by default. */
  chip?: { variable: string; default: string };
  /** Columns of the table, by the names that the compiler gives its statistics: registers first, spills second. */
  columns: readonly string[];
}

export const VENDORS: Record<string, Vendor> = {
  nvidia: {
    gpu: 'NVIDIA by NVK: 192 Ada (default), 172 Ampere, 162 Turing',
    shim: 'nouveau',
    manifest: 'nouveau',
    chip: { variable: 'NOUVEAU_CHIPSET', default: '192' },
    columns: [
      'Number of GPRs',
      'Spills to memory',
      'Fills from memory',
      'Max warps/SM',
      'Instruction count',
      'Static cycle count',
    ],
  },
  apple: {
    gpu: 'Apple M1 by Honeykrisp',
    shim: 'asahi',
    manifest: 'asahi',
    columns: ['GPRs', 'Spills', 'Fills', 'Threads', 'Instructions', 'ALU'],
  },
  adreno: {
    gpu: 'Qualcomm Adreno by Turnip: 740 (default), 660',
    shim: 'freedreno',
    manifest: 'freedreno',
    chip: { variable: 'FD_GPU_ID', default: '740' },
    columns: [
      'Registers used',
      'STP Count',
      'LDP Count',
      'Half-registers used',
      'Max Waves Per Core',
      'Instruction Count',
      'cat3 instructions',
    ],
  },
  amd: {
    gpu: 'AMD by RADV: navi31 (default), navi21, vega10',
    shim: 'amdgpu',
    manifest: 'radeon',
    chip: { variable: 'AMDGPU_GPU_ID', default: 'navi31' },
    columns: ['VGPRs', 'Spilled VGPRs', 'Subgroups per SIMD', 'LDS size', 'Instructions', 'VALU', 'VMEM', 'SMEM'],
  },
};

/** One implementation of one class of steps, compiled. */
export interface Compiled {
  class: string;
  implementation: string;
  /** Whether it runs where nothing was tuned. */
  isDefault: boolean;
  /** The class's share of a merge's multiply-adds. */
  share: number;
  program: string;
  /** Milliseconds that compiling its program took, once for all classes that share it. */
  ms: number;
  /** What the compiler says, by its own names. */
  statistics: Record<string, number>;
  /** Why it does not compile. */
  error?: string;
}

/** Registers that did not fit, by the vendor's name for them. */
export function spills({ columns }: Vendor, { statistics }: Compiled): number {
  return statistics[columns[1]] ?? 0;
}

/**
 * The table for people: one implementation per line, `*` before defaults.
 * @param least the smallest share that is shown
 */
export function tableText(vendor: Vendor, rows: readonly Compiled[], least = 0): string {
  const shown = rows.filter(({ share }) => share >= least);
  const cells = shown.map((row) => [
    row.class,
    `${row.isDefault ? '*' : ' '} ${row.implementation || '(one way)'}`,
    (100 * row.share).toFixed(1),
    ...(row.error ? [row.error] : vendor.columns.map((name) => String(row.statistics[name] ?? '-'))),
  ]);
  const table = [['class', '  implementation', 'share %', ...vendor.columns], ...cells];
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

/** How many implementations spill: of all, of the defaults, and the defaults' share of the multiply-adds. */
export function summaryText(vendor: Vendor, rows: readonly Compiled[]): string {
  const compiled = rows.filter(({ error }) => !error);
  const spilling = compiled.filter((row) => spills(vendor, row) > 0);
  const defaults = spilling.filter(({ isDefault }) => isDefault);
  const share = defaults.reduce((sum, row) => sum + row.share, 0);
  const failed = rows.length - compiled.length;
  return (
    `${spilling.length} of ${compiled.length} implementations spill, ${defaults.length} defaults among them ` +
    `(${(100 * share).toFixed(1)} % of the multiply-adds)${failed ? `; ${failed} do not compile` : ''}`
  );
}
