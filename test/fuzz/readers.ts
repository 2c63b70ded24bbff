/**
 * All that reads what others made, and small files for each to begin with: in Node, and the page's readers as far as
 * they need no browser.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { decodeAvif } from '../../app/src/worker/decode/avif.ts';
import { jpegHeader, pngHeader, webpHeader } from '../../app/src/worker/decode/header.ts';
import { decodePng16 } from '../../app/src/worker/decode/png16.ts';
import { COLOR_SPACES } from '../../src/image/colorSpace.ts';
import { inWorkingSpace } from '../../src/image/decode/channels.ts';
import { decodeRadiance } from '../../src/image/decode/floats.ts';
import { heifHeader } from '../../src/image/decode/heifHeader.ts';
import { SRGB, iccColor } from '../../src/image/decode/sourceColor.ts';
import { decodeTiff } from '../../src/image/decode/tiff.ts';
import { exposures } from '../../src/image/exif.ts';
import { extractExif } from '../../src/image/exifBlock.ts';
import { deflateStream, encodeExr } from '../../src/image/exr.ts';
import { isSrgbProfile } from '../../src/image/iccProfile.ts';
import { readNpyFrame } from '../../src/image/picture.ts';
import { formatResponse, gammaResponse, parseResponse } from '../../src/image/response.ts';
import { encodeRgbe } from '../../src/image/rgbe.ts';
import { loadWeights } from '../../src/model/loadWeights.ts';
import { tiffPackages } from '../../src/node/decodePackages.ts';
import { readExif } from '../../src/node/exif.ts';
import { readFrame, readMotionMaps, writeMotionMaps } from '../../src/node/index.ts';
import { FileTuneCache } from '../../src/node/tuneCache.ts';
import { readTuning } from '../../src/tune/cache.ts';
import { choicesOf } from '../../src/tune/result.ts';
import { parseConfig } from '../../src/weights/config.ts';
import { decodeAssigned, propose } from '../../src/weights/convert/propose.ts';
import { startAvif } from '../avif.ts';
import { encodeNpy } from '../npy.ts';
import { dng } from '../rawDng.ts';
import { FOLDER, goldenBytes, open } from '../weights/convert/open.ts';
import { developInPlace } from './libRaw.ts';

/** One reader. */
export interface Reader {
  /** Files that it reads. */
  seeds(): Promise<Uint8Array[]>;
  /** Reads bytes. @returns the picture, if it is one. @throws what the fuzzer judges. */
  read(bytes: Buffer, seed: number): unknown;
}

const [WIDTH, HEIGHT] = [23, 19];
const test = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const PNG_PACKAGES = { exifr: async () => (await import('exifr')).default, fastPng: () => import('fast-png') };
const scratch = mkdtempSync(join(tmpdir(), 'deghost-fuzz-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

function expectFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new Error(`${what} holds ${values[i]} at ${i}`);
}

/** @returns the picture, for the judge. */
function expectPicture<T extends { data: ArrayLike<number>; width: number; height: number }>(picture: T): T {
  const { data, width, height } = picture;
  if (data.length !== 3 * width * height) throw new Error(`${data.length} samples for ${width}x${height}`);
  if (data instanceof Float32Array) expectFinite(data, 'the picture');
  return picture;
}

const samples8 = Buffer.from(Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 37) % 256));
const samples16 = Buffer.from(Uint16Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => (i * 977) % 65536).buffer);
const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
const of8 = (): Sharp => sharp(samples8, { raw });
const of16 = (): Sharp => sharp(samples16, { raw: { ...raw, depth: 'ushort' } as never }).toColourspace('rgb16');
const EXIF = { IFD0: { Make: 'x' }, IFD2: { ExposureTime: '1/80', FNumber: '8/1', ISOSpeedRatings: '100' } };
const light = Float32Array.from({ length: 40 * 12 * 3 }, (_, i) => (i % 97) / 50);

async function tiffs(): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for (const compression of ['none', 'lzw', 'deflate', 'packbits'] as const)
    for (const tile of [false, true])
      for (const picture of [of8, of16])
        found.push(
          await picture()
            .tiff({ compression, predictor: 'horizontal', tile, tileWidth: 16, tileHeight: 16 })
            .toBuffer(),
        );
  found.push(await of8().withIccProfile('p3').withExif(EXIF).tiff({ compression: 'lzw' }).toBuffer());
  found.push(
    await sharp(Buffer.from(light.buffer), { raw: { width: 40, height: 12, channels: 3, depth: 'float' } as never })
      .tiff({ compression: 'deflate' })
      .toBuffer(),
  );
  return found;
}

