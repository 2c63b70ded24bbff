/** What the page's worker and the workers of its decoders in WebAssembly say to each other (wasmWorker.ts). */
import type { StoredPicture } from '../../../../src/image/decode/channels.ts';
import type { ExposureInfo } from '../../../../src/image/exif.ts';

/** The formats that packages in WebAssembly decode. */
export type WasmFormat = 'exr' | 'jxl' | 'heic' | 'avif';

/** A file to decode, or `preload`: to fetch the scripts of all packages, so that they are in the browser's cache. */
export type WasmRequest =
  | { format: WasmFormat; program: WebAssembly.Module; bytes: Uint8Array; name: string }
  | 'preload';

/** A picture without its colours, which hold functions: the page's worker has them by the header. */
export type Colorless = Omit<StoredPicture, 'color'> & { exif?: ExposureInfo };

/** JPEG XL becomes a PNG. */
export type WasmResult = Colorless | { png: Uint8Array<ArrayBuffer> };

/** What a decoder's worker says: how large the picture is, where the header alone does not; then the answer. */
export type WasmAnswer =
  | { pixels: number }
  | { result: WasmResult | undefined }
  | { problem: string; kind: 'input' | 'memory' | 'other' };
