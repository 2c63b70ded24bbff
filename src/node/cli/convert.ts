/**
 * `deghost convert`: another framework's checkpoint as a weights file. Nothing of the checkpoint is run, and Python is
 * not needed.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError, UsageError, throwIfCancelled } from '../../errors.ts';
import { loadWeights } from '../../model/loadWeights.ts';
import type { Checkpoint, KernelLayout, ReadBeside } from '../../weights/convert/checkpoint.ts';
import type { H5wasm } from '../../weights/convert/keras.ts';
import { decodeAssigned, networkText, propose } from '../../weights/convert/propose.ts';
import type { NameMap, Proposal } from '../../weights/convert/propose.ts';
import { readCheckpoint } from '../../weights/convert/read.ts';
import { parseStrictJson } from '../../weights/json.ts';
import { writeSafetensors } from '../../weights/writeSafetensors.ts';
import { bytesText } from '../../bytesText.ts';
import { readFileBytes } from '../plainFile.ts';
import { currentFiles } from '../files.ts';
import { optional, shown } from '../problems.ts';
import { FileGroup, checkWritable, writeFileAtomic } from '../writeFile.ts';
import { openZip } from '../zip.ts';
import { choiceOption } from './args.ts';
import type { ParsedArgs } from './args.ts';
import { columns } from './columns.ts';
import { json, say } from './io.ts';
import type { CommandIo } from './io.ts';

/** Largest checkpoint, or part of one, that is read. */
const MAX_BYTES = 2 ** 31 - 1;
/** Largest map of names or config. */
const MAX_TEXT_BYTES = 64 << 20;
/** Names of left-out tensors and alternatives that are listed. */
const SHOWN = 12;

export async function convertCommand(args: ParsedArgs, io: CommandIo): Promise<void> {
  const { values, flags, positionals } = args;
  if (positionals.length !== 1)
    throw new UsageError(
      `${positionals.length} files are given, deghost convert takes one checkpoint: \`deghost convert FILE -o ` +
        'weights.safetensors`',
    );
  const isDry = flags.has('dry-run');
  const { output, 'save-map': savedMap } = values;
  if (output === undefined && !isDry)
    throw new UsageError('no output given: write -o weights.safetensors, or --dry-run to see what it would hold');
  if (output !== undefined && !output.endsWith('.safetensors'))
    throw new UsageError(`-o is "${output}": its name must end with .safetensors`);
  const dtype = choiceOption(args, 'dtype', ['f32', 'f16'] as const, 'f32');
  const layout = choiceOption<KernelLayout | 'auto'>(args, 'layout', ['auto', 'OIHW', 'HWIO'], 'auto');
  const variant = values.variant === undefined ? undefined : choiceOption(args, 'variant', ['fixed', 'any'], 'fixed');
  const path = indexOf(positionals[0]);
  const name = shown(path);
  const written = isDry ? undefined : output;
  const files = currentFiles();
  files?.reads('the checkpoint', path);
  if (values.map !== undefined) files?.reads('the map of names', values.map);
  if (values.config !== undefined && !isInline(values.config)) files?.reads('the configuration', values.config);
  if (written !== undefined) files?.writes('--output', written);
  if (savedMap !== undefined) files?.writes('--save-map', savedMap);
  for (const file of [written, savedMap]) if (file !== undefined) await checkWritable(file);
  const fields = values.config === undefined ? undefined : await readFields(values.config);
  const map = values.map === undefined ? undefined : await readMap(values.map);
  const checkpoint = await readCheckpoint(await readFileBytes(path, MAX_BYTES), {
    name,
    file: basename(path),
    beside: besideOf(path),
    openZip,
    h5wasm: loadH5wasm,
  });
  throwIfCancelled(io.signal);
  const proposal = await propose(checkpoint, { name, variant, fields, layout, map });
  const metadata = {
    format: 'deghost',
    variant: proposal.variant,
    config: JSON.stringify({ ...proposal.fields, convertedFrom: checkpoint.format }),
  };
  const bytes = writeSafetensors(decodeAssigned(checkpoint, proposal), metadata, dtype);
  // What is written is what every command can read.
  await loadWeights(bytes, name);
  const group = new FileGroup();
  try {
    const write = async (path: string | undefined, content: Uint8Array): Promise<void> => {
      if (path !== undefined) await group.with(() => writeFileAtomic(path, content, { signal: io.signal }));
    };
    await write(written, bytes);
    await write(savedMap, new TextEncoder().encode(mapText(proposal)));
    group.commit();
  } finally {
    group.discard();
  }
  if (flags.has('json')) io.stdout.write(json(report(path, checkpoint, proposal, { dtype, written, savedMap })));
  else io.stdout.write(`${reportText(name, checkpoint, proposal, flags.has('all'))}\n`);
  if (flags.has('quiet')) return;
  if (written !== undefined) say(io, `${written}: ${bytesText(bytes.length)}, ${dtype}`);
  if (savedMap !== undefined) say(io, `${savedMap}: the map of names`);
}

/** A TensorFlow checkpoint is also named by what its files begin with, a saved model by its folder. */
function indexOf(path: string): string {
  if (existsSync(join(path, 'variables', 'variables.index'))) return join(path, 'variables', 'variables.index');
  return !existsSync(path) && existsSync(`${path}.index`) ? `${path}.index` : path;
}

/** Reads files beside the checkpoint. A file cannot name one elsewhere. */
function besideOf(path: string): ReadBeside {
  return async (file) => {
    const isPlain = file !== '' && file === basename(file) && file !== '.' && file !== '..' && !/[\\/\0]/.test(file);
    if (!isPlain)
      throw new InputError(
        `${shown(path)}: its data is in ${JSON.stringify(file.slice(0, 80))}, only files beside it are read: save it ` +
          'again, with the data in the same folder',
      );
    return readFileBytes(join(dirname(path), file), MAX_BYTES);
  };
}

