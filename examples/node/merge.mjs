// Bracketed pictures in, an HDR picture out: node merge.mjs a.jpg b.jpg c.jpg -o out.hdr
//
// The exposures come from EXIF, or from --ev=-2,0,2. The weights are those that come with deghost, or --weights FILE.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Deghoster } from 'deghost';
import { readShippedWeights, readStack, requestDevice, writeImage } from 'deghost/node';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', short: 'o', default: 'out.hdr' },
    ev: { type: 'string' },
    weights: { type: 'string' },
  },
});

const exposures = values.ev?.split(',').map((ev) => 2 ** Number(ev));
const { frames, response, camera, exif, notes } = await readStack(positionals, { exposures });
for (const note of notes) console.error(note);
const weights = values.weights ? await readFile(values.weights) : await readShippedWeights(frames.length);

const device = await requestDevice();
const deghoster = await Deghoster.create({ weights, device });
const result = await deghoster.merge(frames, {
  response,
  onProgress: ({ stage, fraction }) => process.stderr.write(`\r${stage} ${Math.round(100 * fraction)} %   `),
});
const reference = result.order[result.reference];
// Of RAW files, the camera's colours become a picture's here.
await writeImage(values.output, { ...result, camera, exif: exif[reference] });

deghoster.dispose();
device.destroy(); // deghost never destroys a device that it was given
console.log(`\n${values.output}: ${result.width}x${result.height}, moment of ${frames[reference].name}`);
