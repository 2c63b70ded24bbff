/**
 * Disassembled programs: what each instruction is, and where the loops are. One **dialect** per compiler reads its
 * text. Only what the tables count is told apart; nothing here knows what an instruction computes.
 */

/**
 * What an instruction does. `alu`: arithmetic of every invocation, integers and moves included. `uniform`: arithmetic
 * once for all invocations (AMD's scalar unit, NVIDIA's uniform one, Adreno's shared registers). `matrix`: matrix
 * units. `load`: from buffers and textures, scalar ones too. `shared`: loads from workgroup memory. `store`: to either.
 * `spill`: registers saved to memory or loaded from it. `other`: branches, barriers, waits.
 */
export type Kind = 'alu' | 'uniform' | 'matrix' | 'load' | 'shared' | 'store' | 'spill' | 'other';

/** An instruction. */
export interface Instruction {
  kind: Kind;
  /** How often the hardware repeats it. */
  times: number;
  /** The multiply-adds that one invocation gets done, each time: 2 for packed halves. */
  multiplies: number;
}

/** A disassembled program, or one of its loops. */
export interface CodeLoop {
  /** Without those of the loops inside. */
  instructions: Instruction[];
  /** In the order of their first instructions. */
  loops: CodeLoop[];
}

/** A line of code, as a dialect reads it. */
interface Line extends Partial<Instruction> {
  /** The name by which branches refer to the next instruction, or to this one. */
  label?: string;
  /** The label that it may jump to. */
  target?: string;
  /** Whether the next instruction never follows. */
  ends?: boolean;
}

/** How one compiler writes its code. */
export interface Dialect {
  /** The lines that run for every invocation. */
  lines(text: string): string[];
  /** What a line says; undefined if it is neither an instruction nor a label. */
  read(line: string): Line | undefined;
}

/** The text after the line that begins with `title`, up to the next representation. */
function section(text: string, title: string): string[] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith(`=== ${title}`));
  if (from < 0) return [];
  const length = lines.slice(from + 1).findIndex((line) => line.startsWith('=== '));
  return lines.slice(from + 1, length < 0 ? undefined : from + 1 + length);
}

/** An instruction of one of the kinds whose pattern its name matches, the first of them; `alu` if none does. */
function kindOf(name: string, patterns: readonly (readonly [Kind, RegExp])[]): Kind {
  return patterns.find(([, pattern]) => pattern.test(name))?.[0] ?? 'alu';
}

const ACO_KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['matrix', /^v_(wmma|swmmac|mfma)/],
  // Vector registers are spilled to scratch memory, scalar ones to lanes, and some to unused workgroup memory.
  ['spill', /^(scratch_|ds_\w+_addtid|v_(read|write)lane)/],
  ['load', /^(s_(buffer_)?load|(buffer|global|flat|image|tbuffer)_(load|msaa|sample))/],
  ['shared', /^ds_(load|read)/],
  ['store', /^((buffer|global|flat|image|tbuffer)_(store|atomic)|ds_)/],
  ['other', /^s_(wait|delay|clause|nop|c?branch|barrier|endpgm|sendmsg|set|sleep|icache|dcache|inst|buffer_gl|code)/],
  ['other', /^(buffer|global)_(gl|wb|inv)/],
  ['uniform', /^s_/],
];

/** RADV's ACO, disassembled by LLVM: AMD's own names. */
export const ACO: Dialect = {
  lines: (text) => section(text, 'Assembly'),
  read(line) {
    const label = /^(BB\d+):/.exec(line)?.[1];
    if (label) return { label };
    const code = /^\t([a-z]\w*)([^;]*)/.exec(line);
    if (!code) return undefined;
    const [, name, operands] = code;
    // A dual instruction has its second half after `::`.
    const names = [name, ...[...operands.matchAll(/::\s*(\w+)/g)].map((match) => match[1])];
    const multiplies = names.reduce((sum, one) => {
      if (!/^v_(dual_|pk_)?(fma|mad|mac)\w*_f(16|32)/.test(one) && !/^v_fma_mix/.test(one)) return sum;
      return sum + (one.startsWith('v_pk_') ? 2 : 1);
    }, 0);
    const target = /branch/.test(name) ? /BB\d+/.exec(operands)?.[0] : undefined;
    const ends = name === 's_branch' || name === 's_endpgm';
    return { kind: kindOf(name, ACO_KINDS), times: 1, multiplies, target, ends };
  },
};

