/** Small pictures of frames on the device: what is sampled of them is all that is read back. */
import type { DeviceFrame, Grid } from './graph/transfer.ts';
import { frameSize, isEightBit } from './image/frame.ts';
import type { Frame, FrameSource } from './image/frame.ts';
import { patchGrid } from './image/responsePairs.ts';
import type { Session } from './session.ts';

export function isDeviceFrame(frame: FrameSource): frame is DeviceFrame {
  return !('data' in frame);
}

/** A frame's patches as a small picture that has just these patches. */
export async function readPatches(session: Session, frame: DeviceFrame): Promise<Frame> {
  const { width, height } = frameSize(frame);
  const { step, cols, rows } = patchGrid(width, height);
  const [w, h] = [cols * Math.min(3, width), rows * Math.min(3, height)];
  return {
    ...(await readGrid(session, frame, { x: 0, y: 0, width: w, height: h, cell: 3, step })),
    exposure: frame.exposure,
    name: frame.name,
  };
}

/** A grid of a frame's pixels as a small picture, in 8 bits if the frame has 8 bits. */
export async function readGrid(
  session: Session,
  frame: DeviceFrame,
  grid: Grid,
): Promise<Pick<Frame, 'data' | 'width' | 'height'>> {
  const { width, height } = grid;
  const values = await (await session.transfer()).read(frame, grid);
  const scale = isEightBit(frame) ? 255 : 1;
  // A clamped array rounds.
  const data = new (isEightBit(frame) ? Uint8ClampedArray : Float32Array)(width * height * 3);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = values[4 * i + c] * scale;
  return { data, width, height };
}
