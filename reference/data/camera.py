"""The camera: exposures, noise, saturation, a colour matrix, a tone curve, the processing that cameras do, JPEG and 8
bits; and the error that undoing the curve leaves.

Curves are functions of the gamma domain, x = radiance^(1/2.2) to the code e, both in [0,1], and stored as NODES
samples. `draw_curve` draws
them: S-curves, sRGB, film, contrast, linear; one for the three channels, which cameras balance before it, or nearly so.
Where a stack's curve must be estimated, as `--response auto` does, the
estimate errs; responses.npz holds pairs of a true curve and of what the engine's own estimator made of a stack shot
with it
(responses.py makes that file), so that training has the errors that photographs will have.
"""
import io
import os

import numpy as np
from scipy import ndimage

GAMMA = 2.2
NODES = 129
GRID = np.linspace(0, 1, NODES)
MOST_STOPS = 16.0
BANK = os.path.join(os.path.dirname(__file__), "responses.npz")


def exposures(rng, n, step=None):
    """Nominal taus, shortest first: steps of 4 or 2 mostly, else 2 to 8 (2 to 5 for more than three frames), 16 stops
    in all at most; or all of `step`.
    """
    if step:
        return float(step) ** np.arange(n)
    kind = rng.random()
    if n <= 3:
        steps = np.full(n - 1, 4.0) if kind < 0.6 else np.exp(rng.uniform(np.log(2), np.log(8), n - 1))
    else:
        steps = (
            np.full(n - 1, 2.0)
            if kind < 0.35
            else np.full(n - 1, 4.0)
            if kind < 0.7
            else np.exp(rng.uniform(np.log(2), np.log(5), n - 1))
        )
    stops = np.log2(steps)
    stops *= min(1.0, MOST_STOPS / stops.sum())
    return np.exp2(np.concatenate([[0.0], np.cumsum(stops)]))


def steepened(x, m, p):
    """An S-curve of steepness p that meets 1/2 at m."""
    c = (m / (1 - m)) ** p
    return x**p / (x**p + c * (1 - x) ** p)


def srgb(x):
    light = x**GAMMA
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def film(x, power, half):
    """A saturating curve of radiance, scaled to end at 1: a long shoulder."""
    light = x ** (GAMMA * power)
    return light / (light + half) * (1 + half)


def contrast(x, amount, power):
    g = x ** (GAMMA / power)
    return (1 - amount) * g + amount * g * g * (3 - 2 * g)


def draw_curve(rng):
    """A camera's tone curve, f64 [3,NODES]: e at GRID for each channel, rising from 0 to 1."""
    kind = rng.choice(["gamma", "srgb", "s", "film", "contrast"], p=[0.1, 0.12, 0.4, 0.18, 0.2])
    spread = rng.choice([0.0, 0.01, 0.03], p=[0.6, 0.25, 0.15]) if kind != "gamma" else 0.0
    jitter = lambda value: value * np.exp(rng.normal(0, spread))
    if kind == "s":
        m, p = rng.uniform(0.36, 0.52), rng.uniform(1.0, 1.7)
        rows = [steepened(GRID, min(0.6, jitter(m)), jitter(p)) for _ in range(3)]
    elif kind == "film":
        power, half = rng.uniform(0.75, 1.1), rng.uniform(0.15, 0.45)
        rows = [film(GRID, jitter(power), jitter(half)) for _ in range(3)]
    elif kind == "contrast":
        amount, power = rng.uniform(0.1, 0.75), rng.uniform(1.9, 2.6)
        rows = [contrast(GRID, min(0.9, jitter(amount)), jitter(power)) for _ in range(3)]
    else:
        base = srgb(GRID) if kind == "srgb" else GRID
        rows = [base ** jitter(1.0) for _ in range(3)]
    black = rng.uniform(0, 0.016) if rng.random() < 0.6 else 0.0  # crushed blacks
    return np.clip((np.stack(rows) - black) / (1 - black), 0, 1)


def codes_table(curve):
    """The exact inverse of a curve [3,NODES] at the 256 codes: f64 [3,256]."""
    fine = np.linspace(0, 1, 4097)
    return np.stack([np.interp(np.arange(256) / 255, np.interp(fine, GRID, row), fine) for row in curve])


