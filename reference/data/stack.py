"""A stack: a scene shot at several exposures, with true motion and true radiance.

`codes` u8 [N,3,H,W]; `lut` f32 [3,256] (code to X, the network's input); `clean` u16 [N,3,H,W], the radiance of every
frame's
moment without noise or clipping, 1 = saturation of the shortest frame, stored as (radiance / top)^(1/2.2); `cover` u8
[N,H,W], how much
of a pixel things cover; `taus` nominal, `gains` f32 [N,3] true over nominal exposure, which automatic white balance
makes differ between channels; `residual` f32 [3,NODES], what undoing the camera's curve
leaves over; `curve` f32 [3,NODES], the camera's, which pools leave out. Motion of frame i against r: a thing covers the
pixel in i or in r. Noise, clipping, shifts, parallax and curve errors are not motion.
"""
import numpy as np
from scipy import ndimage

from .camera import GAMMA, GRID, IDENTITY, Look, codes_table, draw_curve, exposures, left_over, shoot
from .scene import grain, view
from .things import ALL, SOLID, Thing

COVER = 0.1  # a pixel moves when a thing covers more than this of it
DARK = 0.5  # share of stacks in which much lies near black
NEAR_BLACK = 0.0014  # of saturation: X = 0.05
STEADY = 0.4  # share of stacks from a tripod: no shake, no drift, little noise, hardly any JPEG
KEYS = ("codes", "lut", "clean", "top", "cover", "taus", "gains", "residual")


