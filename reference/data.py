"""Rendered exposure stacks: perspective crops of HDR panoramas, moving things cut from other scenes, and a camera.

A scene is a background (a crop of a panorama, with fine grain) and 0 to 3 things: soft varied outlines (noise-warped blobs, polygons,
jointed limbs) filled from other panoramas, that translate, rotate, scale, swing, enter and leave between frames. The camera adds shifts
of up to 2 px, exposure error, shot and read noise, saturation, a response curve R, JPEG and 8 bits; `lut` then undoes R as a response
estimate would, **with what estimation leaves over**: per-channel gamma error, an S-shape and a shadow lift, the same for all frames.

A stack: `codes` u8 [N,3,H,W]; `lut` f32 [3,256] (code -> X, the network's input); `clean` u16 [N,3,H,W], the radiance of every frame's
moment without noise or clipping, 1 = saturation of the shortest frame, stored as (radiance / top)^(1/2.2); `cover` u8 [N,H,W], how much
of a pixel things cover; `taus` nominal, `gains` true over nominal exposure; `residual` [3,3]. Motion of frame i against r: a thing
covers the pixel in i or in r. Noise, clipping, shifts and curve errors are not motion. Deterministic by seed; scenes are split by panorama.

    python3 data.py --panoramas DIR --out runs/pool --scenes 2048 --frames 3 --size 128 --seed 1 [--held-out] [--preview out.png]
"""
import argparse
import glob
import io
import os
import time

import numpy as np
from scipy import ndimage

GAMMA = 2.2
COVER = 0.1  # a pixel moves when a thing covers more than this of it
KEYS = ("codes", "lut", "clean", "top", "cover", "taus", "gains", "residual")


def read_radiance(path):
    """Radiance .hdr (new-style run-length coding) -> f32 [H,W,3]."""
    raw = open(path, "rb").read()
    head = raw.index(b"\n\n") + 2
    end = raw.index(b"\n", head)
    a, h, b, w = raw[head:end].split()
    if (a, b) != (b"-Y", b"+X"):
        raise ValueError(f"{path}: orientation {raw[head:end]!r} is not -Y H +X W")
    h, w, at = int(h), int(w), end + 1
    out = np.zeros((h, 4, w), np.uint8)
    for y in range(h):
        if raw[at : at + 2] != b"\x02\x02":
            raise ValueError(f"{path}: row {y} is not run-length coded")
        at += 4
        for c in range(4):
            x = 0
            while x < w:
                n = raw[at]
                if n > 128:
                    out[y, c, x : x + n - 128] = raw[at + 1]
                    x, at = x + n - 128, at + 2
                else:
                    out[y, c, x : x + n] = np.frombuffer(raw, np.uint8, n, at + 1)
                    x, at = x + n, at + 1 + n
    rgb, e = out[:, :3].astype("f4") + 0.5, out[:, 3].astype("i4")
    return np.where(e[:, None] > 0, np.ldexp(rgb, e[:, None] - 136), 0).astype("f4").transpose(0, 2, 1)


def panoramas(folder, held_out=False):
    """[(name, log2 radiance f32 [H,W,3])], every sixth of the sorted names held out."""
    files = sorted(glob.glob(os.path.join(folder, "*.hdr")))
    if not files:
        raise SystemExit(f"no .hdr files in {folder}")
    files = [f for i, f in enumerate(files) if (i % 6 == 3) == held_out]
    out = []
    for f in files:
        image = read_radiance(f)
        floor = max(1e-6, np.percentile(image, 50) * 1e-4)
        out.append((os.path.basename(f)[:-4], np.log2(np.clip(image, floor, 1e6))))
    return out


def view(pano, rng, size, degrees):
    """A perspective crop [h,w,3] (log2) with `degrees` to a pixel in its middle, looking near the horizon more often than not."""
    h, w = size
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
        i, j = np.minimum(tu.astype(int), tw - 2), np.minimum(tv.astype(int), th - 2)
        a, b = (tu - i)[..., None], (tv - j)[..., None]
        T = self.texture
        rad = (T[j, i] * (1 - a) + T[j, i + 1] * a) * (1 - b) + (T[j + 1, i] * (1 - a) + T[j + 1, i + 1] * a) * b
        return cover, rad + self.level


