/** The brush: a thick line with round ends and a soft edge, over motion maps. */
import type { Stroke } from '../messages.ts';
import type { Rect, Size } from './viewer.ts';

/** What of the picture a line reaches; undefined for nothing. */
export function strokeRect(stroke: Stroke, { width, height }: Size): Rect | undefined {
  const reach = stroke.radius + 1;
  const x = clamp(Math.floor(Math.min(stroke.fromX, stroke.toX) - reach), 0, width);
  const y = clamp(Math.floor(Math.min(stroke.fromY, stroke.toY) - reach), 0, height);
  const rect = {
    x,
    y,
    width: clamp(Math.ceil(Math.max(stroke.fromX, stroke.toX) + reach), 0, width) - x,
    height: clamp(Math.ceil(Math.max(stroke.fromY, stroke.toY) + reach), 0, height) - y,
  };
  return rect.width > 0 && rect.height > 0 ? rect : undefined;
}

/**
 * Paints a line over the maps of a rectangle, one a frame. The reference's is never painted, because it is the union of
 * the others.
 */
export function brush(maps: readonly Float32Array[], rect: Rect, stroke: Stroke, reference: number): void {
  const { fromX, fromY, toX, toY, radius, hardness, value, motionOf } = stroke;
  const painted = maps.filter(
    (_, frame) => frame !== reference && (motionOf === 'all' || motionOf === reference || motionOf === frame),
  );
  const [dx, dy] = [toX - fromX, toY - fromY];
  const length2 = dx * dx + dy * dy;
  // The edge is at least one pixel of transition, half of it beyond the radius.
  const edge = Math.max(1, radius * (1 - hardness));
  for (let y = rect.y, i = 0; y < rect.y + rect.height; y++)
    for (let x = rect.x; x < rect.x + rect.width; x++, i++) {
      const [px, py] = [x + 0.5 - fromX, y + 0.5 - fromY];
      const t = length2 > 0 ? clamp((px * dx + py * dy) / length2, 0, 1) : 0;
      const cover = clamp((radius + 0.5 - Math.hypot(px - t * dx, py - t * dy)) / edge, 0, 1);
      if (cover === 0) continue;
      for (const map of painted) map[i] = value === 1 ? Math.max(map[i], cover) : Math.min(map[i], 1 - cover);
    }
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}
