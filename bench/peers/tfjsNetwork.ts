/**
 * The `fixed` network once more, in TensorFlow.js ops (NHWC, which was as quick as NCHW; fused convolutions), as a user
 * of tfjs would write it: frames that share weights are one batch, the six memory reads one batched product.
 */
import type { NetworkConfig } from '../../src/weights/config.ts';
import type { WeightTensor } from '../../src/weights/safetensors.ts';

export interface TfTensor {
  shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

/** What is used of @tensorflow/tfjs-core. */
export interface Tf {
  tensor(values: Float32Array, shape: number[]): TfTensor;
  tensor1d(values: number[], type: 'int32'): TfTensor;
  scalar(value: number): TfTensor;
  tidy<T>(work: () => T): T;
  add(a: TfTensor, b: TfTensor): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor): TfTensor;
  div(a: TfTensor, b: TfTensor): TfTensor;
  pow(a: TfTensor, b: TfTensor): TfTensor;
  maximum(a: TfTensor, b: TfTensor): TfTensor;
  abs(a: TfTensor): TfTensor;
  log(a: TfTensor): TfTensor;
  sigmoid(a: TfTensor): TfTensor;
  greater(a: TfTensor, b: TfTensor): TfTensor;
  less(a: TfTensor, b: TfTensor): TfTensor;
  where(condition: TfTensor, a: TfTensor, b: TfTensor): TfTensor;
  cast(a: TfTensor, type: 'float32'): TfTensor;
  clipByValue(a: TfTensor, low: number, high: number): TfTensor;
  concat(parts: TfTensor[], axis: number): TfTensor;
  stack(parts: TfTensor[], axis: number): TfTensor;
  unstack(a: TfTensor, axis: number): TfTensor[];
  split(a: TfTensor, parts: number, axis: number): TfTensor[];
  reshape(a: TfTensor, shape: number[]): TfTensor;
  transpose(a: TfTensor, order: number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  max(a: TfTensor, axis: number, keepDims: true): TfTensor;
  min(a: TfTensor, axis: number, keepDims: true): TfTensor;
  gather(a: TfTensor, indices: TfTensor, axis: number): TfTensor;
  maxPool(a: TfTensor, size: number, stride: number, pad: 'same'): TfTensor;
  avgPool(a: TfTensor, size: number, stride: number, pad: 'valid'): TfTensor;
  image: { resizeNearestNeighbor(a: TfTensor, size: [number, number]): TfTensor };
  fused: { conv2d(options: object): TfTensor };
}

const LAYERS = [1, 2, 3, 4];
/** A sample that may be above it may be any light (spec: Gate). */
const WHITE = 253.5 / 255;

export class TfjsNetwork {
  readonly #tf: Tf;
  readonly #config: NetworkConfig;
  readonly #weights = new Map<string, TfTensor>();
  readonly #readWeights: TfTensor;
  readonly #readBias: TfTensor;

  constructor(tf: Tf, config: NetworkConfig, tensors: ReadonlyMap<string, WeightTensor>) {
    if (config.variant !== 'fixed') throw new Error(`the tfjs network is variant fixed, not ${config.variant}`);
    this.#tf = tf;
    this.#config = config;
    const reads: WeightTensor[] = [];
    const biases: WeightTensor[] = [];
    for (const [name, { shape, data }] of tensors) {
      if (name.startsWith('memory.read.')) continue;
      // OIHW to HWIO.
      const stored = tf.tensor(Float32Array.from(data), [...shape]);
      this.#weights.set(name, shape.length === 4 ? tf.tidy(() => tf.transpose(stored, [2, 3, 1, 0])) : stored);
    }
    for (const kind of ['static', 'dynamic']) {
      for (const j of [1, 2, 3]) {
        reads.push(tensors.get(`memory.read.${kind}.${j}.weight`)!);
        biases.push(tensors.get(`memory.read.${kind}.${j}.bias`)!);
      }
    }
    const [groups, slots] = reads[0].shape;
    [this.#readWeights, this.#readBias] = [
      tf.tidy(() =>
        tf.stack(
          reads.map(({ data }) => tf.tensor(Float32Array.from(data), [groups, slots])),
          2,
        ),
      ),
      tf.tidy(() =>
        tf.reshape(
          tf.stack(
            biases.map(({ data }) => tf.tensor(Float32Array.from(data), [groups])),
            1,
          ),
          [groups, 1, reads.length],
        ),
      ),
    ];
  }