def residual_curve(x, residual):
    """What response estimation leaves over, in the gamma domain: x [...,3,H,W], residual [3,3]: gamma, S-shape, shadow lift."""
    g, s, lift = (residual[:, i].reshape(3, 1, 1) for i in range(3))
    x = np.maximum(x, 0) ** g
    return np.clip(x + s * np.sin(2 * np.pi * x) / (2 * np.pi) + lift * (1 - x) ** 6, 0, 1)


def response(x, m, p):
    """An S-curve: steepness p, meets 1/2 at m. m = 1/2, p = 1 is the identity."""
    c = (m / (1 - m)) ** p
    return x**p / (x**p + c * (1 - x) ** p)


def response_inverse(e, m, p):
    with np.errstate(divide="ignore"):
        t = (e / np.maximum(1 - e, 1e-9)) ** (1 / p) * (m / (1 - m))
    return np.where(e >= 1, 1, t / (1 + t))


def exposures(rng, n, plain):
    """Nominal taus: steps of 4 or 2 mostly, else 2 to 8."""
    if plain:
        return np.array([4.0**k for k in range(n)])
    kind = rng.random()
    if n <= 3:
        steps = np.full(n - 1, 4.0) if kind < 0.6 else np.exp(rng.uniform(np.log(2), np.log(8), n - 1))
    else:
        steps = np.full(n - 1, 2.0) if kind < 0.35 else np.full(n - 1, 4.0) if kind < 0.7 else np.exp(rng.uniform(np.log(2), np.log(5), n - 1))
    return np.cumprod(np.concatenate([[1.0], steps]))


def jpeg(codes, quality, subsampling):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer))