const NAK_KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['matrix', /^[hi]mma/],
  ['spill', /^(ld|st)\.local/],
  ['shared', /^(ld\.shared|lds|ldsm)/],
  ['load', /^(ld\.|ldc|ldg|tex|tld|suld)/],
  ['store', /^(st\.|stg|sts|sust|atom|red\.)/],
  ['other', /^(bra|exit|nop|bssy|bsync|bclear|bmov|break|bar|membar|warpsync|yield|depbar|s2r|cs2r|s2ur|errbar|ccctl)/],
];

/** NVK's NAK. Results stand before the name: `r1 = ffma.ftz r10 r6 r1 // delay=1`. */
export const NAK: Dialect = {
  lines: (text) => section(text, 'NAK assembly'),
  read(line) {
    const label = /^block\S* \d+ (L\d+) /.exec(line)?.[1];
    if (label) return { label };
    const code = /^(@\S+)?\s+(?:([^=]*?)\s+= )?([a-z]\S*)([^/]*)\/\/ delay=/.exec(line);
    if (!code) return undefined;
    const [, condition, results = '', name, operands] = code;
    const kind = kindOf(name, NAK_KINDS);
    const multiplies = name.startsWith('ffma') ? 1 : name.startsWith('hfma2') ? 2 : 0;
    const target = name.startsWith('bra') ? /L\d+/.exec(operands)?.[0] : undefined;
    return {
      kind: kind === 'alu' && /^u/.test(results) ? 'uniform' : kind,
      times: 1,
      multiplies,
      target,
      // `bra pT` always jumps, `bra !up0` not.
      ends: !condition && (name === 'exit' || (target !== undefined && /^ pT /.test(operands))),
    };
  },
};

const IR3_KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['spill', /^(ldp|stp)/],
  ['shared', /^(ldl|ldlw)\b/],
  ['load', /^(isam|sam|ldib|ldg|ldc|ldib|gather)/],
  ['store', /^(stib|stg|stl|stlw|stc|atomic)/],
  ['other', /^(nop|br|bra\w*|jump|end|call|ret|shps|shpe|getone|bar|fence|pred[tfe]|alias|resinfo|sleep|elect|kill)/],
];

/** Turnip's ir3. `(rpt3)` repeats an instruction three more times. */
export const IR3: Dialect = {
  lines(text) {
    const all = section(text, 'IR3 Assembly');
    // Between `shps` and `shpe` is what runs once per dispatch.
    const [from, to] = [/\bshps\b/, /\bshpe\b/].map((mark) => all.findIndex((line) => mark.test(line)));
    return from < 0 ? all : [...all.slice(0, from), ...all.slice(to + 1)];
  },
  read(line) {
    const label = /^(l\d+):/.exec(line)?.[1];
    if (label) return { label };
    const code = /^((?:\([a-z]+\d*\)\s*)*)([a-z][\w.]*)(.*)$/.exec(line);
    if (!code || /^(Native|;|@)/.test(line)) return undefined;
    const [, flags, name, operands] = code;
    const kind = kindOf(name, IR3_KINDS);
    const times = 1 + Number(/\(rpt(\d)\)/.exec(flags)?.[1] ?? 0);
    // Registers from 48 on, and the predicates written `up`, are shared by all invocations.
    const isUniform = kind === 'alu' && /^\s*(\([a-z]+\d*\))*(h?r(4[89]|5\d)\.|up|a[01]\.)/.test(operands);
    const target = /^(br|jump)/.test(name) ? /#(l\d+)/.exec(operands)?.[1] : undefined;
    return {
      kind: isUniform ? 'uniform' : kind,
      times,
      multiplies: /^mad\.f(16|32)/.test(name) ? 1 : 0,
      target,
      ends: name === 'jump' || name === 'end',
    };
  },
};

const AGX_KINDS: readonly (readonly [Kind, RegExp])[] = [
  ['matrix', /simd_matrix/],
  ['spill', /^stack_/],
  ['shared', /^lload/],
  ['load', /^(load|device_load|texture_(load|sample)|image_load)/],
  ['store', /^(store|lstore|atomic|latomic|image_write)/],
  ['other', /^(wait|jmp|if|else|while|pop_exec|push_exec|stop|barrier|nop|get_sr|trap|logical_end|fence|doorbell)/],
];

