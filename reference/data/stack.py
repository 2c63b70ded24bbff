"""A stack: a scene shot at several exposures, with true motion and true radiance.

`codes` u8 [N,3,H,W]; `lut` f32 [3,256] (code to X, the network's input); `clean` u16 [N,3,H,W], the radiance of every frame's
moment without noise or clipping, 1 = saturation of the shortest frame, stored as (radiance / top)^(1/2.2); `cover` u8 [N,H,W], how much
of a pixel things cover; `taus` nominal, `gains` true over nominal exposure; `residual` f32 [3,NODES], what undoing the camera's curve
leaves over; `curve` f32 [3,NODES], the camera's, which pools leave out. Motion of frame i against r: a thing covers the pixel in i or in r. Noise, clipping, shifts and curve errors are not motion.
"""
import numpy as np
from scipy import ndimage

from .camera import GAMMA, GRID, IDENTITY, codes_table, draw_curve, exposures, left_over, shoot
from .scene import Thing, grain, view

COVER = 0.1  # a pixel moves when a thing covers more than this of it
KEYS = ("codes", "lut", "clean", "top", "cover", "taus", "gains", "residual")


def render(rng, sources, n, size, responses=None, plain=None):
    """One stack. plain, a number: steps of that, always a moving thing, no shift, a mild camera with exact gamma.

    responses: pairs of a curve and its estimate (camera.Responses); without them a random curve is undone exactly.
    """
    h, w = size
    pad = 4
    big = (h + 2 * pad, w + 2 * pad)
    index = rng.integers(len(sources))
    background = view(sources[index], rng, big, np.exp(rng.uniform(np.log(0.22), np.log(0.5))))
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
        source = index if rng.random() < 0.2 else rng.integers(len(sources))
        texture = view(sources[source], rng, (96, 96), np.exp(rng.uniform(np.log(0.2), np.log(0.6))))
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
        shifts = rng.normal(0, 0.6, (n, 2)).clip(-2, 2)
    gains = np.ones(n) if plain else np.exp(rng.normal(0, 0.03, n) * (rng.random() < 0.6))

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

    shot, read = (5e-4, 1e-3) if plain else (np.exp(rng.uniform(np.log(1e-4), np.log(3e-3))), np.exp(rng.uniform(np.log(2e-4), np.log(4e-3))))
    if plain:
        curve, lut = IDENTITY, codes_table(IDENTITY)
    elif responses is None or rng.random() < 0.15:
        curve = draw_curve(rng)
        lut = codes_table(curve)
    else:
        curve, lut = responses.draw(rng, n)
    quality = int(rng.integers(70, 98)) if rng.random() < 0.55 and not plain else 0
    subsampling = int(rng.choice([0, 2]))
    codes = np.stack([shoot(rng, clean[k] * (taus[k] * gains[k]), curve, shot, read, quality, subsampling) for k in range(n)])
    residual = IDENTITY if plain else left_over(curve, lut)
    top = max(1.0, float(clean.max()))
    coded = np.round(65535 * (np.clip(clean, 0, top) / top) ** (1 / GAMMA)).astype(np.uint16)
    return {"codes": codes, "lut": lut.astype("f4"), "clean": coded, "top": np.float32(top), "cover": np.round(255 * cover).astype(np.uint8), "taus": taus.astype("f4"), "gains": gains.astype("f4"), "residual": residual.astype("f4"), "curve": curve.astype("f4")}


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
    x = np.stack([np.interp(x[:, c], GRID, stack["residual"][c]) for c in range(3)], 1)
    return hat_merge(x.astype("f4"), taus / taus[0])