def render(rng, panos, n, size, plain=False, hard=1.0):
    """One stack, see the module's text. plain: steps of 4, always a moving thing, no shift, mild camera (for evaluation).

    `hard` scales what the camera's estimate leaves over and how far frames are misaligned.
    """
    h, w = size
    pad = 4
    big = (h + 2 * pad, w + 2 * pad)
    index = rng.integers(len(panos))
    background = view(panos[index][1], rng, big, np.exp(rng.uniform(np.log(0.22), np.log(0.5))))
    background = background + grain(rng, big, rng.choice([0, 0.05, 0.15, 0.3], p=[0.4, 0.3, 0.2, 0.1]))
    background += rng.normal(0, 0.15, 3).astype("f4")  # white balance
    if rng.random() < 0.3:  # compress or stretch the range a little
        mid = background.mean()
        background = mid + (background - mid) * rng.uniform(0.7, 1.3)
    median = np.median(background)
    taus = exposures(rng, n, plain)
    # exposure: what the middle frame's mean lies at, or which share saturates in the shortest; dark scenes often enough
    tau_m = taus[(n - 1) // 2]
    if rng.random() < 0.6:
        scale = np.log2(np.exp(rng.uniform(np.log(0.015 if rng.random() < 0.35 else 0.06), np.log(0.3))) / tau_m) - background.mean()
    else:
        scale = -np.percentile(background, rng.uniform(93, 99.9))
        scale = np.clip(scale, np.log2(0.004 / tau_m) - median, np.log2(0.5 / tau_m) - median)

    things = []
    count = rng.choice([1, 2, 3]) if plain else rng.choice([0, 1, 2, 3], p=[0.13, 0.4, 0.3, 0.17])
    for _ in range(count):
        source = index if rng.random() < 0.2 else rng.integers(len(panos))
        texture = view(panos[source][1], rng, (96, 96), np.exp(rng.uniform(np.log(0.2), np.log(0.6))))
        texture = texture - texture.mean()
        texture = np.clip(texture * rng.choice([0.3, 0.7, 1.0]), -5, 5) + rng.normal(0, 0.35, 3) + grain(rng, (96, 96), rng.choice([0, 0.1, 0.25]))
        level = median + rng.normal(0, 1.3)
        speed = rng.uniform(1.5, 6) if rng.random() < 0.2 else rng.uniform(4, 0.4 * min(h, w))
        things.append(Thing(rng, big, texture.astype("f4"), level, speed))

    times = np.cumsum(rng.uniform(0.6, 1.4, n))
    times -= times[(n - 1) // 2]
    # half-hidden: a thing may be absent from some frames; placed so that it is in view at the reference moment or next to it
    shown = [np.ones(n, bool) if rng.random() < 0.8 else rng.random(n) < 0.5 for _ in things]
    blur = rng.uniform(0.05, 0.4) if rng.random() < 0.4 and not plain else 0
    shifts = np.zeros((n, 2))
    if not plain and rng.random() < 0.6:
        shifts = rng.normal(0, 0.6 * hard, (n, 2)).clip(-2, 2)
    gains = np.ones(n) if plain else np.exp(rng.normal(0, 0.03 * hard, n) * (rng.random() < 0.6))

    clean, cover = np.zeros((n, 3, h, w), "f4"), np.zeros((n, h, w), "f4")
    for k in range(n):
        moments = times[k] + np.linspace(-0.5, 0.5, 5) * blur if blur and k == n - 1 else [times[k]]
        total, seen = 0, np.zeros(big)
        for t in moments:
            rad = np.exp2(background)
            for thing, visible in zip(things, shown):
                if visible[k]:
                    a, texture = thing.at(t)
                    if texture is not None:
                        rad = rad + a[..., None] * (np.exp2(texture) - rad)
                        seen = np.maximum(seen, a)
            total = total + rad / len(moments)
        image = np.log2(total + 1e-9) + scale
        image = image[pad:-pad, pad:-pad]
        if shifts[k].any():
            image = np.log2(total + 1e-9) + scale
            low, high = ndimage.minimum_filter(image, (3, 3, 1)), ndimage.maximum_filter(image, (3, 3, 1))
            planes = [ndimage.shift(image[..., c], shifts[k], order=3, mode="nearest") for c in range(3)]
            image = np.clip(np.stack(planes, -1), low - 0.5, high + 0.5)[pad:-pad, pad:-pad]  # splines ring beside lights
            seen = ndimage.shift(seen, shifts[k], order=1, mode="nearest")
        clean[k] = np.exp2(image).transpose(2, 0, 1)
        cover[k] = seen[pad:-pad, pad:-pad]

    # the camera
    shot, read = np.exp(rng.uniform(np.log(1e-4), np.log(3e-3))), np.exp(rng.uniform(np.log(2e-4), np.log(4e-3)))
    if plain:
        shot, read = 5e-4, 1e-3
    curved = rng.random() < 0.65 and not plain
    m, p = (rng.uniform(0.36, 0.52), rng.uniform(1.0, 1.7)) if curved else (0.5, 1.0)
    amount = 0.0 if plain or rng.random() < 0.3 else hard * rng.uniform(0.3, 1)
    residual = np.stack([1 + amount * rng.uniform(-0.07, 0.07, 3) * 0.6 + amount * rng.uniform(-0.07, 0.07) * 0.6, np.full(3, amount * rng.uniform(-0.12, 0.12)) + amount * rng.normal(0, 0.02, 3), np.full(3, amount * rng.uniform(-0.012, 0.012))], 1)
    quality = int(rng.integers(70, 98)) if rng.random() < 0.55 and not plain else 0
    subsampling = int(rng.choice([0, 2]))
    codes = np.zeros((n, 3, h, w), np.uint8)
    for k in range(n):
        x = clean[k] * (taus[k] * gains[k])
        x = x + rng.standard_normal(x.shape).astype("f4") * np.sqrt(shot * np.minimum(x, 2) + read * read)
        e = response(np.clip(x, 0, 1) ** (1 / GAMMA), m, p)
        c = np.round(255 * e).astype(np.uint8)
        if quality:
            c = jpeg(np.ascontiguousarray(c.transpose(1, 2, 0)), quality, subsampling).transpose(2, 0, 1)
        codes[k] = c
    table = response_inverse(np.arange(256) / 255, m, p)
    lut = residual_curve(np.broadcast_to(table, (3, 1, 256)), residual)[:, 0]
    top = max(1.0, float(clean.max()))
    coded = np.round(65535 * (np.clip(clean, 0, top) / top) ** (1 / GAMMA)).astype(np.uint16)
    return {"codes": codes, "lut": lut.astype("f4"), "clean": coded, "top": np.float32(top), "cover": np.round(255 * cover).astype(np.uint8), "taus": taus.astype("f4"), "gains": gains.astype("f4"), "residual": residual.astype("f4")}


# Reading a stack back

def frames_of(stack, picks=slice(None)):
    """Network inputs X [N,3,H,W] f32 from codes and lut."""
    codes, lut = stack["codes"][picks], stack["lut"]
    return np.stack([lut[c][codes[:, c]] for c in range(3)], 1)


def radiance_of(stack, k):
    """True radiance of frame k's moment, f32 [3,H,W], clipped at 1."""
    return np.minimum((stack["clean"][k].astype("f4") / 65535) ** GAMMA * stack["top"], 1)


def motion_of(stack, k, r):
    """True motion of frame k against r, f32 [H,W] of 0 and 1."""
    return (np.maximum(stack["cover"][k], stack["cover"][r]) > 255 * COVER).astype("f4")


def hat_merge(X, taus):
    """The merge of frames that show one moment. X [N,3,H,W]; radiance with 1 = saturation of the shortest."""
    hat = 1 - np.abs(2 * X - 1)
    hat[0] = np.where(X[0] > 0.5, 1, hat[0])
    hat[-1] = np.where(X[-1] < 0.5, 1, hat[-1])
    hat += 1e-6
    return (hat * X**GAMMA / taus.reshape(-1, 1, 1, 1)).sum(0) / hat.sum(0)


def target_of(stack, r, picks):
    """What a perfect network could know: noiseless frames of r's moment through the stack's own curve error, merged.

    Without curve and exposure errors it is radiance_of(stack, r); with them the truth cannot be told from the frames.
    In units of the shortest of `picks`.
    """
    rad = (stack["clean"][r].astype("f4") / 65535) ** GAMMA * stack["top"]
    taus = stack["taus"][picks]
    x = np.clip(rad * (taus * stack["gains"][picks]).reshape(-1, 1, 1, 1), 0, 1) ** (1 / GAMMA)
    return hat_merge(residual_curve(x, stack["residual"]).astype("f4"), taus / taus[0])


def write_pool(folder, panos, scenes, n, size, seed, chunk=256, log=print, **options):
    """Chunks of scenes as .npy files; a chunk that exists is kept, so that an interrupted run goes on."""
    os.makedirs(folder, exist_ok=True)
    for c in range((scenes + chunk - 1) // chunk):
        last = os.path.join(folder, f"{c:03}.residual.npy")
        if os.path.exists(last):
            continue
        start = time.time()
        stacks = [render(np.random.default_rng([seed, c * chunk + i]), panos, n, (size, size), **options) for i in range(min(chunk, scenes - c * chunk))]
        for key in KEYS:
            path = os.path.join(folder, f"{c:03}.{key}.npy")
            np.save(path + ".tmp.npy", np.stack([s[key] for s in stacks]))
            os.replace(path + ".tmp.npy", path)
        log(f"{folder} chunk {c}: {len(stacks)} scenes in {time.time() - start:.0f} s", flush=True)


class Pool:
    """Memory-mapped chunks; pool[i] is a stack."""

    def __init__(self, folder, limit=None):
        self.chunks, self.index = [], []
        for last in sorted(glob.glob(os.path.join(folder, "*.residual.npy")))[:limit]:
            chunk = {key: np.load(last.replace("residual", key), mmap_mode="r") for key in KEYS}
            self.index += [(len(self.chunks), i) for i in range(len(chunk["top"]))]
            self.chunks.append(chunk)
        if not self.index:
            raise SystemExit(f"no pool in {folder}: make one with data.py")

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


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--panoramas", required=True)
    a.add_argument("--out")
    a.add_argument("--scenes", type=int, default=2048)
    a.add_argument("--frames", type=int, default=3)
    a.add_argument("--size", type=int, default=128)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--chunk", type=int, default=256)
    a.add_argument("--held-out", action="store_true")
    a.add_argument("--plain", action="store_true")
    a.add_argument("--preview")
    a = a.parse_args()
    panos = panoramas(a.panoramas, a.held_out)
    if a.preview:
        start = time.time()
        stacks = [render(np.random.default_rng([a.seed, i]), panos, a.frames, (a.size, a.size), plain=a.plain) for i in range(8)]
        print(f"{(time.time() - start) / 8:.3f} s a scene")
        preview(stacks, a.preview)
    if a.out:
        write_pool(a.out, panos, a.scenes, a.frames, a.size, a.seed, a.chunk, plain=a.plain)
