/** Checks warps and sizes that callers give to `deghost/align`. */
import { OBJECT, SIDE, arrayOf, expect, whole, wrongText } from '../checks.ts';
import { InputError } from '../errors.ts';
import type { Size } from './homography.ts';
import type { Mesh, Warp } from './types.ts';

/** Shifts are interpolated between two nodes at least. */
const NODES = /* @__PURE__ */ whole(2, 2 ** 16);

/** A size that was read once. @throws UsageError */
export function readSize(given: Size): Size {
  expect('size', given, OBJECT);
  const { width, height } = given;
  expect('width', width, SIDE);
  expect('height', height, SIDE);
  return { width, height };
}

/**
 * A warp that was read once.
 * @param name for messages.
 * @throws UsageError; InputError for a matrix or a mesh that is none.
 */
export function readWarp(name: string, given: Warp): Warp {
  expect(name, given, OBJECT);
  const { matrix, mesh } = given;
  const isRight = (Array.isArray(matrix) || ArrayBuffer.isView(matrix)) && matrix.length === 9;
  const numbers = isRight ? Array.from(matrix) : [];
  if (!numbers.every(Number.isFinite) || !numbers[8])
    throw new InputError(wrongText(`${name}: matrix`, matrix, '9 finite numbers, of which the last is not 0'));
  return { matrix: numbers, ...(mesh !== undefined && { mesh: readMesh(`${name}: mesh`, mesh) }) };
}

function readMesh(name: string, given: Mesh): Mesh {
  expect(name, given, OBJECT);
  const { columns, rows } = given;
  expect(`${name}: columns`, columns, NODES);
  expect(`${name}: rows`, rows, NODES);
  const shifts = arrayOf<Float32Array>(`${name}: shifts`, given.shifts, [Float32Array]);
  if (shifts.length !== columns * rows * 2)
    throw new InputError(`${name}: ${shifts.length} shifts, ${columns}x${rows} nodes need ${columns * rows * 2}`);
  if (!shifts.every(Number.isFinite))
    throw new InputError(`${name}: shifts hold ${shifts.find((v) => !Number.isFinite(v))}, all must be finite`);
  return { columns, rows, shifts };
}
