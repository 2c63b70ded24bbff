/**
 * Every public function, method and constructor with junk in the place of every argument, option and field, in turn:
 * whatever is thrown is one of the library's own errors, in one line. What is exported and not listed here fails the
 * test.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as align from '../src/align/index.ts';
import * as finish from '../src/finish/index.ts';
import * as core from '../src/index.ts';
import * as node from '../src/node/index.ts';
import * as tune from '../src/tune/index.ts';
import * as warnings from '../src/warnings.ts';
import { testDevice } from './gpu.ts';
import { PLAIN, curves, map, maps, stack } from './misuse.ts';
import type { Any } from './misuse.ts';
import { encodeNpy } from './npy.ts';
import { readGolden } from './reference/goldens.ts';
import { tuneResult, tunedClass } from './tune/samples.ts';

/** Each is tried in every place, made anew: some calls change what they are given. */
const JUNK: (() => unknown)[] = [
  () => undefined,
  () => null,
  () => NaN,
  () => -1,
  () => 1.5,
  () => 2 ** 53,
  () => 10n,
  () => '',
  () => 'a\0',
  () => true,
  () => Symbol('junk'),
  () => ({}),
  () => [null],
  () => new Array(3),
  () => ({ length: 1e9 }),
  () => () => 1,
  () => new Float64Array(1200),
  () => detached(),
  () => Object.create(null),
];

