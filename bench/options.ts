/** Reads and checks the options of the command lines. */
import { existsSync } from 'node:fs';
import { UsageError } from '../src/errors.ts';
import type { Contestant } from './engine.ts';

/** Sizes `WIDTHxHEIGHT`, separated by commas. */
export function parseSizes(text: string): { width: number; height: number }[] {
  return text.split(',').map((size) => {
    const match = /^(\d+)x(\d+)$/.exec(size.trim());
    const [width, height] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
    if (width < 16 || height < 16)
      throw new UsageError(`--sizes: "${size}" is not a size of at least 16x16: write for example 256x256,512x384`);
    return { width, height };
  });
}

/** `all`, `none`, or ids separated by commas. */
export function parsePeers(text: string, peers: readonly Contestant[]): Contestant[] {
  if (text === 'all') return [...peers];
  if (text === 'none') return [];
  return text.split(',').map((id) => {
    const found = peers.find((peer) => peer.id === id.trim());
    if (!found)
      throw new UsageError(`--peers: "${id}" is none of all, none, ${peers.map((peer) => peer.id).join(', ')}`);
    return found;
  });
}

export function parseNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!(value >= least)) throw new UsageError(`--${option} is "${text}", it must be a number of at least ${least}`);
  return value;
}

/** A file that must be there. */
export function parseFile(option: string, file: string | undefined): string | undefined {
  if (file !== undefined && !existsSync(file)) throw new UsageError(`--${option}: there is no file ${file}`);
  return file;
}