def left_over(curve, lut):
    """The error of undoing: the gamma-domain value that x at GRID becomes, f64 [3,NODES]. The identity for a perfect
    estimate.
    """
    return np.stack([np.interp(255 * row, np.arange(256), table) for row, table in zip(curve, lut)])


IDENTITY = np.stack([GRID] * 3)


class Responses:
    """Pairs (curve [3,NODES], lut [3,256]) from responses.npz: `frames` is how many frames each was estimated from."""

    def __init__(self, path=BANK):
        if not os.path.exists(path):
            raise SystemExit(f"{path} is missing: make it with responses.py")
        with np.load(path) as file:
            self.curves, self.luts, self.frames = file["curves"].astype("f8"), file["luts"].astype("f8"), file["frames"]

    def draw(self, rng, n):
        """A pair that was estimated from about as many frames as n."""
        near = np.abs(np.minimum(self.frames, 5) - min(n, 5))
        i = rng.choice(np.flatnonzero(near == near.min()))
        return self.curves[i], self.luts[i]


def jpeg(codes, quality, subsampling):
    """Encodes u8 [H,W,3] as JPEG and decodes the result."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(buffer))


class Look:
    """What a camera does to a picture between sensor and file. The colour matrix acts on linear light, the rest on the
    codes.
    """

    def __init__(self, rng):
        # rows that sum to 1 keep grey grey: more or less saturation, and a little of each channel in the others
        saturation = rng.uniform(0.85, 1.5) if rng.random() < 0.7 else 1.0
        mix = rng.normal(0, 0.06, (3, 3)) * (rng.random() < 0.5)
        matrix = saturation * np.eye(3) + (1 - saturation) * np.array([0.3, 0.59, 0.11]) + mix
        self.matrix = (matrix / matrix.sum(1, keepdims=True)).astype("f4")
        self.chroma = rng.uniform(0.5, 2.5) if rng.random() < 0.75 else 0.0
        self.denoise = rng.uniform(0.4, 1.1) if rng.random() < 0.5 else 0.0
        self.sharpen = rng.uniform(0.1, 0.8) if rng.random() < 0.7 else 0.0

    def colours(self, light):
        """Linear light [3,H,W] through the matrix; negative values become 0."""
        return np.maximum(np.tensordot(self.matrix, light, 1), 0)

    def finish(self, e):
        """Codes in [0,1], [3,H,W]: noise smoothed, edges sharpened."""
        luma = 0.3 * e[0] + 0.59 * e[1] + 0.11 * e[2]
        colour = e - luma
        if self.chroma:
            colour = ndimage.gaussian_filter(colour, (0, self.chroma, self.chroma))
        if self.denoise:  # edges of more than a few codes stay
            smooth = ndimage.gaussian_filter(luma, self.denoise)
            luma = smooth + (luma - smooth) * np.clip(np.abs(luma - smooth) / 0.03, 0.1, 1)
        if self.sharpen:
            luma = luma + self.sharpen * (luma - ndimage.gaussian_filter(luma, 0.9))
        return luma + colour


def shoot(rng, signal, curve, shot, read, quality=0, subsampling=0, look=None):
    """signal f32 [3,H,W], 1 = saturation of the sensor -> codes u8 [3,H,W]: noise of variance shot * signal + read^2,
    clipped, the look's colours, the curve, its finish, JPEG of that quality unless 0.
    """
    x = signal + rng.standard_normal(signal.shape).astype("f4") * np.sqrt(shot * np.minimum(signal, 2) + read * read)
    x = np.clip(x, 0, 1)
    if look:
        x = np.minimum(look.colours(x), 1)
    x = x ** (1 / GAMMA)
    e = np.stack([np.interp(plane, GRID, row) for plane, row in zip(x, curve)])
    if look:
        e = np.clip(look.finish(e), 0, 1)
    codes = np.round(255 * e).astype(np.uint8)
    return (
        jpeg(np.ascontiguousarray(codes.transpose(1, 2, 0)), quality, subsampling).transpose(2, 0, 1)
        if quality
        else codes
    )