  /** A convolution and, unless told otherwise, its activation. */
  conv(name: string, x: TfTensor, { dilation = 1, act = true } = {}): TfTensor {
    const activation = act ? { activation: 'leakyrelu', leakyreluAlpha: this.#config.slope } : {};
    return this.#tf.fused.conv2d({
      x,
      filter: this.#weights.get(`${name}.weight`)!,
      bias: this.#weights.get(`${name}.bias`)!,
      strides: 1,
      pad: 'same',
      dilations: dilation,
      ...activation,
    });
  }

  #unet(name: string, input: TfTensor): TfTensor {
    const tf = this.#tf;
    let x = input;
    const skips: TfTensor[] = [];
    const block = (at: string, y: TfTensor): TfTensor =>
      this.conv(`seg.${name}.${at}.2`, this.conv(`seg.${name}.${at}.1`, y));
    for (const depth of LAYERS) {
      x = block(`enc${depth}`, x);
      skips.push(x);
      x = tf.maxPool(x, 2, 2, 'same');
    }
    x = block('mid', x);
    for (const depth of [...LAYERS].reverse()) {
      const [, h, w] = x.shape;
      x = block(`dec${depth}`, tf.concat([tf.image.resizeNearestNeighbor(x, [2 * h, 2 * w]), skips[depth - 1]], 3));
    }
    return this.conv(`seg.${name}.out`, x, { act: false });
  }

  /** W_k, the reference's the union of the others. */
  #masks(X: readonly TfTensor[], taus: readonly number[], r: number): TfTensor[] {
    const tf = this.#tf;
    const others = X.flatMap((x, k) => {
      if (k === r) return [];
      const aligned = tf.clipByValue(tf.mul(x, tf.scalar((taus[r] / taus[k]) ** (1 / this.#config.gamma))), 0, 1);
      const moving = tf.sigmoid(this.#unet(k < r ? 'short' : 'long', tf.concat([aligned, X[r]], 3)));
      const mask = this.#config.gate ? tf.mul(moving, this.#gate(x, X[r], taus[r] / taus[k])) : moving;
      return [this.#config.maskMode === 'binary' ? tf.cast(tf.greater(mask, tf.scalar(0.5)), 'float32') : mask];
    });
    const union = others.reduce((a, b) => tf.maximum(a, b));
    return [...others.slice(0, r), union, ...others.slice(r)];
  }

  /**
   * What a mask is multiplied by: 0 where both samples can show the same light all around (spec: Gate), of frames whose
   * response is the power gamma.
   * @param ratio of the reference's exposure to the frame's.
   */
  #gate(x: TfTensor, reference: TfTensor, ratio: number): TfTensor {
    const tf = this.#tf;
    const { gate, gamma } = this.#config;
    const { codes, relative, low, high } = gate!;
    const codesAway = tf.scalar(codes / 255);
    const zero = tf.mul(x, tf.scalar(0));
    const bound = (sample: TfTensor, factor: number): TfTensor => {
      const light = tf.mul(tf.pow(tf.clipByValue(sample, 0, 1), tf.scalar(gamma)), tf.scalar(factor));
      return tf.pow(tf.clipByValue(light, 0, 1), tf.scalar(1 / gamma));
    };
    const least = (sample: TfTensor, factor: number): TfTensor => {
      const below = tf.sub(sample, codesAway);
      return tf.where(tf.greater(below, zero), bound(below, factor * (1 - relative)), zero);
    };
    const most = (sample: TfTensor, factor: number): TfTensor => {
      const above = tf.add(sample, codesAway);
      const any = tf.add(zero, tf.scalar(1));
      return tf.where(tf.greater(above, tf.scalar(WHITE)), any, bound(above, factor * (1 + relative)));
    };
    const apart = tf.maximum(tf.sub(least(x, ratio), most(reference, 1)), tf.sub(least(reference, 1), most(x, ratio)));
    const evidence = tf.max(tf.maximum(apart, zero), 3, true);
    const grown = tf.maxPool(this.#mean(evidence, 5), 9, 1, 'same');
    const t = tf.clipByValue(tf.div(tf.sub(this.#mean(grown, 9), tf.scalar(low)), tf.scalar(high - low)), 0, 1);
    return tf.mul(tf.mul(t, t), tf.sub(tf.scalar(3), tf.mul(t, tf.scalar(2))));
  }

  /** The mean of `size` by `size` pixels around each; beyond the edge it repeats. */
  #mean(x: TfTensor, size: number): TfTensor {
    const tf = this.#tf;
    const [, h, w] = x.shape;
    const reach = Math.floor(size / 2);
    const clamped = (length: number): TfTensor =>
      tf.tensor1d(
        Array.from({ length: length + 2 * reach }, (_, i) => Math.min(length - 1, Math.max(0, i - reach))),
        'int32',
      );
    return tf.avgPool(tf.gather(tf.gather(x, clamped(h), 1), clamped(w), 2), size, 1, 'valid');
  }

  /** The hat-weighted merge B. */
  #merge(X: readonly TfTensor[], lin: readonly TfTensor[], W: readonly TfTensor[], r: number): TfTensor {
    const tf = this.#tf;
    const one = tf.scalar(1);
    const terms = X.map((x, k) => {
      let hat = tf.sub(one, tf.abs(tf.sub(tf.mul(x, tf.scalar(2)), one)));
      const flat = tf.add(tf.mul(x, tf.scalar(0)), one);
      if (k === 0) hat = tf.where(tf.greater(x, tf.scalar(0.5)), flat, hat);
      if (k === X.length - 1) hat = tf.where(tf.less(x, tf.scalar(0.5)), flat, hat);
      if (this.#config.hat === 'pixel') hat = tf.min(hat, 3, true);
      return k === r ? tf.add(tf.maximum(hat, W[k]), tf.scalar(1e-3)) : tf.mul(hat, tf.sub(one, W[k]));
    });
    const sum = (parts: TfTensor[]): TfTensor => parts.reduce((a, b) => tf.add(a, b));
    return tf.div(sum(terms.map((w, k) => tf.mul(w, lin[k]))), sum(terms));
  }

  /** All six reads of the memory: for each channel a product over the slots. */
  #reads(slots: readonly TfTensor[]): TfTensor[] {
    const tf = this.#tf;
    const [, h, w, c] = slots[0].shape;
    const memory = tf.transpose(tf.reshape(tf.stack([...slots], 0), [slots.length, h * w, c]), [2, 1, 0]);
    const reads = tf.add(tf.matMul(memory, this.#readWeights), this.#readBias);
    return tf.unstack(tf.transpose(reads, [2, 1, 0]), 0).map((read) => tf.reshape(read, [1, h, w, c]));
  }

  /** Y `[1,h,w,3]` of frames `[N,h,w,3]`, h and w multiples of 16. */
  run(frames: TfTensor, taus: readonly number[], r: number): TfTensor {
    const tf = this.#tf;
    const one = tf.scalar(1);
    const X = tf.split(frames, taus.length, 0);
    const W = this.#masks(X, taus, r);
    const lin = X.map((x, k) => tf.div(tf.pow(x, tf.scalar(this.#config.gamma)), tf.scalar(taus[k])));

    let x = tf.concat([frames, tf.concat(lin, 0)], 3);
    const slots: TfTensor[] = [];
    for (const layer of LAYERS) {
      x = this.conv(`encoder.${layer}`, x);
      tf.split(x, taus.length, 0).forEach((f, k) => slots.push(this.conv(`memory.write.${layer}.${k + 1}`, f)));
    }
    const reads = this.#reads(slots);
    const E = tf.split(x, taus.length, 0);

    const fuse = (kind: string, features: TfTensor[], from: number): TfTensor => {
      let y = this.conv(`fuse.${kind}.0`, tf.concat(features, 3));
      for (const j of [1, 2, 3]) y = this.conv(`fuse.${kind}.${j}`, tf.concat([y, reads[from + j - 1]], 3));
      return y;
    };
    const still = fuse(
      'static',
      E.map((e, k) => tf.mul(e, tf.sub(one, W[k]))),
      0,
    );
    const moving = fuse(
      'dynamic',
      E.map((e, k) => tf.mul(e, W[k])),
      3,
    );
    const Z = tf.add(tf.mul(W[r], moving), tf.mul(tf.sub(one, W[r]), still));

    const outs: TfTensor[] = [];
    for (const b of [1, 2, 3]) {
      const u = b === 1 ? Z : tf.concat([Z, ...outs], 3);
      const branches = [1, 2, 4].map((dilation) =>
        [1, 2, 3].reduce((y, j) => this.conv(`decoder.sdc${b}.${j}`, y, { dilation }), u),
      );
      outs.push(this.conv(`decoder.sdc${b}.merge`, tf.concat(branches, 3)));
    }
    const o = this.conv('decoder.out', tf.concat(outs, 3), { act: false });
    if (this.#config.base !== 'merge') return tf.sigmoid(o);
    const base = tf.clipByValue(this.#merge(X, lin, W, r), 1e-6 / taus[taus.length - 1], 1 - 1e-4);
    return tf.sigmoid(tf.add(o, tf.sub(tf.log(base), tf.log(tf.sub(one, base)))));
  }
}
