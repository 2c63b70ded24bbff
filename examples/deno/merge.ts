// Bracketed PNGs in, a Radiance .hdr out, with Deno's own WebGPU:
//     deno run -A merge.ts --ev=-2,0,2 a.png b.png c.png -o out.hdr
//
// The exposures are given in stops. The weights are those that come with deghost, or --weights FILE.
import { parseArgs } from 'node:util';
import { Deghoster, encodeRgbe } from 'deghost';
import type { Frame } from 'deghost';
import { decode } from 'fast-png';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', short: 'o', default: 'out.hdr' },
    ev: { type: 'string', default: '-2,0,2' },
    weights: { type: 'string' },
  },
});

/** A PNG as a frame: 8 or 16 bits, RGB, with or without alpha. */
async function readFrame(path: string, exposure: number): Promise<Frame> {
  const { data, width, height, channels } = decode(await Deno.readFile(path));
  if (channels < 3) throw new Error(`${path} has ${channels} channel(s), RGB is needed`);
  const rgb = data instanceof Uint16Array ? new Uint16Array(width * height * 3) : new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels + (i % 3)];
  return { data: rgb, width, height, exposure, name: path };
}

const exposures = values.ev.split(',').map((ev) => 2 ** Number(ev));
const frames = await Promise.all(positionals.map((path, i) => readFrame(path, exposures[i])));
const shipped = import.meta.resolve(`deghost/weights/${frames.length === 3 ? 'fixed' : 'any'}.safetensors`);

const deghoster = await Deghoster.create({ weights: await Deno.readFile(values.weights ?? new URL(shipped)) });
const { radiance, width, height, scale } = await deghoster.merge(frames, {
  onProgress: ({ stage, fraction }) =>
    Deno.stderr.writeSync(new TextEncoder().encode(`\r${stage} ${Math.round(100 * fraction)} %   `)),
});
deghoster.dispose();

await Deno.writeFile(values.output, ReadableStream.from(encodeRgbe(radiance, width, height, scale)));
console.log(`\n${values.output}: ${width}x${height}`);
