/** What callers of a Deghoster give. Types alone; mergeChecks.ts checks them. */
import type { AlignOption } from './align/types.ts';
import type { DeviceLostError } from './errors.ts';
import type { ResponseOption } from './image/chooseResponse.ts';
import type { Choices } from './kernels/target.ts';
import type { DType } from './kernels/tensor.ts';
import type { Progress } from './merge.ts';
import type { RowProgress } from './result.ts';
import type { TuneResult } from './tune/result.ts';

/** What `Deghoster.create` takes. Every field has a default. */
export interface DeghosterOptions {
  /** A weights file's bytes (safetensors). Without it only `method: 'merge'` works. */
  weights?: Uint8Array | ArrayBuffer;
  /**
   * Weights for other moments than the reference's (`MergeOptions.moment`), where `weights` are of the variant `fixed`,
   * which knows the middle frame alone as the reference: those of the variant `any`, or a function that fetches them
   * when they are needed. By default `weights`.
   */
  momentWeights?: Uint8Array | ArrayBuffer | (() => Promise<Uint8Array | ArrayBuffer>);
  /**
   * The caller's own device: it is borrowed and never destroyed, and its error scopes stay as they were. Or a function
   * that opens a device, which the Deghoster then owns: if that device is lost during a merge, the function is called
   * once more and the merge goes on. By default, a function that opens the platform's device (`navigator.gpu`).
   */
  device?: GPUDevice | (() => Promise<GPUDevice>);
  /**
   * How the GPU stores weights and the tensors between layers: `f32` (default), or `f16`, which halves the memory and
   * so allows larger tiles. `f16` needs the device feature `shader-f16`. Arithmetic is f32 either way, but f16 stores
   * sums over frames as halves between frames.
   */
  precision?: DType;
  /**
   * The result of `tune` (`deghost/tune`) for this device and precision: which implementations to run. Without it, the
   * engine makes good guesses from what the device offers.
   */
  tuning?: TuneResult | Choices;
  /**
   * Limit for the bytes of all GPU buffers together. By default 512 MiB on software adapters, and up to 2 GiB on GPUs,
   * where a merge that runs out of memory begins again with half of it.
   */
  memoryBudget?: number;
}

/** How one stack is merged. Every field has a default. */
export interface MergeOptions {
  /**
   * Reference frame, from 0 in exposure order: the picture shows its moment. By default the middle exposure. `auto`
   * takes the frame with the fewest burnt-out or black pixels, but keeps the middle frame if that loses at most 1 %
   * more of the picture (`MergeResult.referenceChoice` says why).
   */
  reference?: number | 'auto';
  /** How frames are aligned to the reference: `auto` by default. */
  align?: AlignOption;
  /**
   * Leaves out frames that do not belong to the bracket: those of which alignment finds nothing in the reference.
   * Frames that are burnt out or black nearly everywhere look the same to it. If no frame lies on a reference that
   * nobody chose, the reference is left out. Not with `align: 'none'` or given matrices, which find no misfits.
   */
  skipMisfits?: boolean;
  /**
   * How readily something counts as moving, from 0 to 1: 0.5, the default, takes the network's word. More removes more
   * ghosts and shows more of the reference alone; less does the opposite. Nothing is done to given maps.
   */
  strength?: number;
  /** The camera's response. `auto` (estimated) by default for 8-bit frames, `gamma` (2.2) otherwise. */
  response?: ResponseOption;
  /**
   * Motion maps that replace the network's own: one per frame in exposure order, `[height, width]` in [0,1] (1 moves).
   * The reference's map is not read: it is the union of the others.
   */
  motion?: readonly Float32Array[];
  /**
   * Another frame's moment for parts of the picture: the number of the frame that each pixel shows, `[height, width]`,
   * from 0 in exposure order; 255 for the reference. Regions are feathered over 9x9 pixels. Only tiles that show
   * another frame than the reference are merged again. Motion maps of the result are those of the moment shown.
   */
  moment?: Uint8Array;
  /**
   * `network`, or for comparison `merge`: the hat-weighted average alone, which needs no weights. It is plain, or uses
   * the maps in `motion`.
   */
  method?: 'network' | 'merge';
  /** Called as the merge proceeds, at least once per tile. */
  onProgress?: (progress: Progress) => void;
  /**
   * Called by `merge` as soon as more rows of the picture are final, from the top on: they can be encoded while the GPU
   * goes on.
   */
  onRows?: (progress: RowProgress) => void;
  /** Stops the merge with a CancelledError, without waiting for a tile to end. */
  signal?: AbortSignal;
  /**
   * Called when the device was lost and another is about to be opened. That happens only for a device that this
   * Deghoster opened and that holds no frames and no part of the result.
   */
  onDeviceLost?: (error: DeviceLostError) => void;
  /**
   * Measures where the time goes: `MergeResult.profile`. With timestamp queries each step runs in its own pass, which
   * costs a little time.
   */
  profile?: boolean;
}

/** The properties of a merge that are known before its frames are. */
interface ExpectedMerge {
  /** As in {@link MergeOptions}. */
  method?: 'network' | 'merge';
  /** Whether motion maps will be given. The network then need not find its own. */
  motion?: boolean;
}

/** What `plan` plans for. */
export interface PlanOptions extends ExpectedMerge {
  /** Size of the frames in pixels. */
  width: number;
  height: number;
  /** Number of frames. */
  frames: number;
  /** Reference frame, from 0 in exposure order; the middle one by default. */
  reference?: number;
}

/** What `prepare` prepares for. */
export interface PrepareOptions extends ExpectedMerge {
  /** Size of the frames, if known; a photograph's by default. It decides the tiles. */
  width?: number;
  height?: number;
  /** Stops with a CancelledError once the pipeline that is being compiled is done. */
  signal?: AbortSignal;
}
