/**
 * Detects a picture's format from the file's first bytes. The name decides only between TIFF and the RAW formats built
 * on it: RAW files hold sensor data, and many a small preview that a TIFF reader would take for the picture.
 *
 * Formats that cannot be read are refused here by name, with a way to convert the file.
 */
import { InputError } from '../errors.ts';

export type PictureFormat =
  | 'jpeg'
  | 'png'
  | 'tiff'
  | 'npy'
  | 'webp'
  | 'avif'
  | 'heic'
  | 'jxl'
  | 'exr'
  | 'radiance'
  | 'raw';

const SUPPORTED = 'JPEG, PNG, TIFF, WebP, AVIF, HEIC, JPEG XL, OpenEXR, Radiance, NPY and RAW are read';
const CONVERT_HINT = 'convert it to PNG or TIFF first';

const RAW_EXTENSIONS = new Set(
  (
    '3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf pef ptx pxn r3d ' +
    'raf raw rw2 rwl rwz sr2 srf srw x3f'
  ).split(' '),
);

const startsWith = (bytes: Uint8Array, at: number, text: string) => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

/** [offset, bytes, name, hint] of known formats that are not read. */
const REFUSED: readonly (readonly [number, string, string, string])[] = [
  [0, 'GIF8', 'GIF', CONVERT_HINT],
  [0, 'BM', 'BMP', CONVERT_HINT],
  [0, '8BPS', 'Photoshop', CONVERT_HINT],
  [4, 'jP  ', 'JPEG 2000', CONVERT_HINT],
  [0, '\xff\x4f\xff\x51', 'JPEG 2000', CONVERT_HINT],
  [0, '%PDF', 'PDF', CONVERT_HINT],
  [0, 'PK\x03\x04', 'ZIP archive', 'unpack it and pass the pictures'],
  [0, '<svg', 'vector (SVG)', CONVERT_HINT],
];

/** [offset, bytes] of formats that are read. */
const READ: readonly (readonly [number, string, PictureFormat])[] = [
  [0, '\xff\xd8\xff', 'jpeg'],
  [0, '\x89PNG\r\n\x1a\n', 'png'],
  [0, '\x93NUMPY', 'npy'],
  [8, 'WEBP', 'webp'],
  [0, '\xff\x0a', 'jxl'],
  [4, 'JXL ', 'jxl'],
  [0, '\x76\x2f\x31\x01', 'exr'],
  [0, '#?', 'radiance'],
  [0, 'FUJIFILMCCD-RAW', 'raw'],
  [0, 'IIRO', 'raw'], // Olympus
  [0, 'IIRS', 'raw'],
  [0, 'MMOR', 'raw'],
  [0, 'IIU\0', 'raw'], // Panasonic
  [0, 'FOVb', 'raw'], // Sigma
  [0, '\0MRM', 'raw'], // Minolta
  [6, 'HEAPCCDR', 'raw'], // Canon's CRW
];

/** ISO base media brands (offset 8) of still pictures in HEVC, or in any codec. */
const HEIF_BRANDS = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1', 'mif2', 'miaf']);

/**
 * The format of a file, from its bytes and name.
 * @throws InputError for an empty file and everything that is not read, naming the format.
 */
export function sniffFormat(bytes: Uint8Array, path: string, shownPath: string): PictureFormat {
  if (bytes.length === 0) throw new InputError(`${shownPath} is empty`);
  const refuse = (name: string, hint: string) =>
    new InputError(`${shownPath} is a ${name} file, which is not read: ${hint}`);
  const extension = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? '';
  for (const [at, magic, format] of READ) if (startsWith(bytes, at, magic)) return format;
  if (startsWith(bytes, 4, 'ftyp')) {
    const brand = String.fromCharCode(...bytes.subarray(8, 12));
    if (brand === 'crx ') return 'raw'; // Canon's CR3
    if (brand === 'avif' || brand === 'avis') return 'avif';
    if (HEIF_BRANDS.has(brand)) return holdsAvif(bytes) ? 'avif' : 'heic';
    throw refuse(`"${brand.replace(/[^\x20-\x7e]/g, '?').trim()}" media`, 'only still pictures are merged');
  }
  const isTiff = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => startsWith(bytes, 0, magic));
  if (isTiff) {
    const sensor = sensorData(bytes);
    if (sensor === 'float')
      throw refuse('floating-point DNG', 'it is merged already; merge the frames that it was made of');
    if (sensor === 'raw' || startsWith(bytes, 8, 'CR') || RAW_EXTENSIONS.has(extension)) return 'raw';
    return 'tiff';
  }
  for (const [at, magic, name, hint] of REFUSED) if (startsWith(bytes, at, magic)) throw refuse(name, hint);
  if (RAW_EXTENSIONS.has(extension)) return 'raw';
  throw new InputError(`${shownPath} is not a picture that is read: ${SUPPORTED}`);
}

/** Whether a file of a brand for any codec lists AVIF among its compatible brands. */
function holdsAvif(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.length, bytes[3] | (bytes[2] << 8), 256);
  for (let at = 16; at + 4 <= end; at += 4) if (startsWith(bytes, at, 'avif')) return true;
  return false;
}

const TAG_PHOTOMETRIC = 262;
const TAG_SUB_IFDS = 330;
const TAG_SAMPLE_FORMAT = 339;
const TAG_DNG_VERSION = 50706;
/** PhotometricInterpretation of colour filter array data, and of DNG's linear RAW. */
const SENSOR_PHOTOMETRIC = new Set([32803, 34892]);
const FLOAT = 3;

/**
 * What a classic TIFF holds under any name: `raw` with DNG's version tag, or sensor data in its first page or
 * sub-pages; `float` if these samples are floats, as only programs that merge write them; else undefined.
 */
function sensorData(bytes: Uint8Array): 'raw' | 'float' | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  if (view.byteLength < 8 || view.getUint16(2, little) !== 42) return undefined;
  const pending = [view.getUint32(4, little)];
  let found: 'raw' | undefined;
  for (let visited = 0; visited < 8 && pending.length > 0; visited++) {
    const at = pending.pop() as number;
    if (at + 2 > bytes.length) continue;
    const count = view.getUint16(at, little);
    let isSensor = false;
    let isFloat = false;
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + 12 * i;
      if (entry + 12 > bytes.length) break;
      const tag = view.getUint16(entry, little);
      const values = view.getUint32(entry + 4, little);
      // Of up to two 16-bit values the entry holds the first; of more, the place where they are.
      const first = values <= 2 ? entry + 8 : view.getUint32(entry + 8, little);
      const number = first + 2 <= bytes.length ? view.getUint16(first, little) : 0;
      if (tag === TAG_DNG_VERSION) found = 'raw';
      if (tag === TAG_PHOTOMETRIC) isSensor = SENSOR_PHOTOMETRIC.has(number);
      if (tag === TAG_SAMPLE_FORMAT) isFloat = number === FLOAT;
      if (tag === TAG_SUB_IFDS) {
        const list = values === 1 ? entry + 8 : view.getUint32(entry + 8, little);
        for (let k = 0; k < Math.min(values, 8) && list + 4 * k + 4 <= bytes.length; k++)
          pending.push(view.getUint32(list + 4 * k, little));
      }
    }
    if (isSensor && isFloat) return 'float';
    if (isSensor) found = 'raw';
  }
  return found;
}
