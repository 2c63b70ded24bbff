/** NumPy's .npz: a zip file of .npy arrays, by their names without the ending (numpy.savez, savez_compressed). */
import { InputError } from '../../errors.ts';
import { npyHeader } from '../../image/npy.ts';
import { DTYPE_BYTES, Entries, countOf, damaged, decodeValues, fromFortranOrder, quoted } from './checkpoint.ts';
import type { Checkpoint, SourceDtype } from './checkpoint.ts';
import type { Zip } from './zip.ts';

const DTYPES: Record<string, SourceDtype> = { f2: 'f16', f4: 'f32', f8: 'f64' };

/** Reads an .npz. @throws InputError */
export async function readNpz(zip: Zip, name: string): Promise<Checkpoint> {
  const entries = new Entries(name);
  for (const file of zip.names) {
    const entry = file.replace(/\.npy$/, '');
    if (entry === file) {
      entries.addOther(file, 'not a .npy array');
      continue;
    }
    const bytes = await zip.read(file);
    const { start, description, fortran, shape } = npyHeader(bytes, `${name}: ${file}`);
    const [, order, type] = /^([<>|=])([a-zA-Z]\d+)$/.exec(description) ?? [];
    if (order === undefined || type.startsWith('O') || type.startsWith('V'))
      throw new InputError(
        `${name}: array ${quoted(entry)} has the type '${description.slice(0, 40)}', which is no array of numbers: ` +
          'save arrays of floats, without pickles',
      );
    const count = countOf(shape, name, entry);
    const expected = count * Number(type.slice(1)) * (type.startsWith('U') ? 4 : 1);
    if (expected !== bytes.length - start)
      damaged(
        name,
        `array ${quoted(entry)} [${shape}] of '${description}' needs ${expected} bytes, it has ${bytes.length - start}`,
      );
    if (!Object.hasOwn(DTYPES, type)) {
      entries.addOther(entry, `${type} [${shape}]`);
      continue;
    }
    const dtype = DTYPES[type];
    entries.addTensor(entry, {
      shape,
      dtype,
      read: () => {
        const values = decodeValues(bytes.subarray(start, start + count * DTYPE_BYTES[dtype]), dtype, order !== '>');
        return fortran && shape.length > 1 ? fromFortranOrder(values, shape) : values;
      },
    });
  }
  return { format: 'NPZ', layout: 'OIHW', tensors: entries.tensors, others: entries.others, metadata: {} };
}