def render(rng, sources, n, size, responses=None, plain=None):
    """One stack. plain, a number: steps of that, always a moving thing, no shift, a mild camera with exact gamma.

    responses: pairs of a curve and its estimate (camera.Responses); without them a random curve is undone exactly.
    Figures over time are compared on plain stacks, so their random draws, and the order of those, must not change.
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
    if not plain and rng.random() < (0.8 if sources[index].sky else 0.3):
        background = stand_before(rng, sources, background)
    median = np.median(background)
    taus = exposures(rng, n, plain)
    # exposure: what the middle frame's mean lies at, or which share saturates in the shortest; dark scenes often enough
    tau_m = taus[(n - 1) // 2]
    if rng.random() < 0.6:
        scale = (
            np.log2(
                np.exp(rng.uniform(np.log(0.015 if rng.random() < (0.35 if plain else 0.1) else 0.06), np.log(0.3)))
                / tau_m
            )
            - background.mean()
        )
    else:
        scale = -np.percentile(background, rng.uniform(93, 99.9))
        scale = np.clip(scale, np.log2(0.004 / tau_m) - median, np.log2(0.5 / tau_m) - median)
    if (
        not plain and rng.random() < DARK
    ):  # a share of the middle frame lies near black, as in photographs against the light
        share = rng.uniform(0.02, 0.35)
        dark, bright = np.percentile(background, [100 * share, 97])
        stretch = rng.uniform(1.0, 1.6)
        if rng.random() < 0.7:  # and the rest is lit
            stretch = max(stretch, min(2.2, rng.uniform(4, 8) / max(bright - dark, 0.5)))
        background = dark + (background - dark) * stretch
        median = np.median(background)
        scale = np.log2(NEAR_BLACK) - dark - np.log2(tau_m)

    things = []
    count = rng.choice([1, 2, 3]) if plain else rng.choice([0, 1, 2, 3], p=[0.13, 0.4, 0.3, 0.17])
    for _ in range(count):
        source = index if rng.random() < 0.2 else rng.integers(len(sources))
        texture = view(sources[source], rng, (96, 96), np.exp(rng.uniform(np.log(0.2), np.log(0.6))))
        texture = texture - texture.mean()
        texture = (
            np.clip(texture * rng.choice([0.3, 0.7, 1.0]), -5, 5)
            + rng.normal(0, 0.35, 3)
            + grain(rng, (96, 96), rng.choice([0, 0.1, 0.25]))
        )
        level = median + rng.normal(0, 1.3)
        speed = rng.uniform(1.5, 6) if rng.random() < 0.2 else rng.uniform(4, 0.4 * min(h, w))
        things.append(Thing(rng, big, texture.astype("f4"), level, speed, SOLID if plain else ALL))

    times = np.cumsum(rng.uniform(0.6, 1.4, n))
    times -= times[(n - 1) // 2]
    # half-hidden: a thing may be absent from some frames; placed so that it is in view at the reference moment or next
    # to it
    shown = [np.ones(n, bool) if rng.random() < 0.8 else rng.random(n) < 0.5 for _ in things]
    blur = rng.uniform(0.05, 0.4) if rng.random() < 0.4 and not plain else 0
    blurs = (
        blur * (taus / taus[-1]) ** rng.uniform(0, 1) if blur else np.zeros(n)
    )  # longer exposures blur more; an exponent near 0 is a slow shutter in all of them
    steady = not plain and rng.random() < STEADY
    shaken = not plain and not steady
    shifts = np.zeros((n, 2))
    if shaken and rng.random() < 0.5:
        shifts = rng.normal(0, np.exp(rng.uniform(np.log(0.1), np.log(0.9))), (n, 2)).clip(-2, 2)
    parallax, depth = np.zeros((n, 2)), None
    if (
        shaken and rng.random() < 0.2
    ):  # the camera moved a little: near and far shift by up to two pixels against each other
        parallax, depth = rng.normal(0, 0.9, (n, 2)).clip(-2, 2), depth_map(rng, big)
    gains = (
        np.ones((n, 1)) if plain else np.exp(rng.normal(0, 0.008 if steady else 0.025, (n, 1)) * (rng.random() < 0.6))
    )
    if shaken and rng.random() < 0.3:  # automatic white balance drifts between frames
        gains = gains * np.exp(rng.normal(0, 0.012, (n, 3)))
    gains = np.broadcast_to(gains, (n, 3))
    look = None if plain or rng.random() < 0.15 else Look(rng)

    clean, cover = np.zeros((n, 3, h, w), "f4"), np.zeros((n, h, w), "f4")
    sensor = np.zeros_like(clean)
    for k in range(n):
        moments = times[k] + np.linspace(-0.5, 0.5, 5) * blurs[k] if blurs[k] > 0.01 else [times[k]]
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
        if shifts[k].any() or parallax[k].any():
            low, high = ndimage.minimum_filter(image, (3, 3, 1)), ndimage.maximum_filter(image, (3, 3, 1))
            moved = displaced(image, shifts[k], parallax[k], depth)
            image = np.clip(moved, low - 0.5, high + 0.5)  # splines ring beside lights
            seen = ndimage.shift(seen, shifts[k], order=1, mode="nearest")
        image = image[pad:-pad, pad:-pad]
        sensor[k] = np.exp2(image).transpose(2, 0, 1)
        clean[k] = look.colours(sensor[k]) if look else sensor[k]
        cover[k] = seen[pad:-pad, pad:-pad]

    shot, read = (
        (5e-4, 1e-3)
        if plain
        else (
            np.exp(rng.uniform(np.log(5e-7), np.log(1e-5 if steady else 5e-4))),
            np.exp(rng.uniform(np.log(1e-5), np.log(1e-4 if steady else 8e-4))),
        )
    )
    if plain:
        curve, lut = IDENTITY, codes_table(IDENTITY)
    elif rng.random() < 0.05:  # developed without a curve, `--response linear`: few codes for the shadows
        curve = IDENTITY**GAMMA
        lut = np.stack([np.linspace(0, 1, 256) ** (1 / GAMMA)] * 3)
    elif responses is None or rng.random() < (0.5 if steady else 0.15):
        curve = draw_curve(rng)
        lut = codes_table(curve)
    else:
        curve, lut = responses.draw(rng, n)
    quality = int(rng.integers(92 if steady else 75, 100)) if rng.random() < 0.4 and not plain else 0
    subsampling = int(rng.choice([0, 2]))
    codes = np.stack(
        [
            shoot(
                rng,
                sensor[k] * (taus[k] * gains[k]).astype("f4")[:, None, None],
                curve,
                shot,
                read,
                quality,
                subsampling,
                look,
            )
            for k in range(n)
        ]
    )
    residual = IDENTITY if plain else left_over(curve, lut)
    top = max(1.0, float(clean.max()))
    coded = np.round(65535 * (np.clip(clean, 0, top) / top) ** (1 / GAMMA)).astype(np.uint16)
    return {
        "codes": codes,
        "lut": lut.astype("f4"),
        "clean": coded,
        "top": np.float32(top),
        "cover": np.round(255 * cover).astype(np.uint8),
        "taus": taus.astype("f4"),
        "gains": gains.astype("f4"),
        "residual": residual.astype("f4"),
        "curve": curve.astype("f4"),
    }


def stand_before(rng, sources, background):
    """Things that stand still before a scene, most of them much darker than it: trunks, poles, leaves, people against
    the sky. log2 [h,w,3].
    """
    h, w = background.shape[:2]
    for _ in range(rng.integers(1, 4)):
        texture = view(
            sources[rng.integers(len(sources))], rng, (96, 96), np.exp(rng.uniform(np.log(0.2), np.log(0.6)))
        )
        texture = np.clip(texture - texture.mean(), -4, 4) * rng.choice([0.5, 1.0]) + rng.normal(0, 0.3, 3)
        level = np.median(background) - (rng.uniform(1, 6) if rng.random() < 0.75 else rng.uniform(-2, 1))
        cover, filled = Thing(rng, (h, w), texture.astype("f4"), level, 0.0, ALL).at(0.0)
        if filled is not None:
            rad = np.exp2(background)
            background = np.log2(rad + cover[..., None] * (np.exp2(filled) - rad) + 1e-9)
    return background.astype("f4")


def depth_map(rng, size):
    """How near each pixel is, [h,w] in [0,1]: smooth, with a step through it in half of the scenes."""
    field = ndimage.gaussian_filter(rng.standard_normal(size), rng.uniform(8, 30))
    field = (field - field.min()) / (np.ptp(field) + 1e-9)
    return np.clip((field - 0.5) * rng.uniform(4, 40) + 0.5, 0, 1) if rng.random() < 0.5 else field


def displaced(image, shift, parallax, depth):
    """image [h,w,3] moved by shift (y, x) and by parallax times depth, cubic."""
    if depth is None:
        return np.stack([ndimage.shift(image[..., c], shift, order=3, mode="nearest") for c in range(3)], -1)
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]].astype("f4")
    at = [y - shift[0] - parallax[0] * depth, x - shift[1] - parallax[1] * depth]
    return np.stack([ndimage.map_coordinates(image[..., c], at, order=3, mode="nearest") for c in range(3)], -1)


# Reading a stack back


def frames_of(stack, picks=slice(None)):
    """Network inputs X [N,3,H,W] f32 from codes and lut."""
    codes, lut = stack["codes"][picks], stack["lut"]
    return np.stack([lut[c][codes[:, c]] for c in range(3)], 1)


def samples_of(stack, picks=slice(None)):
    """What the gate reads: the frames before their response was undone, f32 [N,3,H,W], and the response, f at i/255,
    f32 [3,256].
    """
    return stack["codes"][picks].astype("f4") / 255, stack["lut"] ** GAMMA


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

    Without curve and exposure errors it is radiance_of(stack, r); with them the frames do not determine the truth.
    In units of the shortest of `picks`.
    """
    rad = (stack["clean"][r].astype("f4") / 65535) ** GAMMA * stack["top"]
    taus = stack["taus"][picks]
    x = np.clip(rad * (taus[:, None] * stack["gains"][picks])[..., None, None], 0, 1) ** (1 / GAMMA)
    x = np.stack([np.interp(x[:, c], GRID, stack["residual"][c]) for c in range(3)], 1)
    return hat_merge(x.astype("f4"), taus / taus[0])
