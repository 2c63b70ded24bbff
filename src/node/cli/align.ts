/** `deghost align`: aligns the frames of a bracket and writes them, for other programs. */
import { basename, extname, join } from 'node:path';
import { coveredRectangle } from '../../align/crop.ts';
import type { Rectangle } from '../../align/crop.ts';
import { alignStack, warpFrame } from '../../align/resample.ts';
import type { FrameAlignment } from '../../align/types.ts';
import { InputError, UsageError, throwIfCancelled } from '../../errors.ts';
import { COLOR_SPACES } from '../../image/colorSpace.ts';
import type { ColorSpace } from '../../image/colorSpace.ts';
import { developColors } from '../../image/developColors.ts';
import { MAX_FRAMES, MIN_FRAMES, middleFrame } from '../../image/frame.ts';
import type { Frame } from '../../image/frame.ts';
import { encodeIccProfile } from '../../image/iccEncoder.ts';
import type { CameraColor } from '../../image/picture.ts';
import { stackResponse } from '../../image/stackResponse.ts';
import { requestAdapter } from '../adapter.ts';
import { openDevice } from '../../device.ts';
import { createFolder, removeFolders } from '../createFolder.ts';
import { currentFiles, expectDistinct } from '../files.ts';
import { shown } from '../problems.ts';
import { FileGroup, checkWritable } from '../writeFile.ts';
import { writeSamples } from '../writeSamples.ts';
import { choiceOption, integerOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { adapterOption, budgetOption } from './engineOptions.ts';
import { parseEv, parseTimes } from './exposureArgs.ts';
import { alignmentJson } from './alignmentReport.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';
import { readSortedStack } from './mergeStack.ts';
import type { Stack } from './mergeStack.ts';

export async function alignCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, flags, positionals: inputs } = args;
  const { signal } = io;
  if (inputs.length < MIN_FRAMES || inputs.length > MAX_FRAMES)
    throw new UsageError(
      `${inputs.length} pictures given, ${MIN_FRAMES} to ${MAX_FRAMES} are aligned: \`deghost align IMG... -o DIR\``,
    );
  if (values.output === undefined) throw new UsageError('no output given: add -o DIR, a folder for the aligned frames');
  if (values.ev !== undefined && values.times !== undefined)
    throw new UsageError('--ev and --times are both given: give one of them');
  const method = choiceOption(args, 'align', ['auto', 'homography', 'mesh'] as const, 'auto');
  const format = choiceOption(args, 'format', ['tif', 'png'] as const, 'tif');
  const color = choiceOption(args, 'color', COLOR_SPACES, 'srgb');
  const reference = (integerOption(args, 'reference', 1, inputs.length) ?? middleFrame(inputs.length) + 1) - 1;
  const exposures =
    values.ev !== undefined
      ? parseEv(values.ev, inputs.length)
      : values.times !== undefined
        ? parseTimes(values.times, inputs.length)
        : undefined;
  expectDistinct(inputs);
  const folder = values.output;
  const outputs = outputPaths(inputs, folder, format);
  const message = (text: string): void => void (flags.has('quiet') || say(io, text));
  const group = new FileGroup();
  let device: GPUDevice | undefined;
  // Before the work: what cannot be written is told at once.
  const created = await createFolder(folder);
  try {
    for (const output of outputs) await checkWritable(output);
    const { adapter } = await requestAdapter({ software: adapterOption(args) });
    const stack = await readSortedStack({ inputs, exposures, color, reference, response: undefined }, signal);
    const { frames, width, height } = stack;
    const named = stack.images.map((image, i) => ({ ...image, name: inputs[i] }));
    const linear = stackResponse(named).response === 'linear';
    device = await openDevice(adapter);
    const { alignment } = await alignStack(device, frames, {
      reference,
      method,
      linear,
      memoryBudget: budgetOption(args),
      signal,
    });
    const crop = flags.has('crop') ? cropOf(stack, alignment) : undefined;
    const lines: string[] = [];
    for (const [k, frame] of frames.entries()) {
      const found = alignment[k];
      const isMoved = found.kind !== 'none' && found.kind !== 'reference';
      const fine = sixteenBits(frame);
      const aligned = isMoved ? await warpFrame(device, fine, found, { signal }) : fine;
      const path = outputs[stack.order[k]];
      const { exifBlock: exif } = stack.images[stack.order[k]];
      const colored = stack.camera ? await developed(aligned, stack.camera, color, signal) : aligned;
      const picture = crop ? cut(colored, crop) : colored;
      await group.with(() =>
        writeSamples(
          path,
          {
            data: picture.data as Uint16Array,
            width: picture.width,
            height: picture.height,
            exif,
            icc: encodeIccProfile(color, linear ? 'linear' : 'srgb'),
          },
          { signal },
        ),
      );
      const what = found.failed && found.kind === 'none' ? 'not aligned, nothing could be trusted' : found.kind;
      lines.push(`${path}: ${what}${isMoved ? `, by ${found.displacement.toFixed(1)} px` : ''}`);
    }
    throwIfCancelled(signal);
    group.commit();
    lines.forEach(message);
    if (flags.has('json'))
      io.stdout.write(
        json({
          width: crop?.width ?? width,
          height: crop?.height ?? height,
          crop: crop ?? null,
          reference: reference + 1,
          frames: frames.map((frame, k) => ({
            file: inputs[stack.order[k]],
            output: outputs[stack.order[k]],
            exposure: frame.exposure,
            alignment: alignmentJson(alignment[k]),
          })),
        }),
      );
  } catch (error) {
    group.discard();
    if (created !== undefined) await removeFolders(folder, created);
    throw error;
  } finally {
    device?.destroy();
  }
}

