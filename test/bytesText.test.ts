import { expect, it } from 'vitest';
import { bytesText, enoughBytesText } from '../src/bytesText.ts';

it.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [10.04 * 1024, '10.0 KiB'],
  [1024 * 1024 - 1, '1024 KiB'],
  [99.94 * 2 ** 20, '99.9 MiB'],
  [512 * 2 ** 20, '512 MiB'],
  [1.5 * 2 ** 30, '1.5 GiB'],
  [2 ** 52, '4096 TiB'],
])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

it.each([
  [1023, '1023 bytes'],
  [10.04 * 1024, '10.1 KiB'],
  [123.2 * 2 ** 20, '124 MiB'],
  [5 * 2 ** 20, '5.0 MiB'],
])('%d bytes, rounded up, are %s', (bytes, text) => expect(enoughBytesText(bytes)).toBe(text));
