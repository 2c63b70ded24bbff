/** Damaged and lying checkpoints: each is read, or refused by one line that names the file. Nothing of it is run. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { decodeAssigned, propose } from '../../../src/weights/convert/propose.ts';
import { rng } from '../../reference/random.ts';
import type { Rng } from '../../reference/random.ts';
import { FOLDER, goldenBytes, open, refusal } from './open.ts';
import { field } from './tensorflowBundle.ts';

/** DEGHOST_MUTATIONS=10000 runs that many, in half a minute. */
const MUTATIONS = Number(process.env.DEGHOST_MUTATIONS ?? 3000);

/** Changes bytes, cuts, or copies a part over another; half of the changes lie near the ends, where headers are. */
function mutate(bytes: Uint8Array, random: Rng): Uint8Array {
  let out = bytes;
  for (let n = random.int(1, 4); n > 0 && out.length > 1; n--) {
    const last = out.length - 1;
    const near = random.int(0, Math.min(3000, last));
    const at = random.pick([random.int(0, last), near, last - near]);
    const kind = random.next();
    if (kind < 0.5) out[at] = random.int(0, 255);
    else if (kind < 0.6) out[at] = random.pick([0, 127, 128, 255]);
    else if (kind < 0.75) out.fill(random.pick([0, 255]), at, at + random.int(1, 8));
    else if (kind < 0.85) out = out.slice(0, at);
    else out.copyWithin(random.int(0, last), at, at + random.int(1, 40));
  }
  return out;
}

describe('mutated checkpoints', () => {
  it(`are read, or refused with one line: ${MUTATIONS} of them`, { timeout: 1_200_000 }, async () => {
    const random = rng(1);
    const files = readdirSync(FOLDER).filter((file) => !file.endsWith('.data'));
    const outcomes = { read: 0, refused: 0 };
    for (let i = 0; i < MUTATIONS; i++) {
      const file = files[i % files.length];
      const [bytes, beside] = goldenBytes(file);
      try {
        const checkpoint = await open(mutate(bytes, random), file, beside);
        decodeAssigned(checkpoint, await propose(checkpoint, { name: file }));
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof InputError)) throw new Error(`mutation ${i} of ${file}`, { cause: error });
        expect(error.message, `mutation ${i}`).toMatch(new RegExp(`^${file}: [^\\r\\n]+$`));
        outcomes.refused++;
      }
    }
    // Both happen, or the mutations are too mild or too harsh to say anything.
    expect(outcomes.read).toBeGreaterThan(MUTATIONS / 10);
    expect(outcomes.refused).toBeGreaterThan(MUTATIONS / 3);
  });
});

describe('files that are no checkpoints', () => {
  it.each<[string, Uint8Array | string, RegExp]>([
    ['nothing', '', /the file is empty/],
    ['a web page', '<!DOCTYPE html><html>', /a web page, not a checkpoint/],
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1', /a Git LFS pointer/],
    ['a picture', '\x89PNG\r\n\x1a\n', /its format is unknown/],
    ['an empty zip', `PK\x05\x06${'\0'.repeat(18)}`, /a zip file of something else/],
    ['a zip without a directory', `PK\x03\x04${'\0'.repeat(60)}`, /its zip directory cannot be read/],
    ['HDF5 that ends at once', '\x89HDF\r\n\x1a\n', /x\.pt: it cannot be read/],
    ['ONNX without a graph', '\x08\x08', /it has no graph/],
    ['ONNX that is cut off', '\x08\x08\x3a\x7f', /field 7 has 127 bytes, 0 are left/],
  ])('%s', async (_, bytes, expected) => {
    const message = await refusal(open(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
    expect(message).toMatch(expected);
    expect(message).toMatch(/^x\.pt: /);
  });
});

describe('ONNX that lies', () => {
  const text = (value: string): number[] => [...Buffer.from(value)];
  const tensor = (...fields: number[][]): number[] => fields.flat();
  const model = (...tensors: number[][]): Uint8Array =>
    Uint8Array.from([
      ...field(1, 8),
      ...field(
        7,
        tensors.flatMap((one) => field(5, one)),
      ),
    ]);
  const named = (...fields: number[][]) => tensor(field(8, text('a')), field(2, 1), ...fields);
  const external = (...pairs: [string, string][]) =>
    named(
      field(1, 2),
      field(14, 1),
      ...pairs.map(([key, value]) => field(13, [...field(1, text(key)), ...field(2, text(value))])),
    );

  it.each<[string, Uint8Array, RegExp]>([
    ['about its values', model(named(field(1, 3), field(9, [0, 0, 0, 0]))), /\[3\] of f32 needs 12 bytes, it has 4/],
    ['about its size', model(named(field(1, 2 ** 40), field(9, []))), /more than 268435456 values/],
    ['about a negative side', model(named([8, ...Array(9).fill(255), 1], field(9, []))), /sides must be whole numbers/],
    ['with one name twice', model(named(field(1, 0)), named(field(1, 0))), /two initialisers have the name "a"/],
    ['with segments', model(named(field(3, []))), /a tensor in segments/],
    ['with a place outside', model(external(['location', '../secret'])), /no file "\.\.\/secret"/],
    ['with data that ends early', model(external(['location', 'd'], ['offset', '4'])), /has 0|needs 8 bytes, it has 0/],
    [
      'with data beyond its end',
      model(external(['location', 'd'], ['offset', '4'], ['length', '8'])),
      /ends at byte 12 of "d"/,
    ],
    ['with an offset that is none', model(external(['location', 'd'], ['offset', '-4'])), /offset is "-4"/],
  ])('%s', async (_, bytes, expected) => {
    expect(await refusal(open(bytes, 'x.onnx', { d: new Uint8Array(4) }))).toMatch(expected);
  });
});