const pngs = async (): Promise<Uint8Array[]> => [
  await of16().png().toBuffer(),
  await of16().withIccProfile('p3').png().toBuffer(),
  await of8().withIccProfile('p3').withExif(EXIF).png().toBuffer(),
  await of8().png({ palette: true }).toBuffer(),
];
const jpegs = async (): Promise<Uint8Array[]> => [
  await of8().withExif(EXIF).jpeg().toBuffer(),
  await of8().withIccProfile('p3').withExif(EXIF).jpeg({ progressive: true }).toBuffer(),
  await of8().greyscale().jpeg().toBuffer(),
  await of8().toColourspace('cmyk').jpeg().toBuffer(),
];
const heics = (): Uint8Array[] =>
  ['8bit.heic', 'alpha.heic', 'p3-10bit.heic'].map((file) => readFileSync(test(`pictures/${file}`)));
const radiance = (): Uint8Array[] => {
  const wide = Buffer.concat([...encodeRgbe(light, 40, 12)]);
  return [
    wide,
    Buffer.concat([...encodeRgbe(light.subarray(0, 5 * 6 * 3), 5, 6)]),
    Buffer.from(wide.toString('latin1').replace('FORMAT', 'EXPOSURE=1.5\nFORMAT'), 'latin1'),
  ];
};
const npys = (): Uint8Array[] => [
  encodeNpy(
    Float32Array.from({ length: 60 }, (_, i) => i / 60),
    [4, 5, 3],
  ),
  encodeNpy(new Uint8Array(60), [4, 5, 3]),
  encodeNpy(new Uint16Array(60), [4, 5, 3]),
];
const exrs = async (): Promise<Uint8Array[]> =>
  Promise.all(
    (['half', 'float'] as const).map(async (type) =>
      Buffer.concat((await encodeExr(light, 40, 12, { type, scale: 1, deflate: deflateStream })).pieces),
    ),
  );
const dngs = (): Uint8Array[] => [dng({ width: 32, height: 24, exposure: 1, scene: (x, y) => [x / 40, y / 40, 0.2] })];

/** A picture file as the command line reads it. */
function pictureFile(extension: string, seeds: () => Uint8Array[] | Promise<Uint8Array[]>): Reader {
  return {
    seeds: async () => seeds(),
    async read(bytes) {
      const path = join(scratch, `f.${extension}`);
      writeFileSync(path, bytes);
      return expectPicture(await readFrame(path));
    },
  };
}

const TUNING = {
  format: 'deghost tuning 1',
  key: 'k',
  adapter: 'a',
  precision: 'f32',
  date: new Date(0).toISOString(),
  timestamps: false,
  tile: { width: 16, height: 16 },
  classes: [
    {
      name: 'conv',
      hasVariants: true,
      share: 0.5,
      multiplyAdds: 1,
      bytes: 2,
      fallback: 'a',
      chosen: 'b',
      candidates: [
        { variant: 'a', ms: 1 },
        { variant: 'b', ms: null, error: 'x' },
      ],
    },
  ],
  unreached: ['y'],
};

