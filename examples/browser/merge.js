// Bracketed pictures in, an HDR picture out, in a page without a bundler. Any server of files will do, from the
// package's folder:
//
//   python3 -m http.server      and then http://localhost:8000/examples/browser/
//
// The weights are those that come with deghost, or those at ?weights=URL.
import { Deghoster, encodeRgbe, toneMap } from 'deghost';

const element = (id) => document.getElementById(id);
const say = (text) => (element('status').value = text);

async function fetchWeights(count) {
  const given = new URLSearchParams(location.search).get('weights');
  const response = await fetch(
    given ?? import.meta.resolve(`deghost/weights/${count === 3 ? 'fixed' : 'any'}.safetensors`),
  );
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

async function merge(files, stops) {
  const images = await Promise.all(files.map((file) => createImageBitmap(file))); // upright, sRGB
  const frames = images.map((image, i) => ({ image, exposure: 2 ** (stops * i), name: files[i].name }));
  const deghoster = await Deghoster.create({ weights: await fetchWeights(frames.length) });
  try {
    return await deghoster.merge(frames, {
      onProgress: ({ stage, fraction }) => say(`${stage} ${Math.round(100 * fraction)} %`),
    });
  } finally {
    deghoster.dispose();
    images.forEach((image) => image.close());
  }
}

function show({ radiance, width, height, scale }) {
  const rgb = toneMap(radiance);
  const picture = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) picture.data.set([rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2], 255], 4 * i);
  const canvas = element('canvas');
  Object.assign(canvas, { width, height });
  canvas.getContext('2d').putImageData(picture, 0, 0);

  const save = element('save');
  URL.revokeObjectURL(save.href);
  save.href = URL.createObjectURL(new Blob([...encodeRgbe(radiance, width, height, scale)]));
  save.hidden = false;
}

element('merge').addEventListener('click', async () => {
  element('merge').disabled = true;
  try {
    show(await merge([...element('files').files], Number(element('stops').value)));
    say('done');
  } catch (error) {
    say(error.message);
  }
  element('merge').disabled = false;
});
