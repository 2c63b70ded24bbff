/**
 * Detects a picture's format from the file's first bytes. The name decides only between TIFF and the RAW formats built
 * on it.
 *
 * Formats that cannot be read are refused here by name, with a way to convert the file. RAW is refused on purpose: such
 * files hold sensor data that must be demosaiced first, and many hold a small preview that a TIFF reader would take for
 * the picture.
 */
import { InputError } from '../errors.ts';

export type PictureFormat = 'jpeg' | 'png' | 'tiff' | 'npy' | 'webp' | 'avif' | 'heic' | 'jxl' | 'exr' | 'radiance';

const SUPPORTED = 'JPEG, PNG, TIFF, WebP, AVIF, HEIC, JPEG XL, OpenEXR, Radiance and NPY are read';
const RAW_HINT =
  'develop it to 16-bit TIFF first, with the same settings for every frame (darktable, RawTherapee, or `dcraw -T -6 ' +
  '-W`)';
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
  [0, 'FUJIFILMCCD-RAW', 'Fujifilm RAW', RAW_HINT],
  [0, 'IIRO', 'Olympus RAW', RAW_HINT],
  [0, 'IIRS', 'Olympus RAW', RAW_HINT],
  [0, 'MMOR', 'Olympus RAW', RAW_HINT],
  [0, 'IIU\0', 'Panasonic RAW', RAW_HINT],
  [0, 'FOVb', 'Sigma RAW', RAW_HINT],
  [0, '\0MRM', 'Minolta RAW', RAW_HINT],
  [6, 'HEAPCCDR', 'Canon RAW', RAW_HINT],
  [0, 'GIF8', 'GIF', CONVERT_HINT],
  [0, 'BM', 'BMP', CONVERT_HINT],
  [0, '8BPS', 'Photoshop', CONVERT_HINT],
  [4, 'jP  ', 'JPEG 2000', CONVERT_HINT],
  [0, '\xff\x4f\xff\x51', 'JPEG 2000', CONVERT_HINT],
  [0, '%PDF', 'PDF', CONVERT_HINT],
  [0, 'PK\x03\x04', 'ZIP archive', 'unpack it and pass the pictures'],
  [0, '<svg', 'SVG', CONVERT_HINT],
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
];

/** ISO base media brands (offset 8) of still pictures in HEVC, or in any codec. */
const HEIF_BRANDS = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1', 'mif2', 'miaf']);

/**
 * The format of a file, from its bytes and name.
 * @throws InputError for an empty file, RAW, and everything else that is not read, naming the format.
 */
export function sniffFormat(bytes: Uint8Array, path: string, shownPath: string): PictureFormat {
  if (bytes.length === 0) throw new InputError(`${shownPath} is empty`);
  const refuse = (name: string, hint: string) =>
    new InputError(`${shownPath} is a ${name} file, which is not read: ${hint}`);
  const extension = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase() ?? '';
  for (const [at, magic, format] of READ) if (startsWith(bytes, at, magic)) return format;
  if (startsWith(bytes, 4, 'ftyp')) {
    const brand = String.fromCharCode(...bytes.subarray(8, 12));
    if (brand === 'crx ') throw refuse('Canon RAW (CR3)', RAW_HINT);
    if (brand === 'avif' || brand === 'avis') return 'avif';
    if (HEIF_BRANDS.has(brand)) return holdsAvif(bytes) ? 'avif' : 'heic';
    throw refuse(`"${brand.replace(/[^\x20-\x7e]/g, '?').trim()}" media`, 'only still pictures are merged');
  }
  const isTiff = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((magic) => startsWith(bytes, 0, magic));
  if (isTiff) {
    if (RAW_EXTENSIONS.has(extension)) throw refuse(`RAW (.${extension})`, RAW_HINT);
    if (startsWith(bytes, 8, 'CR')) throw refuse('Canon RAW (CR2)', RAW_HINT);
    if (holdsSensorData(bytes)) throw refuse('RAW (sensor data in TIFF)', RAW_HINT);
    return 'tiff';
  }
  for (const [at, magic, name, hint] of REFUSED) if (startsWith(bytes, at, magic)) throw refuse(name, hint);
  if (RAW_EXTENSIONS.has(extension)) throw refuse(`RAW (.${extension})`, RAW_HINT);
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
const TAG_DNG_VERSION = 50706;
/** PhotometricInterpretation of colour filter array data, and of DNG's linear RAW. */
const SENSOR_PHOTOMETRIC = new Set([32803, 34892]);

/**
 * Whether a classic TIFF is RAW under another name: DNG's version tag, or sensor data in its first page or sub-pages.
 */
function holdsSensorData(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  if (view.byteLength < 8 || view.getUint16(2, little) !== 42) return false;
  const pending = [view.getUint32(4, little)];
  for (let visited = 0; visited < 8 && pending.length > 0; visited++) {
    const at = pending.pop() as number;
    if (at + 2 > bytes.length) continue;
    const count = view.getUint16(at, little);
    for (let i = 0; i < count; i++) {
      const entry = at + 2 + 12 * i;
      if (entry + 12 > bytes.length) break;
      const tag = view.getUint16(entry, little);
      if (tag === TAG_DNG_VERSION) return true;
      if (tag === TAG_PHOTOMETRIC && SENSOR_PHOTOMETRIC.has(view.getUint16(entry + 8, little))) return true;
      if (tag === TAG_SUB_IFDS) {
        const values = view.getUint32(entry + 4, little);
        const list = values === 1 ? entry + 8 : view.getUint32(entry + 8, little);
        for (let k = 0; k < Math.min(values, 8) && list + 4 * k + 4 <= bytes.length; k++)
          pending.push(view.getUint32(list + 4 * k, little));
      }
    }
  }
  return false;
}