function detached(): Float32Array {
  const array = new Float32Array(1200);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

const IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const SIZE = { width: 20, height: 20 };
const folder = mkdtempSync(join(tmpdir(), 'deghost-junk-'));
const at = (name: string): string => join(folder, name);
const paths = ['a.npy', 'b.npy', 'c.npy'].map(at);

/** Calls that succeed as they are: a function, and its arguments. */
type Calls = Record<string, [call: (...args: Any[]) => unknown, ...args: Any[]]>;

let calls: Calls;
let deghoster: Any;
let open: Any;
let finisher: Any;
/** What junk does not go into. */
let whole: unknown[];

beforeAll(async () => {
  const device = await testDevice();
  const { weightsBytes, config } = readGolden('fixed-halo');
  // Without weights, so that nothing but the plain merge is compiled.
  deghoster = await core.Deghoster.create({ device });
  const merged = await deghoster.merge(stack(), PLAIN);
  open = await deghoster.open(stack(), PLAIN);
  whole = [device, config, weightsBytes];
  const picture = { radiance: new Float32Array(1200).fill(0.3), ...SIZE, scale: 1, colorSpace: 'srgb' };
  finisher = await finish.Finisher.create(device, picture as Any);
  const crop = { angle: 3, centerX: 10, centerY: 10, width: 8, height: 8 };
  const cut = await finish.cropPicture(device, picture as Any, crop);
  for (const [k, path] of paths.entries())
    writeFileSync(path, encodeNpy(new Uint8Array(1200).fill(40 * k + 9), [20, 20, 3]));
  const floats = new Float32Array(1200).fill(0.3);
  const primaries = [1, 2, 3, 4, 5, 6, 7, 8];
  const tuned = tuneResult([tunedClass('a', { b: 1, c: 2 })]);
  const cache = { read: async () => tuned, write: async () => undefined };
  const mesh = { columns: 2, rows: 2, shifts: new Float32Array(8) };
  const camera = { make: 'a', model: 'b', whiteBalance: [1, 1, 1], toSrgb: IDENTITY, colorMatrix: IDENTITY };
  const { signal } = new AbortController();
  const Library: Any = core.Deghoster;
  calls = {
    'Deghoster.create': [
      async (options) => (await Library.create(options)).dispose(),
      { device, weights: undefined, momentWeights: undefined, tuning: tuned, memoryBudget: 1e9, precision: 'f32' },
    ],
    'Deghoster.plan': [
      (options) => deghoster.plan(options),
      { ...SIZE, frames: 3, reference: 1, method: 'merge', motion: true },
    ],
    'Deghoster.schedule': [(options) => deghoster.schedule(options), { ...SIZE, frames: 3, method: 'merge' }],
    'Deghoster.prepare': [
      (...args) => deghoster.prepare(...args),
      3,
      { ...SIZE, method: 'merge', motion: false, signal },
    ],
    'Deghoster.merge': [
      (...args) => deghoster.merge(...args),
      stack(),
      {
        ...PLAIN,
        align: { matrices: [IDENTITY, IDENTITY, IDENTITY] },
        reference: 1,
        strength: 0.5,
        skipMisfits: false,
        motion: maps(() => map(0)),
        moment: new Uint8Array(400).fill(255),
        response: curves((i) => i / 255),
        onProgress: () => 1,
        onRows: () => 1,
        onDeviceLost: () => 1,
        profile: false,
        signal,
      },
    ],
    'Deghoster.mergeToBuffer': [
      async (...args) => (await deghoster.mergeToBuffer(...args)).buffer.destroy(),
      stack([1, 4]),
      PLAIN,
    ],
    'Deghoster.open': [async (...args) => (await deghoster.open(...args)).dispose(), stack(), PLAIN],
    'OpenMerge.update': [
      (...args) => open.update(...args),
      {
        region: { x: 1, y: 2, width: 1, height: 1 },
        motion: maps(() => new Float32Array(1)),
        moment: new Uint8Array(1),
      },
      { signal },
    ],
    'OpenMerge.motionIn': [(...args) => open.motionIn(...args), { x: 1, y: 2, width: 1, height: 1 }],
    'OpenMerge.view': [(...args) => open.view(...args), 1, { x: 1, y: 2, width: 1, height: 1 }, { signal }],
    openDevice: [core.openDevice, { requestDevice: async () => device, limits: {}, features: new Set(), info: {} }],
    encodeExr: [
      core.encodeExr,
      floats,
      20,
      20,
      { scale: 1, type: 'half', chromaticities: primaries, largest: 1, signal },
    ],
    streamExr: [core.streamExr, floats, 20, 20, {}],
    encodeRgbe: [(...args) => [...(core.encodeRgbe as Any)(...args)], floats, 20, 20, 1, primaries],
    encodeSrgb: [core.encodeSrgb, 0.5],
    chooseReference: [core.chooseReference, stack(), false],
    clippedShare: [core.clippedShare, { sampled: 5, burnt: 1, black: 1 }],
    estimateResponse: [core.estimateResponse, stack(), { gamma: 2, signal }],
    formatResponse: [core.formatResponse, curves((i) => i / 255)],
    gammaResponse: [core.gammaResponse, 2],
    linearResponse: [core.linearResponse],
    parseResponse: [core.parseResponse, core.formatResponse(core.gammaResponse()), 'a.json'],
    toneMap: [core.toneMap, floats, { exposure: 1, white: 1, knee: 1, slope: 1 }],
    loadWeights: [core.loadWeights, weightsBytes, 'a.safetensors'],
    'Finisher.create': [
      async (...args) => (await (finish.Finisher.create as Any)(...args)).dispose(),
      device,
      picture,
      { onProgress: () => 1, signal: new AbortController().signal },
    ],
    'Finisher.settingsOf': [(look) => finisher.settingsOf(look), 'natural'],
    'Finisher.finish': [
      (...args) => finisher.finish(...args),
      'codes',
      { exposure: 1 },
      { headroom: 1, cut: { crop, radiance: cut.radiance }, onProgress: () => 1, signal },
    ],
    'Finisher.finishRows': [(...args) => finisher.finishRows(...args), 'linear', {}, () => 1, { headroom: 1 }],
    'Finisher.preview': [(...args) => finisher.preview(...args), { white: 3 }],
    'Finisher.histogram': [(...args) => finisher.histogram(...args), {}, { headroom: 1 }],
    'Finisher.live': [(...args) => finisher.live(...args), {}, { headroom: 1 }],
    'Finisher.refresh': [(rows) => finisher.refresh(rows), { top: 3, height: 2 }],
    cropPicture: [finish.cropPicture, device, picture, crop, signal],
    largestCrop: [finish.largestCrop, SIZE, 10, 1.5],
    liveFinishWgsl: [finish.liveFinishWgsl, { group: 1, numbers: 0, table: 1 }],
    mergeWarnings: [warnings.mergeWarnings, stack(), merged],
    alignStack: [
      align.alignStack,
      device,
      stack(),
      { reference: 1, method: 'auto', linear: false, memoryBudget: 1e9, signal },
    ],
    warpFrame: [align.warpFrame, device, stack()[0], { matrix: IDENTITY, mesh }, { signal }],
    coveredRectangle: [
      align.coveredRectangle,
      SIZE,
      [{ warp: { matrix: IDENTITY, mesh }, coverage: new Uint8Array(400) }],
    ],
    tune: [
      tune.tune,
      {
        device,
        config,
        frames: 3,
        precision: 'f32',
        tile: { width: 16, height: 16 },
        filter: () => false,
        limitMs: 0,
        passMs: 1,
        signal,
      },
    ],
    readTuning: [tune.readTuning, cache, 'key'],
    writeTuning: [tune.writeTuning, cache, tuned],
    deviceTuneKey: [tune.deviceTuneKey, device, 'f32'],
    choicesOf: [tune.choicesOf, tuned],
    isTuneResult: [tune.isTuneResult, tuned],
    indexedDbCache: [tune.indexedDbCache, 'name'],
    requestAdapter: [node.requestAdapter, { software: 'auto' }],
    requestDevice: [async (options) => (await node.requestDevice(options)).destroy(), { software: 'auto' }],
    shippedWeightsPath: [node.shippedWeightsPath, 3, 1],
    readShippedWeights: [node.readShippedWeights, 3, 1],
    exposureFromExif: [node.exposureFromExif, { time: 1, fNumber: 2, iso: 100, bias: 0 }],
    exposures: [
      node.exposures,
      [
        { name: 'a', exif: { time: 1, iso: 1 } },
        { name: 'b', exif: { time: 2, iso: 1 } },
      ],
    ],
    readFrame: [node.readFrame, paths[0], { colorSpace: 'p3' }],
    readStack: [
      node.readStack,
      paths,
      { exposures: [1, 2, 3], colorSpace: 'srgb', reference: 1, response: 'auto', onRead: () => 1, signal },
    ],
    outputFormat: [node.outputFormat, 'a.png'],
    checkOutputPath: [node.checkOutputPath, at('o.exr')],
    writeImage: [
      (...args) => (node.writeImage as Any)(at('o.dng'), ...args),
      { radiance: floats, ...SIZE, scale: 1, colorSpace: 'srgb', camera, exif: new Uint8Array(8) },
      { exr: 'half', tiff: 'half', tone: 'linear', quality: 90, signal },
    ],
    writeSamples: [
      (...args) => (node.writeSamples as Any)(at('s.tif'), ...args),
      { data: new Uint8Array(1200), ...SIZE, exif: new Uint8Array(8), icc: new Uint8Array(200) },
      { signal },
    ],
    checkMotionFolder: [node.checkMotionFolder, at('maps')],
    finishWith: [node.finishWith, device, 'natural'],
    'what finishWith gives': [
      async (...args) => {
        const finished: Any = await (node.finishWith(device, 'natural') as Any)(...args);
        finished.dispose();
      },
      picture,
      signal,
    ],
    writeMotionMaps: [node.writeMotionMaps, at('maps'), maps(() => map(0)), 20, 20, { signal }],
    readMotionMaps: [node.readMotionMaps, at('maps'), 3, 20, 20, 1],
    writeFileAtomic: [
      node.writeFileAtomic,
      at('file'),
      [new Uint8Array(3), { at: 0, bytes: new Uint8Array(1) }],
      { signal },
    ],
    'FileTuneCache.read': [
      (...args) => new (node.FileTuneCache as Any)({ path: at('tunings.json') }).read(...args),
      'key',
    ],
    'FileTuneCache.write': [
      (options, ...args) => new (node.FileTuneCache as Any)(options).write(...args),
      { path: at('tunings.json'), warn: () => 1 },
      'key',
      tuned,
    ],
  };
});

afterAll(() => {
  finisher.dispose();
  deghoster.dispose();
  rmSync(folder, { recursive: true });
});

/** Some arguments with another value in one place, for every place down to a depth. */
function* replaced(given: Any, value: () => unknown, depth: number, place = ''): Generator<[place: string, args: Any]> {
  const isLeaf = Object(given) !== given || ArrayBuffer.isView(given) || typeof given === 'function';
  if (isLeaf || whole.includes(given) || given instanceof AbortSignal || given instanceof Set) return;
  // Of long arrays the first value stands for all.
  for (const key of Object.keys(given).slice(0, 20)) {
    if (Array.isArray(given) && given.length > 20 && key !== '0') return;
    const change = (to: unknown): Any => Object.assign(Array.isArray(given) ? [...given] : { ...given }, { [key]: to });
    yield [`${place}.${key}`, change(value())];
    if (depth > 0)
      for (const [inner, to] of replaced(given[key], value, depth - 1, `${place}.${key}`)) yield [inner, change(to)];
  }
}

const ENTRIES: Any = { ...core, ...node, ...align, ...tune, ...warnings, ...finish };
const isClass = (value: unknown): boolean => typeof value === 'function' && /^class\b/.test(String(value));
const classes = Object.entries(ENTRIES).filter(([, value]) => isClass(value)) as [string, Any][];
/** Called with nothing. */
const TAKES_NOTHING = ['openPlatformDevice', 'listAdapters', 'removeTemporaryFiles', 'dispose'];

it('lists every entry', () => {
  const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as Any;
  const entries = Object.keys(exports).filter((path) => !/\.(json|safetensors)$/.test(path));
  expect(entries).toEqual(['.', './node', './finish', './align', './tune', './warnings']);
});

it('lists every function, and every method of every class, that is public', () => {
  const known = [...Object.keys(calls), ...TAKES_NOTHING];
  const functions = Object.entries(ENTRIES).filter(([, value]) => typeof value === 'function' && !isClass(value));
  expect(functions.map(([name]) => name).filter((name) => !known.includes(name))).toEqual([]);
  const methods = [...classes, ['OpenMerge', open.constructor] as [string, Any]].flatMap(([name, type]) =>
    [type, type.prototype].flatMap((holder) =>
      Object.entries(Object.getOwnPropertyDescriptors(holder))
        .filter(([key, { value }]) => typeof value === 'function' && !['constructor', 'prototype'].includes(key))
        .map(([key]) => `${name}.${key}`),
    ),
  );
  expect(methods.length).toBeGreaterThan(15);
  expect(methods.filter((name) => !known.includes(name) && !name.endsWith('.dispose'))).toEqual([]);
});

it('makes no object by a constructor from junk, or a whole one', () => {
  const wrong: string[] = [];
  const values: unknown[][] = [[], ...JUNK.flatMap((a) => [[a()], ...JUNK.map((b) => [a(), b(), b()])])];
  for (const [name, Class] of classes)
    for (const values_ of values) {
      const what = `new ${name}(${values_.map((value) => typeof value).join()})`;
      try {
        const made = new Class(...values_);
        // An error says something, whatever it is about.
        if (made instanceof Error && (typeof made.message !== 'string' || !(made instanceof core.DeghostError)))
          wrong.push(`${what} is no error of the library`);
      } catch (error) {
        if (!(error instanceof core.DeghostError)) wrong.push(`${what}: ${error}`);
      }
    }
  expect(wrong).toEqual([]);
  expect(classes.map(([name]) => name)).toEqual(expect.arrayContaining(['Deghoster', 'Finisher', 'FileTuneCache']));
});

it('refuses junk everywhere with errors of its own', async () => {
  const wrong: string[] = [];
  for (const [name, [call, ...args]] of Object.entries(calls)) {
    await call(...args);
    for (const junk of JUNK)
      for (const [place, changed] of replaced(args, junk, 3)) {
        try {
          await call(...changed);
        } catch (error) {
          if (!(error instanceof core.DeghostError) || error.message.includes('\n'))
            wrong.push(`${name}, argument ${place.slice(1)}: ${String(junk)}: ${error}`);
        }
      }
  }
  expect(wrong).toEqual([]);
});
