"""Pools: rendered stacks in chunks of .npy files that training maps into memory."""
import glob
import os
import time

import numpy as np

from .stack import KEYS, frames_of, motion_of, radiance_of, render


def write_pool(folder, sources, scenes, n, size, seed, chunk=256, log=print, **options):
    """Chunks of scenes as .npy files; a chunk that exists is kept, so that an interrupted run can continue."""
    os.makedirs(folder, exist_ok=True)
    for c in range((scenes + chunk - 1) // chunk):
        last = os.path.join(folder, f"{c:03}.residual.npy")
        if os.path.exists(last):
            continue
        start = time.time()
        stacks = [
            render(np.random.default_rng([seed, c * chunk + i]), sources, n, (size, size), **options)
            for i in range(min(chunk, scenes - c * chunk))
        ]
        for key in KEYS:
            path = os.path.join(folder, f"{c:03}.{key}.npy")
            np.save(path + ".tmp.npy", np.stack([s[key] for s in stacks]))
            os.replace(path + ".tmp.npy", path)
        log(f"{folder} chunk {c}: {len(stacks)} scenes in {time.time() - start:.0f} s", flush=True)


class Pool:
    """Memory-mapped chunks of one or more folders; pool[i] is a stack."""

    def __init__(self, *folders):
        self.chunks, self.index = [], []
        for last in [path for folder in folders for path in sorted(glob.glob(os.path.join(folder, "*.residual.npy")))]:
            chunk = {key: np.load(last.replace("residual", key), mmap_mode="r") for key in KEYS}
            self.index += [(len(self.chunks), i) for i in range(len(chunk["top"]))]
            self.chunks.append(chunk)
        if not self.index:
            raise SystemExit(f"no pool in {', '.join(folders)}: make one with `python3 -m data`")

    def __len__(self):
        return len(self.index)

    def __getitem__(self, i):
        c, j = self.index[i]
        return {key: self.chunks[c][key][j] for key in KEYS}


def preview(stacks, path):
    """A sheet: frames as the network sees them, their masks against the reference, and the true radiance."""
    from PIL import Image

    rows = []
    for s in stacks:
        n = len(s["taus"])
        r = (n - 1) // 2
        X = frames_of(s)
        mu = np.log1p(5000 * radiance_of(s, r)) / np.log(5001)
        masks = [np.repeat(motion_of(s, k, r)[None], 3, 0) for k in range(n) if k != r]
        rows.append(np.concatenate([*X, *masks, mu], 2))
    Image.fromarray((255 * np.concatenate(rows, 1).transpose(1, 2, 0)).clip(0, 255).astype(np.uint8)).save(path)
