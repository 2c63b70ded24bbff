/** The program of a convolution with register tiles, generated from its recipe (registerTile.ts). */
import { Program, READ } from '../../program.ts';
import type { ParamTypes } from '../../program.ts';
import { each, lines, range } from '../../text.ts';
import { ACTIVATE } from '../activate.ts';
import { programLabel } from '../code.ts';
import { sourceCode } from '../sources.ts';
import { storeCode } from '../stores.ts';
import type { TileSize } from '../stores.ts';
import { keyOf, tileName } from './registerTile.ts';
import type { Arithmetic, Fetch, Recipe } from './registerTile.ts';

/** WGSL that places the tile of dilation s of a workgroup or an invocation. */
function placeTile(recipe: Recipe, s: number, fetch: Fetch, arithmetic: Arithmetic): string {
  const { columns, rows } = recipe.tile;
  const { parts = 1 } = recipe;
  // With dilations apart, s is 0, and the workgroup's part decides.
  const param = (name: string): string =>
    range(parts - 1).reduce(
      (value, i) => `select(${value}, params.${name}_${i + 1}, part == ${i + 1}u)`,
      `params.${name}_${s}`,
    );
  const across = parts > 1 ? `  let across_${s} = ${param('across')};\n` : '';
  return `
${across}  let d_${s} = i32(${param('dilation')});
  let qx_${s} = i32(tile % ${across ? '' : 'params.'}across_${s});
  let qy_${s} = i32(tile / ${across ? '' : 'params.'}across_${s});
  let first_x_${s} = qx_${s} / d_${s} * (${fetch.side * columns} * d_${s}) + qx_${s} % d_${s};
  let first_y_${s} = qy_${s} / d_${s} * (${fetch.side * rows} * d_${s}) + qy_${s} % d_${s};
${fetch.place(recipe, s)}
${lines(arithmetic.sums(recipe, s).map((name) => `  var ${name} = vec4f(0.0);`))}`;
}

/** vec4s of weights per input block. */
export function vectorsOf(arithmetic: Arithmetic, kernel: number, { out }: TileSize): number {
  return 4 * out * arithmetic.positions(kernel);
}

function generate(recipe: Recipe, fetch: Fetch, arithmetic: Arithmetic): Program {
  const { method, tile, kernel, dilations, parts, sources } = recipe;
  const codes = sources.map(sourceCode);
  const store = storeCode(recipe.store, tile);
  const vectors = vectorsOf(arithmetic, kernel, tile);
  const length = vectors / arithmetic.weightRows(kernel, tile);
  const { lane } = fetch;
  const step = `${fetch.step(vectors, length)}u`;
  const layerGroup = parts ? 'layer_group' : 'group.y';
  const sourceLoop = (n: number): string => `
  for (var c = 0u; c < params.blocks_${n}; c++) {
${fetch.atBlock?.(recipe, n) ?? ''}
${arithmetic.block(recipe, n, fetch)}
    w += ${step};
  }`;
  // The output block of dilation s is `block_s`.
  const blockStart = (s: number): string => `first + ${parts ? 'part' : `${s}u`} * params.layer_blocks`;
  const tileIndex = 'group.z * groups.x + group.x';
  const place = parts ? '  let part = group.y / params.groups;\n  let layer_group = group.y % params.groups;\n' : '';
  const body = (): string => `
${ACTIVATE[recipe.activation]}
${lines(codes.map(({ functions }) => functions))}
${store.functions}
${fetch.functions(recipe, vectors)}

@workgroup
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(${lane}) lane: u32) {
  let width = i32(params.width);
${place}  let tile = ${fetch.side > 1 ? tileIndex : `(${tileIndex}) * WORKGROUP + lane`};
${lines(codes.map(({ setup }) => setup))}
${each(dilations, (s) => placeTile(recipe, s, fetch, arithmetic))}
  var w = ${layerGroup} * params.in_blocks * ${step};
${each(sources.length, sourceLoop)}
${each(dilations, (s) => arithmetic.finish(recipe, s))}
  let first = ${layerGroup} * OUT_BLOCKS;
${each(dilations, (s) => `  let block_${s} = ${blockStart(s)};\n${store.statements(s)}`)}
}`;
  const params: ParamTypes = {
    width: 'u32',
    height: 'u32',
    size: 'u32',
    in_blocks: 'u32',
    layer_blocks: 'u32',
    slope: 'f32',
  };
  if (parts) params.groups = 'u32';
  for (const s of range(parts ?? dilations))
    Object.assign(params, { [`dilation_${s}`]: 'u32', [`across_${s}`]: 'u32' });
  codes.forEach((code, n) => Object.assign(params, { [`blocks_${n}`]: 'u32' }, code.params));
  return new Program({
    label: programLabel(kernel, codes, parts ?? dilations, store, tileName(method, tile)),
    enables: fetch.enables,
    workgroup: [tile.workgroup, 1, 1],
    constants: { KERNEL: kernel, OUT_BLOCKS: tile.out, WORKGROUP: tile.workgroup },
    params: { ...params, ...store.params },
    bindings: {
      ...Object.assign({}, ...codes.map(({ bindings }) => bindings)),
      weights: fetch.binding({ dtype: recipe.weights }, length),
      bias: READ,
      ...store.bindings,
    },
    body,
  });
}

/** Programs by recipe: a network has a hundred layers of a few kinds. */
const programs = new Map<string, Program>();

/** The program of a recipe. */
export function programOf(recipe: Recipe, fetch: Fetch, arithmetic: Arithmetic): Program {
  const key = keyOf(recipe);
  const program = programs.get(key) ?? generate(recipe, fetch, arithmetic);
  programs.set(key, program);
  return program;
}
