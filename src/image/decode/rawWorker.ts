/**
 * The program of the workers that run LibRaw, one file each: LibRaw works without a pause, its memory never shrinks,
 * and a failure may leave it unusable. A worker that ends takes all of that with it.
 *
 * It is a text, so that bundlers, Node and the page's policy all take it as it is. Messages: it gets a `RawRequest` and
 * answers with one `RawAnswer`.
 */
import type { RawMetadata, RawPicture } from './raw.ts';

/** What a worker is asked. */
export interface RawRequest {
  /** URL of libraw-wasm's script. */
  script: string;
  /** libraw-wasm's .wasm, compiled once for all workers. */
  module: WebAssembly.Module;
  bytes: Uint8Array;
  /** LibRaw's parameters; absent to read the metadata alone. */
  settings?: Record<string, unknown>;
}

/** What it answers: metadata, with the picture if settings were given; or why not. */
export type RawAnswer =
  | { metadata: RawMetadata; picture?: RawPicture }
  | { problem: string; isMissing?: boolean; isOutOfMemory?: boolean };

/** How long a worker may take for a file: the largest take a minute or two. */
export const RAW_MINUTES = 15;

const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'number');

/** What a worker sent, as an answer: a worker that fails may send anything, or nothing that can be read. */
export function readRawAnswer(message: unknown): RawAnswer {
  const { problem, metadata, picture } = Object(message) as { problem?: unknown } & Record<string, object | undefined>;
  if (typeof problem === 'string') return message as RawAnswer;
  const { width, height, color_data: color } = Object(metadata) as RawMetadata;
  const { cam_mul, pre_mul, cam_xyz, dng_color, dng_levels } = Object(color) as NonNullable<typeof color>;
  const isColor =
    isNumbers(cam_mul) &&
    isNumbers(pre_mul) &&
    [cam_xyz, ...(Array.isArray(dng_color) ? dng_color.flatMap((d) => [d?.colormatrix, d?.calibration]) : [0])].every(
      (table) => Array.isArray(table) && table.every(isNumbers),
    ) &&
    isNumbers(dng_levels?.analogbalance);
  const isPicture = picture === undefined || (picture as RawPicture | null)?.data instanceof Uint16Array;
  const isRead = isNumbers([width, height]) && (color === undefined || isColor) && isPicture;
  return isRead ? (message as RawAnswer) : { problem: 'LibRaw gave no answer that can be read' };
}

/** An ECMAScript program for Node's and the browser's workers. */
export const RAW_WORKER = `
const node = typeof process === 'object' && process.versions?.node && (await import('node:worker_threads'));
const answer = (message, transfer) =>
  node ? node.parentPort.postMessage(message, transfer) : self.postMessage(message, transfer);
const develop = async ({ script, module, bytes, settings }) => {
  let start;
  try {
    start = (await import(script)).default;
  } catch (error) {
    return answer({ problem: String(error?.message ?? error), isMissing: true });
  }
  const said = [];
  try {
    const note = (text) => void said.push(String(text));
    // The library itself waits for ever where its code cannot be instantiated.
    const library = await new Promise((resolve, reject) => {
      start({
        instantiateWasm: (imports, done) =>
          void WebAssembly.instantiate(module, imports).then((instance) => done(instance, module)).catch(reject),
        print: note,
        printErr: note,
      }).then(resolve, reject);
    });
    const raw = new library.LibRaw();
    raw.open(bytes, settings ?? {});
    const metadata = raw.metadata(true);
    if (!settings) return answer({ metadata });
    const { width, height, colors, bits, data } = raw.imageData();
    // LibRaw develops what there is of a cut or damaged file, and only prints that it is.
    const damage = said.find((text) => /end of file|corrupted/i.test(text));
    if (damage) return answer({ problem: damage });
    const own = new Uint16Array(data.length);
    own.set(data);
    answer({ metadata, picture: { width, height, colors, bits, data: own } }, [own.buffer]);
  } catch (error) {
    // LibRaw's C++ exceptions carry no text; it prints one for some files.
    const why = error instanceof Error ? error.message : typeof error === 'string' ? error : '';
    const problem = [why, ...said.slice(-1)].filter(Boolean).join('; ');
    answer({ problem, isOutOfMemory: /memory|allocat|bad_alloc/i.test(problem) });
  }
};
if (node) node.parentPort.once('message', develop);
else self.onmessage = ({ data }) => develop(data);
`;