/** One file for each picture. @throws UsageError where two have one name, or a picture would be overwritten. */
function outputPaths(inputs: readonly string[], folder: string, format: string): string[] {
  const paths = inputs.map((input) => join(folder, `${basename(input, extname(input))}.${format}`));
  paths.forEach((path, i) => {
    const other = paths.indexOf(path);
    if (other !== i)
      throw new UsageError(
        `${shown(inputs[other])} and ${shown(inputs[i])} would both become ${shown(path)}: rename one`,
      );
  });
  const files = currentFiles();
  for (const input of inputs) files?.reads('the picture', input);
  for (const path of paths) files?.writes('--output', path);
  return paths;
}

/** A RAW frame of 16 bit in a working space, linear. */
async function developed(frame: Frame, camera: CameraColor, space: ColorSpace, signal: AbortSignal): Promise<Frame> {
  const linear = Float32Array.from(frame.data, (value) => value / 65535);
  const colored = await developColors(linear, camera, space, { signal });
  return { ...frame, data: Uint16Array.from(colored, (value) => Math.round(65535 * Math.min(1, value))) };
}

/** A frame of 8 bits in 16, so that resampling it loses nothing. */
function sixteenBits(frame: Frame): Frame {
  const { data } = frame;
  if (data instanceof Uint16Array) return frame;
  const scale = data instanceof Float32Array ? 65535 : 257;
  return { ...frame, data: Uint16Array.from(data, (value) => Math.round(value * scale)) };
}

function cropOf({ frames, width, height }: Stack, alignment: readonly FrameAlignment[]): Rectangle {
  const covering = alignment.map(({ kind, matrix, mesh }, k) => ({
    ...(kind !== 'none' && kind !== 'reference' && { warp: { matrix, mesh } }),
    coverage: frames[k].coverage,
  }));
  const crop = coveredRectangle({ width, height }, covering);
  if (!crop) throw new InputError('no part of the picture is covered by all frames: leave --crop out');
  return crop;
}

function cut(frame: Frame, { x, y, width, height }: Rectangle): Frame {
  const data = new Uint16Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const at = 3 * ((y + row) * frame.width + x);
    data.set(frame.data.subarray(at, at + 3 * width), 3 * row * width);
  }
  return { ...frame, data, width, height };
}
