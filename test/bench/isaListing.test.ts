/**
 * What four compilers made of one small program: instructions are told apart, loops found and paired with the source's.
 * The expected counts were taken by hand from the saved code: in a round of the outer loop 16 rounds that copy a value
 * to workgroup memory, and six products.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countsOf } from '../../bench/isa/counts.ts';
import { ACO, AGX, DIALECTS, IR3, NAK, readListing } from '../../bench/isa/listing.ts';
import type { CodeLoop, Dialect } from '../../bench/isa/listing.ts';
import { roundsOf, sourceLoops, workgroupBytes } from '../../bench/isa/loops.ts';

const file = (name: string): string => readFileSync(new URL(`listings/${name}`, import.meta.url), 'utf8');
const PROGRAM = file('program.wgsl');
const BLOCKS = 8;
const params = { blocks: BLOCKS, plane: 1024 };

describe('four compilers, one program', () => {
  const expected = {
    // Once: the params' descriptor, the params, the output's descriptor. A round: three weights' loads; 16 times a
    // descriptor and a value.
    amd: { loads: 3 + BLOCKS * (3 + 16 * 2), shared: 3 * BLOCKS },
    // A round: the count, the plane and four parts of addresses, six weights; 16 times a value.
    nvidia: { shared: 6 * BLOCKS },
    // Weights come four at a time, values of workgroup memory three at a time.
    adreno: { loads: BLOCKS * (2 + 16), shared: 2 * BLOCKS },
    apple: { loads: 16 + BLOCKS * (6 + 16), shared: 6 * BLOCKS },
  };

  it.each(Object.entries(expected))('%s: counts of one invocation', (vendor, wanted) => {
    const code = readListing(DIALECTS[vendor], file(`${vendor}.txt`));
    const rounds = roundsOf(sourceLoops(PROGRAM, params, 64), code)!;
    expect([...rounds.values()]).toEqual([1, BLOCKS, BLOCKS * 16]);
    const counts = countsOf(rounds, 1);
    expect(counts).toMatchObject(wanted);
    // The inner loop, unrolled or not: three rounds of two products.
    expect(counts.products).toBe(6 * BLOCKS);
    // The copies, the output, and what clears the memory beforehand: 4 KiB, 16 bytes at a time.
    expect(counts.stores).toBeGreaterThanOrEqual(16 * BLOCKS + 1 + 4);
    expect(counts.stores).toBeLessThanOrEqual(16 * BLOCKS + 1 + 5);
    const { arithmetic, uniform, matrix, loads, shared, stores, spills } = counts;
    expect(counts.all).toBeGreaterThan(arithmetic + uniform + matrix + loads + shared + stores + spills);
    expect(arithmetic).toBeGreaterThan(counts.products);
    expect(countsOf(rounds, 48).products).toBe(1);
  });

  it('more rounds cost more, those of the inner loop most', () => {
    const code = readListing(ACO, file('amd.txt'));
    const all = (blocks: number): number =>
      countsOf(roundsOf(sourceLoops(PROGRAM, { ...params, blocks }, 64), code)!, 1).loads;
    expect(all(9) - all(8)).toBe(3 + 16 * 2);
  });
});

describe('instructions', () => {
  const read = (dialect: Dialect, title: string, lines: readonly string[]): CodeLoop =>
    readListing(dialect, [title, ...lines].join('\n'));
  const kinds = ({ instructions }: CodeLoop): string[] => instructions.map(({ kind }) => kind);
  const products = ({ instructions }: CodeLoop): number[] =>
    instructions.map(({ times, multiplies }) => times * multiplies);

  it('AMD: packed halves, dual instructions, matrix units, spills', () => {
    const code = read(ACO, '=== Assembly', [
      'BB0:',
      '\tv_pk_fma_f16 v1, v2, v3, v1                       ; cc0e4001',
      '\tv_dual_fmac_f32 v4, s16, v8 :: v_dual_fmac_f32 v5, s17, v9 ; c8000000',
      '\tv_dual_fmac_f32 v4, s16, v8 :: v_dual_mov_b32 v5, v9 ; c8000000',
      '\tv_fma_mix_f32 v4, v1, v2, v4 op_sel_hi:[1,1,0]',
      '\tv_mad_f32 v1, v2, v3, v4',
      '\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7]',
      '\tscratch_load_b32 v1, off, s0',
      '\tds_store_addtid_b32 v1',
      '\tds_load_b128 v[0:3], v4',
      '\ts_buffer_load_b512 s[16:31], s[12:15], s8',
      '\ts_waitcnt vmcnt(0)',
      '\ts_mul_i32 s1, s2, s3',
    ]);
    expect(products(code)).toEqual([2, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    const last = ['matrix', 'spill', 'spill', 'shared', 'load', 'other', 'uniform'];
    expect(kinds(code)).toEqual([...new Array<string>(5).fill('alu'), ...last]);
  });

  it('NVIDIA: uniform registers, packed halves, spills', () => {
    const code = read(NAK, '=== NAK assembly', [
      'block.u 0 L1 [] -> {',
      '      ur8 up0 = iadd3 ur6 ur3 rZ                            // delay=2 wt=000001',
      '      r1      = ffma.ftz r10 r6 r1                          // delay=1',
      '      r1      = hfma2 r10 r6 r1                             // delay=1',
      '      r1..5   = hmma.m16n8k16.f32.f16 r8..12 r4..6 r1..5    // delay=1',
      '      r1      = ld.local.strong.cta.b32 [r2]                // delay=1',
      '@!p0  r8      = ld.global.a64.constant.b32 [r6+ur4..6]      // delay=2',
      '                st.shared.strong.cta.b128 [r1] r4..8        // delay=1',
      '                exit                                        // delay=1',
      '} -> []',
    ]);
    expect(kinds(code)).toEqual(['uniform', 'alu', 'alu', 'matrix', 'spill', 'load', 'store', 'other']);
    expect(products(code)).toEqual([0, 1, 2, 0, 0, 0, 0, 0]);
  });

  it('Adreno: repeats, shared registers, the preamble apart', () => {
    const code = read(IR3, '=== IR3 Assembly', [
      '; CL prog 21/1: 121 instr',
      '@in(r48.x)\tin0 (wrmask=0x7)',
      'shps #l9',
      'mova1.u a1.x, 16',
      '(sy)(ss)shpe',
      'l9:',
      '(sy)(rpt3)mad.f32 r3.y, (r)(last)r3.y, r2.x, (r)(last)r0.w',
      'mad.f16 hr3.y, hr3.y, hr2.x, hr0.w',
      '(jp)add.u r48.x, r48.x, c1.x',
      'cmps.u.ge up0.x, r48.w, c4.x',
      'ldp.u32 r0.x, p[c0.x], 4',
      'ldl.u32 r4.z, l[r2.x], 3',
      '(rpt1)nop',
      'end',
    ]);
    expect(kinds(code)).toEqual(['alu', 'alu', 'uniform', 'uniform', 'spill', 'shared', 'other', 'other']);
    expect(products(code)).toEqual([4, 1, 0, 0, 0, 0, 0, 0]);
    expect(code.instructions[0].times).toBe(4);
  });

  it('Apple: the main program is the longest', () => {
    const code = readListing(
      AGX,
      [
        'block0 {',
        '   0: ba955a62294a0200       ffma     $r5, r13, $r11, r5',
        '   8: b52a000500c01200       stack_store r5, 0, i32, x, a',
        '  10: 0579e80621c01200       lload    r15, dr20, r15, i32, x, a',
        '  18: 8800                   stop',
        '   0: 0501500d00c87200       load     r0_r1_r2, du0, 5, lsl 2, i32, xyz, a',
        '   8: 8800                   stop',
      ].join('\n'),
    );
    expect(kinds(code)).toEqual(['alu', 'spill', 'shared', 'other']);
    expect(products(code)).toEqual([1, 0, 0, 0]);
  });

  it('says when there is no code, or a branch that leads nowhere', () => {
    expect(() => readListing(NAK, '=== NIR shader\nnothing')).toThrow('the driver gave no code');
    expect(() => read(IR3, '=== IR3 Assembly', ['jump #l7'])).toThrow('a branch goes to l7, which is not in the code');
  });
});

describe('loops', () => {
  /** Blocks of a made-up code: a letter is an instruction, `@L` a label, `>L` a branch that may be taken. */
  const dialect: Dialect = {
    lines: (text) => text.split(' '),
    read: (word) => {
      if (word[0] === '@') return { label: word.slice(1) };
      if (word[0] === '>') return { kind: 'other', target: word.slice(1) };
      if (word[0] === '!') return { kind: 'other', target: word.slice(1), ends: true };
      return { kind: 'alu', multiplies: word === 'm' ? 1 : 0 };
    },
  };
  const tree = ({ instructions, loops }: CodeLoop): string =>
    `${instructions.length}${loops.length ? `(${loops.map(tree).join(' ')})` : ''}`;

  it('finds loops inside loops, and blocks that stand elsewhere', () => {
    expect(tree(readListing(dialect, 'a @x b @y c >y d >x e'))).toBe('2(3(2))');
    // The inner loop's last block stands behind the outer loop's.
    expect(tree(readListing(dialect, 'a @x b @y c >z d >x !end @z e e !y @end f'))).toBe('3(3(5))');
    // Two branches back make one loop; a branch forward none.
    expect(tree(readListing(dialect, '@x a >x b >x >y c @y d'))).toBe('3(4)');
  });

  const source = (body: string, extra = ''): string => `
const SIZE = 3;
${extra}
@compute @workgroup_size(64, 1, 1)
fn main() {
${body}
}`;
  const outer = (body: string): string => `for (var c = 0u; c < params.blocks; c++) { ${body} }`;
  const inner = (body: string): string => `for (var k = 0u; k < SIZE; k++) { ${body} }`;
  const trips = (text: string, code: string, values = {}): (number | undefined)[] | undefined => {
    const rounds = roundsOf(sourceLoops(text, { blocks: 5, ...values }, 64), readListing(dialect, code));
    return rounds && [...rounds.values()];
  };

  it('a loop with constant bounds may be unrolled, one with params not', () => {
    const text = source(outer(inner('s += a * b;')));
    expect(trips(text, '@x a @y m m m m >y >x')).toEqual([1, 5, 15]);
    expect(trips(text, '@x m m m m m m m m m m m m >x')).toEqual([1, 5]);
    // A loop with params as bounds is missing; a loop is there that the source has not.
    expect(trips(text, 'm m m m')).toBeUndefined();
    expect(trips(text, '@x m >x @y m >y')).toBeUndefined();
  });

  it('of two loops the one whose products are there was kept', () => {
    const text = source(outer(`${inner('s += a * b;')} for (var i = 0u; i < 7u; i++) { t[i] = u[i] + v; }`));
    expect(trips(text, '@x a @y m m m m >y a a a a a a a >x')).toEqual([1, 5, 15]);
    expect(trips(text, '@x m m m m m m m m m m m m @y a a a >y >x')).toEqual([1, 5, 35]);
  });

  it('reads loops in functions, and the bounds of params, constants and lanes', () => {
    const called = source(outer('f(c);'), `fn f(c: u32) { ${inner('s += a * b;')} }`);
    expect(trips(called, '@x a @y m m m m >y >x')).toEqual([1, 5, 15]);
    const text = (header: string): string => source(`for (${header}) { x = x + 1.0; }`);
    const rounds = (header: string): number | undefined => trips(text(header), '@x a >x')?.[1];
    expect(rounds('var i = lane; i < 640u; i += 64u')).toBe(10);
    // 324 values, 64 invocations: the first 32 go round six times, the others five.
    expect(rounds('var i = lane; i < 324u; i += 64u')).toBe(5.5);
    expect(rounds('var i = 1; i <= params.blocks; i++')).toBe(5);
    expect(rounds('var i = 0u; i < 2u * (SIZE + 1u); i += 2u')).toBe(4);
    expect(rounds('var i = 0; i < i32(params.blocks); i++')).toBe(5);
    expect(rounds('var i = begin; i < 4u; i++')).toBeUndefined();
  });

  it('workgroup memory: its bytes, and the loop that clears it', () => {
    expect(workgroupBytes(PROGRAM)).toBe(4096);
    expect(workgroupBytes('var<workgroup> a: array<vec4f, 10>;\nvar<workgroup> b: array<f16, 6>;')).toBe(172);
    expect(workgroupBytes('const N = 3;\nvar<workgroup> a: array<array<vec4f, N * 4>, 2>;')).toBe(384);
    expect(trips(source('x = y;', 'var<workgroup> a: array<vec4f, 256>;'), '@x a >x')).toEqual([1, 4]);
  });
});
