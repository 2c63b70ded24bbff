"""Goldens for the classical methods of `deghost evaluate --method`: a small stack and what comes of it.

    python3 methodsGoldens.py      # writes ../test/goldens/methods/*.npy

- stack.npy: four 8-bit frames of exact gamma, exposures 1, 4, 16, 64, with noise and a block that moves; coverage.npy:
  the second frame lacks a corner.
- khan.npy, pece.npy: radiance, computed here a second time with NumPy and SciPy; where the papers leave room, with the
  same choices as the engine (src/node/evaluate/methods).
- mertens.npy: OpenCV's createMergeMertens with all exponents 1, on the top left 32x32 of stack.npy, without coverage.
- mertensOdd.npy: the same of the top left 37x21, put together here from OpenCV's filters. At odd sizes its pyrUp
  repeats the last pixel (weights 1/8 and 7/8) where the engine mirrors without repeating it, as pyrDown does (1/4 and
  3/4).

Needs Debian's python3-scipy and python3-opencv.
"""
import os

import cv2
import numpy as np
from scipy import ndimage

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "goldens", "methods")
H, W, GAMMA = 32, 48, 2.2
TAUS = np.array([1.0, 4, 16, 64])


def stack():
    rng = np.random.default_rng(31)
    y, x = np.mgrid[0:H, 0:W]
    still = (0.6 * (x / W) ** 4 + 2e-3 + 1e-3 * np.sin(y / 3))[..., None] * (1 + 0.3 * np.cos(x / 5 + y / 7)[..., None])
    still = still * np.array([1, 0.85, 0.6])
    frames = []
    for k, tau in enumerate(TAUS):
        scene = still.copy()
        scene[18:24, 4 + 3 * k : 10 + 3 * k] = [0.03, 0.01, 0.02]
        codes = 255 * np.clip(scene * tau, 0, 1) ** (1 / GAMMA) + rng.normal(0, 0.8, scene.shape)
        frames.append(np.clip(np.round(codes), 0, 255))
    coverage = np.ones((len(TAUS), H, W), np.uint8)
    coverage[1, :9, :12] = 0
    return np.stack(frames).astype(np.uint8), coverage


def exposure_weights(x, coverage, hat):
    weight = hat(x)
    weight[0][x[0] > 0.5] = 1
    weight[-1][x[-1] < 0.5] = 1
    return (weight.min(-1) + 1e-6) * (coverage > 0)


def merged(x, weights):
    radiance = x**GAMMA / TAUS[:, None, None, None]
    return (radiance * weights[..., None]).sum(0) / weights.sum(0)[..., None]


def khan(x, coverage, iterations=5, bandwidth=0.1):
    radiance = x**GAMMA / TAUS[:, None, None, None]
    lms = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
    rotate = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
    colour = np.log10(radiance @ lms.T + 0.05**GAMMA / TAUS.max()) @ rotate.T
    start = exposure_weights(x, coverage, lambda z: 1 - (2 * z - 1) ** 12)
    weights = start
    wide = lambda a: np.pad(a, [(0, 0), (1, 1), (1, 1)] + [(0, 0)] * (a.ndim - 3))
    for _ in range(iterations):
        padded, around = wide(weights), wide(colour)
        likely, total = np.zeros_like(start), np.zeros(start.shape[1:])
        for dy, dx in [(a, b) for a in range(3) for b in range(3) if (a, b) != (1, 1)]:
            w, y = (a[:, dy : dy + H, dx : dx + W] for a in (padded, around))
            square = ((colour[:, None] - y[None]) ** 2).sum(-1) / bandwidth**2 + (dy - 1) ** 2 + (dx - 1) ** 2
            likely += (w[None] * np.exp(-square / 2)).sum(1)
            total += w.sum(0)
        weights = start * likely / total
    return merged(x, weights)


def pece(x, coverage):
    x32 = x.astype(np.float32).astype(np.float64)
    grey = ((54 * x32[..., 0] + 183 * x32[..., 1] + 19 * x32[..., 2]) / 256).astype(np.float32)
    shared = (coverage > 0).all(0)
    at = lambda share: np.array([np.sort(g[shared])[int(share * (shared.sum() - 1))] for g in grey])
    median = at(0.5)
    dark, bright = (median < 20 / 255).any(), (median > 235 / 255).any()
    threshold = median if dark == bright else at(0.83 if dark else 0.17)
    above = grey > threshold[:, None, None]
    covered = coverage > 0
    differ = (above & covered).any(0) & (~above & covered).any(0)
    moving = ndimage.binary_erosion(differ, np.ones((3, 3)), border_value=1)
    moving = ndimage.binary_dilation(moving, np.ones((17, 17)))
    labels, count = ndimage.label(moving, np.ones((3, 3)))
    score = np.exp(-((x - 0.5) ** 2).sum(-1) / (2 * 0.2**2)) * covered
    weights = exposure_weights(x, coverage, lambda z: 1 - np.abs(2 * z - 1))
    for label in range(1, count + 1):
        best = int(np.argmax([s[labels == label].sum() for s in score]))
        where = (labels == label) & covered[best]
        weights[:, where] = (np.arange(len(x)) == best)[:, None]
    print(f"pece: {count} regions, {moving.mean():.2f} of the picture, thresholds {threshold}")
    return merged(x, weights)


def mertens(codes):
    return np.clip(cv2.createMergeMertens(1, 1, 1).process(list(codes)), 0, 1)


def expand(a, shape):
    wide = np.zeros(shape + a.shape[2:], np.float32)
    wide[::2, ::2] = a
    taps = np.array([1, 4, 6, 4, 1], np.float32) / 8
    return cv2.sepFilter2D(wide, -1, taps, taps, borderType=cv2.BORDER_REFLECT_101)


def mertens_mirrored(codes):
    frames = [c.astype(np.float32) / 255 for c in codes]
    weights = [
        np.abs(cv2.Laplacian(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
        * f.std(-1)
        * np.exp(-((f - 0.5) ** 2).sum(-1) / (2 * 0.2**2))
        + 1e-12
        for f in frames
    ]
    total, levels, sums = sum(weights), int(np.log2(min(frames[0].shape[:2]))), None
    for f, w in zip(frames, weights):
        layers, shares = [f], [w / total]
        for _ in range(levels):
            layers.append(cv2.pyrDown(layers[-1]))
            shares.append(cv2.pyrDown(shares[-1]))
        for i in range(levels):
            layers[i] = layers[i] - expand(layers[i + 1], layers[i].shape[:2])
        weighted = [l * s[..., None] for l, s in zip(layers, shares)]
        sums = weighted if sums is None else [a + b for a, b in zip(sums, weighted)]
    out = sums[-1]
    for layer in sums[-2::-1]:
        out = layer + expand(out, layer.shape[:2])
    return np.clip(out, 0, 1)


def main():
    os.makedirs(OUT, exist_ok=True)
    codes, coverage = stack()
    x = codes / 255
    corner = lambda width, height: [np.ascontiguousarray(c[:height, :width]) for c in codes]
    arrays = {
        "khan": khan(x, coverage),
        "pece": pece(x, coverage),
        "mertens": mertens(corner(32, 32)),
        "mertensOdd": mertens_mirrored(corner(37, 21)),
    }
    for name, array in {"stack": codes, "coverage": coverage, **arrays}.items():
        np.save(os.path.join(OUT, f"{name}.npy"), array if array.dtype == np.uint8 else array.astype("f4"))


if __name__ == "__main__":
    main()
