/**
 * `deghost evaluate` on stacks without a ground truth: exposures from ev.txt and EXIF, still.json, --static and a
 * folder's response.json; the harm of a merge against the definitions, from what `deghost merge` writes of the same
 * stack; what cannot be measured is reported.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labAt, quantile, toneKey } from '../../src/image/harm.ts';
import { ciede2000 } from '../../src/image/lab.ts';
import { decodeNpy } from '../../src/image/npy.ts';
import { formatResponse, gammaResponse } from '../../src/image/response.ts';
import { encodeRgbe } from '../../src/image/rgbe.ts';
import { measureHarm, summarizeHarm } from '../../src/node/evaluate/harm.ts';
import type { Candidate } from '../../src/node/evaluate/figures.ts';
import { readStill } from '../../src/node/evaluate/still.ts';
import type { Box } from '../../src/node/evaluate/still.ts';
import { deghost, picture, scene } from './commandLine.ts';

const [W, H] = [48, 32];
const FIXED = 'test/goldens/fixed-merge-r0.weights.safetensors';
const TAUS = [1, 4, 16];
/** In the left half nothing moves; the square of `scene` wanders in the right. */
const SQUARES = [26, 32, 38];
const BOXES = [
  [0, 0, 20, 32],
  [4, 20, 10, 10],
];
const root = mkdtempSync(join(tmpdir(), 'deghost-harm-'));
const at = (...names: string[]): string => join(root, ...names);
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function frames(
  folder: string,
  extension: string,
  options: { still?: boolean; exif?: boolean } = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [k, tau] of TAUS.entries())
    await picture(
      folder,
      `${k + 1}.${extension}`,
      scene(W, H, tau / 4, options.still ? -1 : SQUARES[k]),
      W,
      H,
      options.exif ? `${tau}/320` : undefined,
    );
}

beforeAll(async () => {
  await frames(at('set/moving'), 'png');
  writeFileSync(at('set/moving/ev.txt'), '-2.0, 0.0,2.0');
  writeFileSync(at('set/moving/still.json'), JSON.stringify(BOXES));
  await frames(at('set/photographs'), 'jpg', { still: true, exif: true });
  await frames(at('set/truth'), 'png');
  writeFileSync(at('set/truth/exposure.txt'), '-2\n0\n2\n');
  const truth = Float32Array.from(scene(W, H, 1, SQUARES[1]), (code) => (code / 255) ** 2.2 / 4);
  writeFileSync(at('set/truth/ground-truth.hdr'), Buffer.concat([...encodeRgbe(truth, W, H, 1)]));
  mkdirSync(at('set/notes'));
  await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
    .png()
    .toFile(at('set/notes/sheet.png'));
});

const read = (path: string) => decodeNpy(readFileSync(path)).data as Float32Array;

