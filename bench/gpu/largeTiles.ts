/**
 * The tuner on tiles as merges cut them, which fill a large GPU: the tiles of 256x256 that `deghost tune` uses give
 * such a GPU about one warp per scheduler, and stay in its cache.
 *
 *     npx tsx bench/gpu/largeTiles.ts [--adapter gpu] [--tiny] [--limit 20]
 *
 * A row for each class of steps and precision, with what `deghost tune` chose here, if it ran. Nothing is kept.
 */
import { parseArgs } from 'node:util';
import { Gpu } from '../../src/device.ts';
import { loadWeights } from '../../src/index.ts';
import type { DType } from '../../src/kernels/tensor.ts';
import { readShippedWeights } from '../../src/node/index.ts';
import { benchLayers, layerRows } from '../layers.ts';
import { parseNumber } from '../options.ts';
import { tuningOf } from '../tuning.ts';
import { COMMON, main, openGpu, row, say } from './program.ts';

const { values } = parseArgs({ options: { ...COMMON, limit: { type: 'string', default: '20' } } });

const SIDE = values.tiny ? 32 : 640;
/** Software adapters compile a 3x3 for up to minutes, and nothing stops them. */
const filter = values.tiny ? (name: string): boolean => name.includes('1x1') : undefined;

await main('largeTiles', async () => {
  const limitMs = 1000 * parseNumber('limit', values.limit, 1);
  const { device } = await openGpu(values.adapter);
  const gpu = new Gpu(device);
  const { config } = await loadWeights(await readShippedWeights(3));
  for (const precision of ['f32', ...(gpu.capabilities.f16 ? ['f16'] : [])] as DType[]) {
    const kept = await tuningOf(device, precision);
    const found = await benchLayers(gpu, { config, precision, side: SIDE, limitMs, filter });
    for (const layer of layerRows(found)) {
      const { name, share, chosen } = layer;
      const tuned = kept?.classes.find((known) => known.name === name)?.chosen;
      row({ ...layer, tuned: tuned ?? null });
      say(
        `${precision} ${(100 * share).toFixed(1)} % ${name}: ` +
          `${chosen}${tuned && tuned !== chosen ? ` (deghost tune chose ${tuned})` : ''}`,
      );
    }
    if (found.unreached.length)
      say(`${precision}: ${found.unreached.length} classes were not reached in ${values.limit} s`);
  }
});
