"""Scenes: perspective crops of panoramas and of skies, crops of photographs, and fine grain."""
import numpy as np
from scipy import ndimage


def bilinear(image, x, y):
    """image [H,W,C] at x, y within it."""
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    a, b = (x - i)[..., None], (y - j)[..., None]
    return (image[j, i] * (1 - a) + image[j, i + 1] * a) * (1 - b) + (
        image[j + 1, i] * (1 - a) + image[j + 1, i + 1] * a
    ) * b


def flat_view(image, rng, size, degrees):
    """A crop of a photograph: `degrees` as in a picture 60 degrees wide, at least one of its pixels and at most what
    fits; turned a little.
    """
    h, w = size
    H, W = image.shape[:2]
    room = min((W - 3) / (1.15 * w), (H - 3) / (1.15 * h))
    step = min(room, max(0.7, degrees * W / 60))
    roll = rng.normal(0, 0.05)
    y, x = np.mgrid[0:h, 0:w].astype("f4")
    x, y = (x - w / 2) * step, (y - h / 2) * step
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    x, y = x - x.min(), y - y.min()
    x, y = x + rng.uniform(0, max(0, W - 2 - x.max())), y + rng.uniform(0, max(0, H - 2 - y.max()))
    return bilinear(image, np.clip(x, 0, W - 1.001), np.clip(y, 0, H - 1.001))


def view(source, rng, size, degrees):
    """A perspective crop [h,w,3] (log2) with `degrees` to a pixel in its middle, looking near the horizon more often
    than not; of a photograph, a crop scaled alike; of a sky, above the horizon.
    """
    h, w = size
    if source.flat:
        out = flat_view(source.log, rng, size, degrees)
        return out[:, ::-1] if rng.random() < 0.5 else out
    pano = source.log
    f = 1 / np.radians(degrees)
    yaw, pitch, roll = rng.uniform(0, 2 * np.pi), np.clip(rng.normal(0, 0.35), -1.2, 1.2), rng.normal(0, 0.05)
    if source.sky:  # nothing lies below the horizon: look so high that the horizon is out of view
        half = np.arctan(0.5 * np.hypot(h, w) / f)
        pitch = half + abs(pitch) * (np.pi / 2 - half)
    y, x = np.mgrid[0:h, 0:w].astype("f4")
    x, y = (x - w / 2) / f, (y - h / 2) / f
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    z = np.cos(pitch) - y * np.sin(pitch)
    lat = np.arctan2(-(y * np.cos(pitch) + np.sin(pitch)), np.hypot(x, z))
    lon = yaw + np.arctan2(x, z)
    H, W = pano.shape[:2]
    u, v = (lon / (2 * np.pi) * W) % W, np.clip((0.5 - lat / np.pi) * H - 0.5, 0, H - 1.001)
    i, j = np.floor(u).astype(int), np.floor(v).astype(int)
    a, b = (u - i)[..., None], (v - j)[..., None]
    i, i1, j1 = i % W, (i + 1) % W, j + 1
    out = (pano[j, i] * (1 - a) + pano[j, i1] * a) * (1 - b) + (pano[j1, i] * (1 - a) + pano[j1, i1] * a) * b
    return out[:, ::-1] if rng.random() < 0.5 else out


def grain(rng, size, strength):
    """Fine texture in stops: white and blurred noise mixed."""
    if strength <= 0:
        return 0
    n = rng.standard_normal(size).astype("f4")
    m = ndimage.gaussian_filter(rng.standard_normal(size).astype("f4"), 1.2) * 4
    k = rng.random()
    return (strength * (k * n + (1 - k) * m))[..., None]
