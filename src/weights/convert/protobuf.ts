/**
 * The wire format of protocol buffers (https://protobuf.dev/programming-guides/encoding/), which ONNX and TensorFlow
 * use: fields in order, not yet understood.
 */
import { damaged } from './checkpoint.ts';

/** A field: its number and its value, a number (varint, fixed) or bytes. */
export interface Field {
  number: number;
  /** Of varints and of 8 bytes, as an unsigned integer; of 4 bytes too. */
  integer?: bigint;
  /** Of a text, a message or packed numbers. */
  bytes?: Uint8Array;
}

/** Reads the fields of a message. @throws InputError naming the file if they do not fill it exactly. */
export function* fields(bytes: Uint8Array, name: string): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (at >= bytes.length) damaged(name, 'a number is cut off');
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return damaged(name, 'a number of more than 10 bytes');
  }
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (number < 1 || number >= 2 ** 29) damaged(name, `a field has the number ${number}`);
    if (wire === 0) {
      yield { number, integer: varint() };
      continue;
    }
    const length = wire === 1 ? 8 : wire === 5 ? 4 : wire === 2 ? Number(varint()) : -1;
    if (length < 0) damaged(name, `field ${number} has the unknown wire type ${wire}`);
    if (length > bytes.length - at) damaged(name, `field ${number} has ${length} bytes, ${bytes.length - at} are left`);
    const start = at;
    at += length;
    if (wire === 1) yield { number, integer: view.getBigUint64(start, true) };
    else if (wire === 5) yield { number, integer: BigInt(view.getUint32(start, true)) };
    else yield { number, bytes: bytes.subarray(start, at) };
  }
}

/** A text field. @throws InputError */
export function textOf({ bytes }: Field, name: string): string {
  if (!bytes) return damaged(name, 'a number where a text belongs');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return damaged(name, 'a text is not UTF-8');
  }
}

/** A message field. @throws InputError */
export function messageOf({ bytes }: Field, name: string): Uint8Array {
  return bytes ?? damaged(name, 'a number where a message belongs');
}

/** A field of one integer, as a number; negative ones are two's complement. @throws InputError */
export function integerOf({ integer }: Field, name: string): number {
  return integer === undefined ? damaged(name, 'a message where a number belongs') : Number(BigInt.asIntN(64, integer));
}

/** The integers of a repeated field, packed or one by one. @throws InputError */
export function integersOf(field: Field, name: string): number[] {
  if (!field.bytes) return [integerOf(field, name)];
  const { bytes } = field;
  const found: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      if (at >= bytes.length || shift > 63n) damaged(name, 'a packed number is cut off');
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) break;
    }
    found.push(Number(BigInt.asIntN(64, value)));
  }
  return found;
}