async function loadH5wasm(): Promise<H5wasm> {
  const load = async (): Promise<H5wasm> => (await import('h5wasm' as string)) as H5wasm;
  return optional(load, 'h5wasm', 'reading HDF5');
}

/** Whether the value of `--config` is JSON itself. */
function isInline(text: string): boolean {
  return text.trimStart().startsWith('{');
}

/** `--config`: JSON, or a file of it. */
async function readFields(text: string): Promise<Record<string, unknown>> {
  const source = isInline(text) ? text : new TextDecoder().decode(await readFileBytes(text, MAX_TEXT_BYTES));
  const at = isInline(text) ? '--config' : `--config ${shown(text)}`;
  try {
    if (!(parseStrictJson(source) instanceof Map)) throw new SyntaxError('it is not an object');
  } catch (error) {
    throw new UsageError(`${at}: ${(error as Error).message}: write a JSON object such as {"base": "merge"}`);
  }
  return JSON.parse(source) as Record<string, unknown>;
}

/** A map of names: `{"name in the checkpoint": "name in the network", "what is left out": null}`. */
async function readMap(path: string): Promise<NameMap> {
  const at = `--map ${shown(path)}`;
  let map: unknown;
  try {
    map = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(await readFileBytes(path, MAX_TEXT_BYTES)));
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${at}: ${(error as Error).message}: correct it, or let --save-map write one`);
  }
  if (!(map instanceof Map)) throw new InputError(`${at}: it is not a JSON object: let --save-map write one`);
  for (const [source, target] of map)
    if (target !== null && typeof target !== 'string')
      throw new InputError(
        `${at}: ${JSON.stringify(source)} is ${JSON.stringify(target)?.slice(0, 60)}: write a name of the network, ` +
          'or null',
      );
  return map as NameMap;
}

/** The map that was used, in the order of the network; what is left out comes last. */
function mapText({ assignments, leftOut }: Proposal): string {
  const rows = [
    ...assignments.map(({ source, target }) => [source, target] as const),
    ...leftOut.map((source) => [source, null] as const),
  ];
  const lines = rows.map(([source, target]) => `  ${JSON.stringify(source)}: ${JSON.stringify(target)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

interface Written {
  dtype: string;
  written?: string;
  savedMap?: string;
}

function report(
  path: string,
  checkpoint: Checkpoint,
  proposal: Proposal,
  { dtype, written, savedMap }: Written,
): unknown {
  const { variant, fields, unsaid, layout, assignments, leftOut, alternatives } = proposal;
  return {
    input: path,
    format: checkpoint.format,
    layout,
    variant,
    config: fields,
    notSaid: unsaid,
    alternatives,
    tensors: assignments,
    leftOut: [
      ...leftOut.map((source) => ({ source, what: `${shapeText(checkpoint, source)}` })),
      ...[...checkpoint.others].map(([source, what]) => ({ source, what })),
    ],
    output: written ?? null,
    dtype,
    map: savedMap ?? null,
  };
}

function shapeText({ tensors }: Checkpoint, source: string): string {
  const { dtype, shape } = tensors.get(source)!;
  return `${dtype} [${shape.join(', ')}]`;
}

const HOW = { map: 'map', name: 'name', shape: 'shape', order: 'order' };

/** What became of the checkpoint, in words and as a table. */
function reportText(name: string, checkpoint: Checkpoint, proposal: Proposal, isWhole: boolean): string {
  const { variant, config, layout, assignments, leftOut, alternatives, unsaid } = proposal;
  const lines = [`${name}: ${checkpoint.format}, ${checkpoint.tensors.size} tensors, kernels in ${layout}`];
  lines.push(`network: ${networkText(variant, config)}`);
  for (const other of alternatives.slice(0, SHOWN))
    lines.push(`  the same shapes has: ${other} (choose with --variant and --config)`);
  const byOrder = assignments.filter(({ by }) => by === 'order').length;
  if (assignments.every(({ by }) => by === 'name') && !isWhole)
    lines.push(`all ${assignments.length} tensors by their names (--all lists them)`);
  else {
    const rows = [['the network', 'shape', 'the checkpoint', 'type', 'found by']];
    for (const { target, source, shape, dtype, by } of assignments)
      rows.push([target, `[${shape.join(', ')}]`, source, dtype, HOW[by]]);
    lines.push('', ...columns(rows, () => true), '');
  }
  if (byOrder > 0)
    lines.push(
      `${byOrder} tensors were told apart by their order alone: check them. --save-map saves this map, --map reads ` +
        'it after you edited it.',
    );
  const others = [
    ...leftOut.map((source) => `${source}, ${shapeText(checkpoint, source)}`),
    ...[...checkpoint.others].map(([source, what]) => `${source}, ${what}`),
  ];
  if (others.length > 0) {
    lines.push(`left out: ${others.length}`);
    const most = isWhole ? others.length : SHOWN;
    lines.push(...others.slice(0, most).map((text) => `  ${text}`));
    if (others.length > most) lines.push(`  and ${others.length - most} more (--all lists them)`);
  }
  if (unsaid.length > 0)
    lines.push(
      `The checkpoint does not say ${unsaid.join(', ')}: the defaults are taken (slope ${config.slope}, gamma ` +
        `${config.gamma}, ${config.maskMode} maps, base ${config.base}, no gate). Give others with --config if it ` +
        'was trained so.',
    );
  return lines.map(shown).join('\n');
}
