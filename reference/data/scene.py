"""Scenes: perspective crops of panoramas, crops of photographs, fine grain, and the things that move through them."""
import numpy as np
from scipy import ndimage


def bilinear(image, x, y):
    """image [H,W,C] at x, y within it."""
    i, j = np.floor(x).astype(int), np.floor(y).astype(int)
    a, b = (x - i)[..., None], (y - j)[..., None]
    return (image[j, i] * (1 - a) + image[j, i + 1] * a) * (1 - b) + (image[j + 1, i] * (1 - a) + image[j + 1, i + 1] * a) * b


def flat_view(image, rng, size, degrees):
    """A crop of a photograph: `degrees` as in a picture 60 degrees wide, at least one of its pixels and at most what fits; turned a little."""
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
    """A perspective crop [h,w,3] (log2) with `degrees` to a pixel in its middle, looking near the horizon more often than not; of a photograph, a crop scaled alike."""
    h, w = size
    if source.flat:
        out = flat_view(source.log, rng, size, degrees)
        return out[:, ::-1] if rng.random() < 0.5 else out
    pano = source.log
    f = 1 / np.radians(degrees)
    yaw, pitch, roll = rng.uniform(0, 2 * np.pi), np.clip(rng.normal(0, 0.35), -1.2, 1.2), rng.normal(0, 0.05)
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


class Thing:
    """A moving outline with a texture. `at(t)` gives cover [h,w] and log2 radiance [h,w,3]."""

    def __init__(self, rng, size, texture, level, speed):
        h, w = size
        self.size, self.texture, self.level = size, texture, level
        self.radius = R = np.exp(rng.uniform(np.log(5), np.log(0.3 * min(h, w))))
        self.kind = rng.choice(["blob", "polygon", "limbs"], p=[0.4, 0.2, 0.4])
        self.soft = rng.uniform(0.7, 2.5)
        self.p = np.array([rng.uniform(-0.05, 1.05) * w, rng.uniform(-0.05, 1.05) * h])
        angle = rng.uniform(0, 2 * np.pi)
        self.v = speed * np.array([np.cos(angle), 0.6 * np.sin(angle)])
        self.acc = rng.normal(0, 0.15, 2) * speed
        self.turn = rng.uniform(0, 2 * np.pi) if self.kind != "limbs" else rng.normal(0, 0.25)
        self.spin = rng.normal(0, 0.25)
        self.grow = rng.normal(0, 0.08)
        self.harm = [(n, rng.normal(0, 0.35 / n), rng.uniform(0, 6.3), rng.normal(0, 0.5)) for n in (2, 3, 4, 5, 7)]
        self.edges = [(2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / 6, R * rng.uniform(0.5, 1.1)) for k in range(6) if rng.random() < 0.85 or k < 3]
        # limbs: head, trunk, arms and legs as capsules hung from joints; each swings with time
        self.swing = rng.normal(0, 0.5, 8)
        self.pose = rng.normal(0, 0.45, 8)
        self.build = rng.uniform(0.75, 1.3, 4)
        self.warp = [(rng.normal(0, 0.5, 2) * 6 / R, rng.uniform(0, 6.3), rng.normal(0, 0.06 * R, 2)) for _ in range(3)]

    def limbs(self, u, v, t):
        R, b = self.radius, self.build
        a = self.pose + self.swing * t
        parts = [((0, -0.25 * R), (0.1 * R * a[0], 0.2 * R), 0.22 * R * b[0]), ((0, -0.62 * R), (0.02 * R, -0.66 * R), 0.15 * R * b[1])]
        for k, (x, y, length, thick, spread) in enumerate([(-0.16, -0.4, 0.34, 0.075, 0.5), (0.16, -0.4, 0.34, 0.075, -0.5), (-0.1, 0.2, 0.4, 0.1, 0.15), (0.1, 0.2, 0.4, 0.1, -0.15)]):
            ang = spread + a[k + 1] * (0.8 if k < 2 else 0.5)
            knee = (x * R - np.sin(ang) * length * R, y * R + np.cos(ang) * length * R)
            ang2 = ang + 0.5 * a[k + 3]
            foot = (knee[0] - np.sin(ang2) * length * R * 0.9, knee[1] + np.cos(ang2) * length * R * 0.9)
            parts += [((x * R, y * R), knee, thick * R * b[2]), (knee, foot, 0.8 * thick * R * b[3])]
        d = None
        for (x0, y0), (x1, y1), r in parts:
            dx, dy = x1 - x0, y1 - y0
            s = np.clip(((u - x0) * dx + (v - y0) * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
            e = np.hypot(u - x0 - s * dx, v - y0 - s * dy) - max(r, 0.8)
            d = e if d is None else np.minimum(d, e)
        return d

    def at(self, t):
        h, w = self.size
        y, x = np.mgrid[0:h, 0:w].astype("f4")
        p = self.p + self.v * t + self.acc * t * t
        ang, k = self.turn + self.spin * t, np.exp(-self.grow * t)
        x, y = (x - p[0]) * k, (y - p[1]) * k
        u, v = x * np.cos(ang) + y * np.sin(ang), y * np.cos(ang) - x * np.sin(ang)
        u0, v0 = u, v
        for f, phase, amount in self.warp:
            s = np.sin(f[0] * u0 + f[1] * v0 + phase)
            u, v = u + amount[0] * s, v + amount[1] * s
        if self.kind == "blob":
            th = np.arctan2(v, u)
            d = np.hypot(u, v) - self.radius * np.maximum(0.25, 1 + sum(a * np.cos(n * th + q + s * t) for n, a, q, s in self.harm))
        elif self.kind == "polygon":
            d = np.max([u * np.cos(a) + v * np.sin(a) - r for a, r in self.edges], 0)
        else:
            d = self.limbs(u, v, t)
        cover = np.clip(0.5 - d / self.soft, 0, 1)
        if cover.max() <= 0:
            return cover, None
        th, tw = self.texture.shape[:2]
        tu, tv = np.abs((u0 + tw / 2) % (2 * tw - 2) - (tw - 1)), np.abs((v0 + th / 2) % (2 * th - 2) - (th - 1))
        return cover, bilinear(self.texture, np.minimum(tu, tw - 1.001), np.minimum(tv, th - 1.001)) + self.level
