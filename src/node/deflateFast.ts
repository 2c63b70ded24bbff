/** Node's deflate, in its threads, for the formats that are streamed. */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const deflateAsync = promisify(deflate);

/** At higher levels half floats hardly shrink further but take twice the time. */
export const deflateFast = (bytes: Uint8Array): Promise<Uint8Array> => deflateAsync(bytes, { level: 4 });
