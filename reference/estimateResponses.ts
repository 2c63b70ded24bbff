/**
 * Runs the engine's own estimate of the camera's response (`--response auto`) on rendered stacks, for responses.py.
 *
 *   npx tsx estimateResponses.ts FOLDER
 *
 * FOLDER/N.json is { "width", "height", "exposures" }, FOLDER/N.rgb the frames' bytes, interleaved RGB, one after the
 * other. FOLDER/responses.json becomes an array of { r, g, b, estimated }: the inverse response at the 256 codes, and
 * whether it was estimated or the prior stands.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { estimateResponse } from '../src/image/response.ts';

interface Shape {
  width: number;
  height: number;
  exposures: number[];
}

const [, , folder] = process.argv;
if (!folder) throw new Error('estimateResponses.ts FOLDER');
const count = readdirSync(folder).filter((name) => name.endsWith('.rgb')).length;
const out = Array.from({ length: count }, (_, i) => {
  const { width, height, exposures } = JSON.parse(readFileSync(join(folder, `${i}.json`), 'utf8')) as Shape;
  const bytes = new Uint8Array(readFileSync(join(folder, `${i}.rgb`)));
  const size = 3 * width * height;
  const { response, report } = estimateResponse(
    exposures.map((exposure, k) => ({ data: bytes.subarray(k * size, (k + 1) * size), width, height, exposure })),
  );
  return { ...response, estimated: report.kind === 'estimated' };
});
writeFileSync(join(folder, 'responses.json'), JSON.stringify(out));
