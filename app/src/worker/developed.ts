/** A merge's radiance in the working space: for the view, and to choose tones by. That of RAW files is the camera's. */
import { developColors } from '../../../src/image/developColors.ts';
import type { MergedImage } from '../../../src/image/picture.ts';

export async function developed({
  radiance,
  camera,
  colorSpace = 'srgb',
}: Pick<MergedImage, 'radiance' | 'camera' | 'colorSpace'>): Promise<Float32Array> {
  return camera ? developColors(radiance, camera, colorSpace) : radiance;
}