describe('deghost evaluate without a ground truth', () => {
  it('judges what is there: both tables, JSON by definition, and what could not be measured', async () => {
    const ran = await deghost(
      'evaluate',
      at('set'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--json',
      at('figures.json'),
      '--pictures',
      at('sheets'),
    );
    expect(ran.code, ran.err).toBe(0);
    expect(ran.err).toContain('notes is left out: it has neither exposure.txt nor EXIF exposure times');
    expect(ran.err).toContain('moving (1/3): 3 frames of 48x32, 2 still boxes');
    const report = JSON.parse(readFileSync(at('figures.json'), 'utf8'));
    const [moving, photographs, judged] = report.stacks;
    expect(report.stacks.map(({ name }: { name: string }) => name)).toEqual(['moving', 'photographs', 'truth']);
    expect(report.leftOut).toHaveLength(1);
    for (const { frames } of report.stacks)
      expect(frames.map(({ exposure }: { exposure: number }) => exposure)).toEqual([
        1,
        expect.closeTo(4, 6),
        expect.closeTo(16, 6),
      ]);
    expect([moving.truth, photographs.truth]).toEqual([null, null]);
    expect(moving.rows).toEqual({});
    expect(judged.rows.network.psnr.mu).toBeGreaterThan(10);
    expect(report.mean).toEqual(judged.rows);

    // The same pictures from the command that photographers use.
    const inputs = [1, 2, 3].map((k) => at('set/moving', `${k}.png`));
    const merge = ['merge', ...inputs, '--ev=-2,0,2', '--response', 'gamma', '-q'];
    expect((await deghost(...merge, '--weights', FIXED, '--motion', at('maps'), '-o', at('network.npy'))).code).toBe(0);
    expect((await deghost(...merge, '--method', 'merge', '-o', at('plain.npy'))).code).toBe(0);
    const [network, plain] = ['network', 'plain'].map((name) => read(at(`${name}.npy`)));
    const maps = [1, 2, 3].map((k) => read(at('maps', `motion-${k}.npy`)));
    const key = toneKey(plain);
    const [a, b] = [labAt(network, key), labAt(plain, key)];
    const codes = scene(W, H, TAUS[1] / 4, SQUARES[1]);
    const mu = (y: number): number => Math.log(1 + 5000 * Math.min(1, Math.max(0, y))) / Math.log(5001);
    const expected = (inside: (x: number, y: number) => boolean) => {
      const pixels = Array.from({ length: W * H }, (_, p) => p).filter((p) => inside(p % W, Math.floor(p / W)));
      const differences = pixels.map((p) =>
        ciede2000(a[3 * p], a[3 * p + 1], a[3 * p + 2], b[3 * p], b[3 * p + 1], b[3 * p + 2]),
      );
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
      return {
        pixels: pixels.length,
        level: mean(pixels.flatMap((p) => [0, 1, 2].map((c) => codes[3 * p + c] / 255))),
        moving: mean(pixels.map((p) => (Math.max(maps[0][p], maps[2][p]) > 0.5 ? 1 : 0))),
        maps: mean(pixels.map((p) => (maps[0][p] + maps[1][p] + maps[2][p]) / 3)),
        difference: mean(differences),
        p99: quantile(Float64Array.from(differences).sort(), 0.99),
        psnrMu:
          -10 *
          Math.log10(
            mean(pixels.flatMap((p) => [0, 1, 2].map((c) => (mu(network[3 * p + c]) - mu(plain[3 * p + c])) ** 2))),
          ),
      };
    };
    const within =
      ([x0, y0, w, h]: number[]) =>
      (x: number, y: number): boolean =>
        x >= x0 && x < x0 + w && y >= y0 && y < y0 + h;
    const { harm } = moving;
    const checks: [Record<string, number>, Record<string, number>][] = [
      [harm.still.all, expected((x, y) => BOXES.some((box) => within(box)(x, y)))],
      ...BOXES.map((box, i): [Record<string, number>, Record<string, number>] => [
        harm.still.boxes[i],
        expected(within(box)),
      ]),
      [harm.whole, (({ moving, maps }) => ({ moving, maps }))(expected(() => true))],
    ];
    for (const [made, figures] of checks)
      for (const [name, value] of Object.entries(figures))
        expect(Math.abs(made[name] - value), `${name} ${value}`).toBeLessThan(1e-5 * Math.max(1, value));
    expect(harm.still.boxes.map(({ box }: { box: number[] }) => box)).toEqual(BOXES);
    expect(harm.whole.moving).toBeGreaterThan(0);

    expect(harm.unmeasured).toEqual([]);
    expect(harm.network.cast.median).toBeGreaterThan(0);
    expect(photographs.harm.still).toBeNull();
    expect(photographs.harm.unmeasured).toEqual([expect.stringMatching(/nothing is known to stand still/)]);
    for (const name of ['network', 'merge', 'reference'])
      expect(report.harm[name].cast.worst).toBe(
        Math.max(
          ...report.stacks.map(
            (stack: { harm: Record<string, { cast: { median: number } }> }) => stack.harm[name].cast.median,
          ),
        ),
      );
    expect(report.harm.still).toMatchObject({
      stacks: 1,
      boxes: 2,
      moving: { worst: Math.max(...harm.still.boxes.map((box: { moving: number }) => box.moving)) },
      psnrMu: { worst: Math.min(...harm.still.boxes.map((box: { psnrMu: number }) => box.psnrMu)) },
    });
    for (const text of [
      'truth (truth x ',
      'moving, harm',
      'truth, harm',
      '  4,20,10,10',
      'not measured: false motion',
      'harm, 3 stacks; still: 2 boxes of 1',
      'still, worst',
    ])
      expect(ran.out).toContain(text);
    expect(ran.out).not.toContain('moving (truth');
    for (const name of ['moving', 'photographs', 'truth']) expect(existsSync(at(`sheets/${name}.png`))).toBe(true);
    expect((await sharp(at('sheets/moving.png')).metadata()).width).toBe(4 * (W + 4) - 4);
  });

  it(
    'takes a whole picture for still with --static, but a still.json first, and the response that a folder ' + 'says',
    async () => {
      writeFileSync(at('set/photographs/response.json'), formatResponse(gammaResponse()));
      const ran = await deghost(
        'evaluate',
        at('set/photographs'),
        at('set/moving'),
        '--weights',
        FIXED,
        '--static',
        '--json',
        at('static.json'),
      );
      expect(ran.code, ran.err).toBe(0);
      expect(ran.err).toContain('photographs: response.json gives the response');
      const [photographs, moving] = JSON.parse(readFileSync(at('static.json'), 'utf8')).stacks;
      expect(photographs.harm.still.boxes.map(({ box }: { box: number[] }) => box)).toEqual([[0, 0, W, H]]);
      expect(photographs.harm.still.all.moving).toBe(photographs.harm.whole.moving);
      expect(photographs.response).toMatch(/^response: as given/);
      expect(moving.harm.still.boxes).toHaveLength(2);
      expect(moving.response).not.toMatch(/^response: as given/);
    },
  );

  it('has one-line errors that name the file, both values and the remedy', async () => {
    const broken = async (name: string, files: Record<string, string>): Promise<string> => {
      await frames(at(name), 'png');
      for (const [file, text] of Object.entries(files)) writeFileSync(at(name, file), text);
      return at(name);
    };
    const ev = '-2,0,2';
    const cases: [string, RegExp][] = [
      [
        await broken('none', {}),
        /none has no exposure\.txt: write one, .* \(EXIF does not help: .*1\.png has no exposure time/,
      ],
      [await broken('four', { 'ev.txt': '-2,0,2,4' }), /ev\.txt has 4 exposures for 3 pictures/],
      [
        await broken('word', { 'ev.txt': '-2 0 two' }),
        /ev\.txt: exposure 3 is "two", an exposure is a number of stops/,
      ],
      [
        await broken('text', { 'ev.txt': ev, 'still.json': 'all' }),
        /still\.json is not JSON \(.*\): write a list of boxes/,
      ],
      [
        await broken('empty', { 'ev.txt': ev, 'still.json': '[]' }),
        /still\.json holds no list of boxes: write .*\[\[0, 0, 48, 32\]\]/,
      ],
      [
        await broken('flat', { 'ev.txt': ev, 'still.json': '[0, 0, 8, 8]' }),
        /still\.json: box 1 is 0, a box is \[x, y, width, height\]/,
      ],
      [
        await broken('half', { 'ev.txt': ev, 'still.json': '[[0, 0, 8, 8], [0, 0.5, 8, 8]]' }),
        /box 2 is \[0,0\.5,8,8\], a box is/,
      ],
      [
        await broken('wide', { 'ev.txt': ev, 'still.json': '[[40, 0, 9, 8]]' }),
        /box 1 is \[40,0,9,8\] and reaches to 49,8, but the pictures are 48x32/,
      ],
    ];
    for (const [folder, message] of cases) {
      const ran = await deghost('evaluate', folder);
      expect(ran.err, folder).toMatch(message);
      expect(ran.err.trimEnd().split('\n'), folder).toHaveLength(1);
      expect([ran.code, ran.out]).toEqual([1, '']);
    }
    await expect(readStill(at('nowhere.json'), W, H)).rejects.toThrow(/nowhere\.json/);
  });
});

describe('several stacks', () => {
  it('are judged without those that cannot be used, which are told', async () => {
    await frames(at('some/a-bad'), 'png');
    writeFileSync(at('some/a-bad/ev.txt'), '-2,0');
    await frames(at('some/good'), 'png');
    writeFileSync(at('some/good/ev.txt'), '-2,0,2');
    const ran = await deghost(
      'evaluate',
      at('some'),
      '--weights',
      FIXED,
      '--response',
      'gamma',
      '--json',
      at('some.json'),
      '-q',
    );
    expect(ran.err).toMatch(
      /1 of 2 stacks could not be evaluated: a-bad \(.*ev\.txt has 2 exposures for 3 pictures.*\)\n$/,
    );
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('good, harm');
    const { stacks, failed } = JSON.parse(readFileSync(at('some.json'), 'utf8'));
    expect(stacks.map(({ name }: { name: string }) => name)).toEqual(['good']);
    expect(failed).toEqual([
      { name: 'a-bad', reason: expect.stringMatching(/ev\.txt has 2 exposures for 3 pictures/) },
    ]);
    const none = await deghost('evaluate', at('some'), '--frames', '1,2,3,4', '-q');
    expect(none.err).toMatch(/none of 2 stacks could be evaluated, a-bad because: .*ev\.txt/);
    expect([none.code, none.out]).toEqual([1, '']);
  });
});

describe('harm', () => {
  const samples = scene(W, H, 1);
  const plain = Float32Array.from(samples, (code) => (code / 255) ** 2.2 / 4);
  const frame = { data: samples, width: W, height: H, exposure: 1 };
  const maps = (value: number, x0 = 0) => Float32Array.from({ length: W * H }, (_, p) => (p % W >= x0 ? value : 0));
  const rows = (network: Float32Array, motion: Float32Array[]): Candidate[] => [
    { name: 'network', radiance: network, motion },
    { name: 'merge', radiance: plain },
    { name: 'reference', radiance: plain },
  ];

  const measure = (...args: [Candidate[], (typeof frame)[], number, Box[] | undefined]) =>
    measureHarm(...args, async () => {});

  it('is none where the network gives the plain merge, whatever it does outside the boxes', async () => {
    const network = plain.map((y, i) => (Math.floor(i / 3) % W >= 24 ? y * 2 : y));
    const harm = await measure(rows(network, [maps(0), maps(1, 24), maps(1, 24)]), [frame, frame, frame], 1, [
      [0, 0, 24, 32],
    ]);
    const left = [...samples].filter((_, i) => Math.floor(i / 3) % W < 24);
    const levelOfLeft = left.reduce((sum, code) => sum + code / 255, 0) / left.length;
    expect(harm.still!.all).toEqual({
      pixels: 24 * 32,
      level: expect.closeTo(levelOfLeft, 9),
      moving: 0,
      maps: 0,
      difference: 0,
      p99: 0,
      psnrMu: Infinity,
    });
    expect(harm.whole).toEqual({ moving: 0.5, maps: 1 / 3 });
    const crossing = await measure(rows(network, [maps(0), maps(1, 24), maps(1, 24)]), [frame, frame, frame], 1, [
      [12, 0, 24, 32],
    ]);
    expect(crossing.still!.all.moving).toBe(0.5);
    expect(crossing.still!.all.difference).toBeGreaterThan(1);
    // The plain merge of one frame has no cast: a curve of its own takes it to the codes.
    expect(harm.pictures.find(({ name }) => name === 'merge')!.cast!.median).toBeLessThan(0.5);
  });

  it('counts what is above a half as moving, and says where a cast cannot be measured', async () => {
    const dark = { ...frame, data: new Uint8Array(samples.length).fill(10) };
    const harm = await measure(rows(plain, [maps(0.5), maps(0.51), maps(0.51)]), [dark, dark, dark], 1, undefined);
    expect(harm.whole.moving).toBe(1);
    expect(
      (await measure(rows(plain, [maps(0.5), maps(0.5), maps(0.5)]), [dark, dark, dark], 1, undefined)).whole.moving,
    ).toBe(0);
    expect(harm.pictures.map(({ cast }) => cast)).toEqual([undefined, undefined, undefined]);
    expect(harm.unmeasured).toEqual([
      expect.stringMatching(/^cast: fewer than 500 pixels/),
      expect.stringMatching(/stand still/),
    ]);
    const { pictures, still } = summarizeHarm([harm]);
    expect(pictures[0].cast).toEqual({ mean: NaN, worst: NaN });
    expect(still).toMatchObject({ stacks: 0, boxes: 0, moving: { mean: NaN, worst: NaN } });
  });

  it('is summed up over boxes, not stacks', async () => {
    const network = plain.map((y) => y * 1.1);
    const of = (boxes: [number, number, number, number][], x0: number) =>
      measure(rows(network, [maps(1, x0), maps(1, x0), maps(0)]), [frame, frame, frame], 1, boxes);
    const summary = summarizeHarm([
      await of(
        [
          [0, 0, 24, 32],
          [24, 0, 24, 32],
        ],
        24,
      ),
      await of([[0, 0, 48, 32]], 24),
    ]);
    expect(summary.still.boxes).toBe(3);
    expect(summary.still.moving).toEqual({ mean: 0.5, worst: 1 });
    expect(summary.whole.moving).toEqual({ mean: 0.5, worst: 0.5 });
  });

  it('can be stopped between its steps', async () => {
    let steps = 0;
    const stopping = measureHarm(
      rows(plain, [maps(0), maps(0), maps(0)]),
      [frame, frame, frame],
      1,
      [
        [0, 0, 9, 9],
        [9, 9, 9, 9],
      ],
      async () => {
        if (++steps === 6) throw new Error('stopped');
      },
    );
    await expect(stopping).rejects.toThrow('stopped');
  });
});