/** Honeykrisp's compiler. Its last form has addresses: `1144: 00c0fceeffff jmp_any -4356` jumps 4356 bytes back. */
export const AGX: Dialect = {
  lines(text) {
    // The main program, the preamble, and programs of the driver: each begins at 0. The main program is the longest.
    const programs: string[][] = [];
    for (const line of text.split('\n')) {
      const address = /^\s*([0-9a-f]+): [0-9a-f]+\s/.exec(line)?.[1];
      if (address === undefined) continue;
      if (address === '0') programs.push([]);
      programs.at(-1)?.push(line);
    }
    return programs.reduce((a, b) => (b.length > a.length ? b : a), []);
  },
  read(line) {
    const code = /^\s*([0-9a-f]+): [0-9a-f]+\s+([a-z]\w*)(.*)$/.exec(line);
    if (!code) return undefined;
    const [, address, name, operands] = code;
    const offset = name.startsWith('jmp') ? Number(operands) : NaN;
    const target = Number.isNaN(offset) ? undefined : String(parseInt(address, 16) + offset);
    return {
      label: String(parseInt(address, 16)),
      kind: kindOf(name, AGX_KINDS),
      times: 1,
      multiplies: /^h?ffma/.test(name) ? 1 : 0,
      target,
      ends: name === 'stop',
    };
  },
};

/** By vendor (vendors.ts). */
export const DIALECTS: Record<string, Dialect> = { nvidia: NAK, apple: AGX, adreno: IR3, amd: ACO };

/** A program's instructions in sequences without jumps, and which may follow each. */
interface Block {
  instructions: Instruction[];
  next: number[];
}

function readBlocks(dialect: Dialect, text: string): Block[] {
  const blocks: Block[] = [{ instructions: [], next: [] }];
  const labels = new Map<string, number>();
  const targets: (string | undefined)[] = [];
  const ended = new Set<number>();
  let isDone = false;
  for (const line of dialect.lines(text)) {
    const { label, kind, times = 1, multiplies = 0, target, ends } = dialect.read(line) ?? {};
    const last = blocks.length - 1;
    if ((label !== undefined || (kind && isDone)) && blocks[last].instructions.length > 0)
      blocks.push({ instructions: [], next: [] });
    if (label !== undefined) labels.set(label, blocks.length - 1);
    if (!kind) continue;
    const at = blocks.length - 1;
    blocks[at].instructions.push({ kind, times, multiplies });
    isDone = target !== undefined || ends === true;
    targets[at] = target;
    if (ends) ended.add(at);
  }
  blocks.forEach(({ next }, i) => {
    const target = targets[i];
    if (target !== undefined) {
      const to = labels.get(target);
      if (to === undefined) throw new Error(`a branch goes to ${target}, which is not in the code`);
      next.push(to);
    }
    if (!ended.has(i) && i + 1 < blocks.length) next.push(i + 1);
  });
  return blocks;
}

/** The blocks of each loop by its first one: those from which a branch back to it can be reached. */
function naturalLoops(blocks: readonly Block[]): Map<number, Set<number>> {
  const before = blocks.map((): number[] => []);
  const loops = new Map<number, Set<number>>();
  const backEdges: [from: number, to: number][] = [];
  // 1: on the path that is walked; 2: done.
  const state = new Uint8Array(blocks.length);
  const path: { block: number; edge: number }[] = [{ block: 0, edge: 0 }];
  state[0] = 1;
  while (path.length > 0) {
    const top = path.at(-1)!;
    const to = blocks[top.block].next[top.edge++];
    if (to === undefined) {
      state[top.block] = 2;
      path.pop();
      continue;
    }
    if (state[to] === 1) backEdges.push([top.block, to]);
    else before[to].push(top.block);
    if (state[to] === 0) {
      state[to] = 1;
      path.push({ block: to, edge: 0 });
    }
  }
  for (const [from, to] of backEdges) {
    const members = loops.get(to) ?? new Set([to]);
    loops.set(to, members);
    for (const queue = [from]; queue.length > 0; ) {
      const block = queue.pop()!;
      if (members.has(block)) continue;
      members.add(block);
      queue.push(...before[block]);
    }
  }
  return loops;
}

/**
 * Reads a disassembled program, as a tree of loops. @throws if the text holds no code in this dialect, or a branch to
 * nowhere.
 */
export function readListing(dialect: Dialect, text: string): CodeLoop {
  const blocks = readBlocks(dialect, text);
  if (blocks[0].instructions.length === 0) throw new Error('the driver gave no code');
  const root: CodeLoop = { instructions: [], loops: [] };
  // Outer loops first.
  const found = [...naturalLoops(blocks)]
    .map(([first, members]) => ({ first, members, loop: { instructions: [], loops: [] } as CodeLoop }))
    .sort((a, b) => b.members.size - a.members.size);
  const innermost = blocks.map(() => root);
  for (const { first, members, loop } of found) {
    innermost[first].loops.push(loop);
    members.forEach((block) => (innermost[block] = loop));
  }
  const firsts = new Map(found.map(({ first, loop }) => [loop, first]));
  for (const { loop } of [...found, { loop: root }]) loop.loops.sort((a, b) => firsts.get(a)! - firsts.get(b)!);
  blocks.forEach(({ instructions }, i) => innermost[i].instructions.push(...instructions));
  return root;
}