export const READERS: Record<string, Reader> = {
  jpeg: pictureFile('jpg', jpegs),
  png: pictureFile('png', pngs),
  tiff: pictureFile('tif', tiffs),
  webp: pictureFile('webp', async () => [
    await of8().withExif(EXIF).webp().toBuffer(),
    await of8().withIccProfile('p3').webp({ lossless: true }).toBuffer(),
  ]),
  avif: pictureFile('avif', async () => [await of8().avif({ effort: 0 }).toBuffer()]),
  heic: pictureFile('heic', heics),
  jxl: pictureFile('jxl', () => ['alpha.jxl', 'p3-16bit.jxl'].map((file) => readFileSync(test(`pictures/${file}`)))),
  exr: pictureFile('exr', exrs),
  hdr: pictureFile('hdr', radiance),
  npy: pictureFile('npy', npys),
  raw: pictureFile('dng', dngs),
  libraw: { seeds: async () => dngs(), read: async (bytes) => expectPicture(await developInPlace(bytes)) },
  'page tiff': {
    seeds: tiffs,
    // As the page goes on with it.
    read: async (bytes, seed) =>
      expectPicture(
        inWorkingSpace(
          await decodeTiff(bytes, 'f.tif', tiffPackages),
          COLOR_SPACES[seed % COLOR_SPACES.length],
          'f.tif',
        ),
      ),
  },
  'page png': {
    seeds: pngs,
    async read(bytes) {
      const { bits } = await pngHeader(bytes, 'f.png');
      if (bits === 16) return expectPicture(await decodePng16(bytes, 'f.png', SRGB, PNG_PACKAGES));
    },
  },
  'page jpeg': { seeds: jpegs, read: (bytes) => jpegHeader(bytes, 'f.jpg') },
  'page webp': {
    seeds: async () => [await of8().withIccProfile('p3').webp().toBuffer()],
    read: (bytes) => webpHeader(bytes, 'f.webp'),
  },
  'page avif': {
    seeds: async () => [
      await of8().avif({ effort: 0 }).toBuffer(),
      await of16().avif({ effort: 0, bitdepth: 10 }).toBuffer(),
      await of8().ensureAlpha(0.7).withIccProfile('p3').withMetadata({ orientation: 6 }).avif({ effort: 0 }).toBuffer(),
    ],
    read: async (bytes) =>
      expectPicture(inWorkingSpace(await decodeAvif(startAvif, bytes, 'f.avif'), 'rec2020', 'f.avif')),
  },
  heif: { seeds: async () => heics(), read: (bytes) => heifHeader(bytes, 'f.heic') },
  radiance: { seeds: async () => radiance(), read: (bytes) => expectPicture(decodeRadiance(bytes, 'f.hdr')) },
  'npy frame': { seeds: async () => npys(), read: (bytes) => expectPicture(readNpyFrame(bytes, 'f.npy')) },
  exif: {
    seeds: async () => [...(await jpegs()), ...(await pngs()), ...(await tiffs()).slice(-2), ...dngs()],
    async read(bytes) {
      extractExif(bytes, { width: 4, height: 3, isSrgb: true });
      const exif = await readExif(bytes);
      const [exposure] = exposures([{ name: 'f.jpg', exif }]);
      if (!(exposure > 0) || !Number.isFinite(exposure)) throw new Error(`the exposure ${exposure}`);
    },
  },
  icc: {
    seeds: async () => {
      const profiles = await Promise.all(
        ['srgb', 'p3'].map(
          async (profile) => (await sharp(await of8().withIccProfile(profile).png().toBuffer()).metadata()).icc,
        ),
      );
      return profiles.flatMap((profile) => profile ?? []);
    },
    read(bytes) {
      isSrgbProfile(bytes);
      const color = iccColor(bytes);
      const data = Float32Array.of(-0.5, 0, 0.2, 0.5, 1, 3);
      if (color) expectPicture(inWorkingSpace({ data, width: 2, height: 1, bits: 32, color }, 'p3', 'f.tif'));
    },
  },
  response: {
    seeds: async () => [Buffer.from(formatResponse(gammaResponse()))],
    read(bytes) {
      const { r, g, b } = parseResponse(bytes.toString('utf8'), 'f.json');
      for (const curve of [r, g, b]) expectFinite(curve, 'the response');
    },
  },
  weights: {
    seeds: async () =>
      readdirSync(test('goldens'))
        .filter((file) => file.endsWith('.weights.safetensors'))
        .slice(0, 3)
        .map((file) => readFileSync(test(`goldens/${file}`))),
    async read(bytes) {
      for (const { data } of (await loadWeights(bytes, 'f.safetensors')).tensors.values())
        expectFinite(data, 'a weight');
    },
  },
  config: {
    seeds: async () =>
      [
        '{"width":32,"segWidths":[16,32,64,128],"slope":0.2,"gamma":2.2,"maskMode":"soft","base":"merge","x":[1]}',
        '{"__proto__":{"width":8},"constructor":{"prototype":{}},"base":"none"}',
        '[[[[[[]]]]]]',
      ].map((text) => Buffer.from(text)),
    read(bytes) {
      const { slope, gamma, width } = parseConfig(
        { format: 'deghost', variant: 'any', config: bytes.toString('utf8') },
        'f',
      );
      expectFinite([slope, gamma, width], 'the config');
      if (({} as { width?: unknown }).width !== undefined) throw new Error('all objects have a width');
    },
  },
  tuning: {
    seeds: async () => [Buffer.from(JSON.stringify({ deghost: 'tuning', entries: { k: TUNING } }))],
    async read(bytes) {
      const path = join(scratch, 'tuning.json');
      writeFileSync(path, bytes);
      const cache = new FileTuneCache({ path });
      const found = await readTuning(cache, 'k');
      if (found) choicesOf(found);
    },
  },
  motion: {
    async seeds() {
      const maps = [0, 1, 2].map((k) => Float32Array.from({ length: 120 }, (_, i) => ((i * 7 + k) % 11) / 10));
      await writeMotionMaps(scratch, maps, 12, 10);
      return ['png', 'npy'].map((kind) => readFileSync(join(scratch, `motion-1.${kind}`)));
    },
    async read(bytes, seed) {
      const [kind, other] = seed % 2 === 0 ? ['png', 'npy'] : ['npy', 'png'];
      writeFileSync(join(scratch, `motion-1.${kind}`), bytes);
      rmSync(join(scratch, `motion-1.${other}`), { force: true });
      for (const map of await readMotionMaps(scratch, 3, 12, 10, 1)) {
        expectFinite(map, 'a map');
        if (map.length !== 120 || map.some((w) => w < 0 || w > 1)) throw new Error('a map that is none');
      }
    },
  },
  checkpoint: {
    seeds: async () =>
      readdirSync(FOLDER)
        .filter((file) => !file.endsWith('.data'))
        .map((file) => goldenBytes(file)[0]),
    async read(bytes, seed) {
      const files = readdirSync(FOLDER).filter((file) => !file.endsWith('.data'));
      const file = files[seed % files.length];
      const checkpoint = await open(bytes, file, goldenBytes(file)[1]);
      decodeAssigned(checkpoint, await propose(checkpoint, { name: file }));
    },
  },
};
