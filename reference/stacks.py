"""Rendered stacks of a pool as folders that `deghost evaluate` reads: pictures, exposure.txt, ground-truth.hdr,
motion-K.png.

    python3 stacks.py --pool runs/held-plain3 --out scenes [--stacks 24] [--reference 0]

Pools rendered with `--plain` have exact gamma (`--response gamma`), others a camera's curve (`--response auto`). In
ground-truth.hdr 1 is the
saturation of the shortest frame. RGBE has steps of up to 0.8 %, which costs a few hundredths of a dB against
evaluate.py.
"""
import argparse
import os

import numpy as np
from PIL import Image

import data


def write_radiance(path, rgb):
    """f32 [H,W,3] -> Radiance .hdr, flat lines, mantissas rounded to the nearest."""
    largest = rgb.max(-1).astype("f8")
    exponent = np.frexp(largest)[1]
    exponent += np.round(np.ldexp(largest, 8 - exponent)) > 255
    out = np.zeros(rgb.shape[:2] + (4,), np.uint8)
    out[..., :3] = np.clip(np.round(np.ldexp(rgb.astype("f8"), (8 - exponent)[..., None])), 0, 255)
    out[..., 3] = np.clip(exponent + 128, 0, 255)
    out[largest < 2.0**-100] = 0
    with open(path, "wb") as f:
        f.write(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % rgb.shape[:2] + out.tobytes())


def write_stack(folder, stack, r=None):
    """One folder. r: whose moment the truth and the maps are of, from 0; the middle frame's by default."""
    os.makedirs(folder, exist_ok=True)
    n = len(stack["taus"])
    r = (n - 1) // 2 if r is None else r
    for k in range(n):
        Image.fromarray(np.ascontiguousarray(stack["codes"][k].transpose(1, 2, 0))).save(f"{folder}/input_{k + 1}.png")
        if k != r:
            Image.fromarray((255 * data.motion_of(stack, k, r)).astype(np.uint8)).save(f"{folder}/motion-{k + 1}.png")
    with open(f"{folder}/exposure.txt", "w") as f:
        f.writelines(f"{np.log2(t):.6f}\n" for t in stack["taus"])
    write_radiance(
        f"{folder}/ground-truth.hdr", np.minimum(data.radiance_of(stack, r) * stack["taus"][0], 1).transpose(1, 2, 0)
    )


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--pool", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--stacks", type=int, default=1000)
    p.add_argument(
        "--reference",
        type=int,
        help="whose moment the truth and the maps are of, from 0; by default the middle frame's",
    )
    a = p.parse_args()
    pool = data.Pool(a.pool)
    for i in range(min(a.stacks, len(pool))):
        write_stack(os.path.join(a.out, f"{i:03d}"), pool[i], a.reference)


if __name__ == "__main__":
    main()
