"""Renders the bundled example: three exposures of a panorama's crop, with toy balloons that drift through them. (numpy,
scipy, Pillow)

    python3 example.py --panorama venice_sunset_1k.hdr --out ../examples/balloons

The crop is a Panini projection (wide, with straight verticals), upsampled by cubic splines of log radiance and
sharpened: 1024x512
panoramas have few pixels to spare. The balloons are surfaces of revolution lit by the panorama itself: diffuse and
translucent from its
irradiance, glossy from its reflection. The camera: shot and read noise, saturation, a mild S-curve on gamma 2.2, JPEG,
EXIF exposures.
"""
import argparse
import os

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from scipy import ndimage

import data
from data.camera import steepened

SIZE = (512, 768)  # h, w
SHUTTER = (320, 80, 20)  # exposure times are 1 / these, seconds
SPLIT = 3  # subpixels a side for the balloons


def lookup(planes, d):
    """Log2 radiance splines [3][H,W] (wrapped) at directions d [...,3], y up."""
    H, W = planes[0].shape
    W -= 2 * PAD
    u = np.arctan2(d[..., 0], -d[..., 2]) / (2 * np.pi) * W + W / 2 - 0.5
    v = (0.5 - np.arcsin(np.clip(d[..., 1], -1, 1)) / np.pi) * H - 0.5
    return np.stack(
        [ndimage.map_coordinates(p, [v, u % W + PAD], order=3, mode="nearest", prefilter=False) for p in planes], -1
    )


PAD = 8


def splines(log_radiance):
    wrapped = np.pad(log_radiance, ((0, 0), (PAD, PAD), (0, 0)), mode="wrap")
    return [ndimage.spline_filter(wrapped[..., c], order=3) for c in range(3)]


def irradiance(image):
    """Cosine-weighted mean radiance around every direction, a 64x32 map, as splines of its log2."""
    h, w = 32, 64
    small = image.reshape(h, image.shape[0] // h, w, image.shape[1] // w, 3).mean((1, 3))
    lat, lon = (0.5 - (np.arange(h) + 0.5) / h) * np.pi, ((np.arange(w) + 0.5) / w - 0.5) * 2 * np.pi
    d = np.stack(
        [
            np.cos(lat)[:, None] * np.sin(lon),
            np.repeat(np.sin(lat)[:, None], w, 1),
            -np.cos(lat)[:, None] * np.cos(lon),
        ],
        -1,
    ).reshape(-1, 3)
    weight = np.repeat(np.cos(lat), w) * (np.pi / h) * (2 * np.pi / w) / np.pi
    E = np.maximum(d @ d.T, 0) @ (weight[:, None] * small.reshape(-1, 3))
    return splines(np.log2(E.reshape(h, w, 3)))


def turned(d, yaw):
    """Camera directions (x right, y up, z back) to the world's."""
    x, y, z = d[..., 0], d[..., 1], d[..., 2]
    return np.stack([x * np.cos(yaw) - z * np.sin(yaw), y, x * np.sin(yaw) + z * np.cos(yaw)], -1)


def panini(size, degrees, rise):
    """Directions of a cylindrical stereographic picture, `degrees` wide, its horizon `rise` of the height below the
    middle.
    """
    h, w = size
    unit = w / (4 * np.tan(np.radians(degrees) / 4))  # pixels
    y, x = np.mgrid[0:h, 0:w].astype("f4")
    x, y = (x + 0.5 - w / 2) / unit, (h * (0.5 + rise) - y - 0.5) / unit
    lon = 2 * np.arctan(x / 2)
    y = y * (1 + np.cos(lon)) / 2
    return np.stack([np.sin(lon), y, -np.cos(lon)], -1) / np.sqrt(1 + y * y)[..., None]


def sharpen(log_radiance, amount):
    """Unsharp masking of log radiance, kept within the range of each pixel's neighbourhood so that edges do not
    ring.
    """
    out = log_radiance + amount * (log_radiance - ndimage.gaussian_filter(log_radiance, (1.6, 1.6, 0)))
    low, high = ndimage.minimum_filter(log_radiance, (5, 5, 1)), ndimage.maximum_filter(log_radiance, (5, 5, 1))
    return np.clip(out, low - 0.05, high + 0.05)


def balloon(canvas, at, radius, tilt, colour, string, light, env, yaw):
    """Draws one balloon with its string over `canvas` (linear, SPLIT times finer); `at`, `radius` and `string` in
    picture pixels.
    """
    h, w = canvas.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype("f4")
    x, y = (x + 0.5) / SPLIT - at[0], (y + 0.5) / SPLIT - at[1]
    # the string hangs and waves a little
    s = np.clip((y - 1.3 * radius) / string, 0, 1)
    bend = np.sin(tilt) * -0.35 * string * s * s + 0.03 * string * np.sin(7 * s + at[0]) * s
    foot = (-np.sin(tilt) * 1.3 * radius, np.cos(tilt) * 1.3 * radius)
    line = (np.abs(x - foot[0] - bend) < 0.75) & (y > foot[1]) & (y < foot[1] + string)
    canvas[line] = 0.25 * light.mean() * np.array([1, 1, 1])
    u, v = x * np.cos(tilt) + y * np.sin(tilt), y * np.cos(tilt) - x * np.sin(tilt)
    u, v = u / radius, v / radius
    # outline: round above, drawn to a point below; a small knot
    profile = lambda t: np.where(
        t < 0,
        np.sqrt(np.maximum(0, 1 - (t / 1.06) ** 2)),
        np.sqrt(np.maximum(0, 1 - (t / 1.25) ** 2)) * (1 - 0.12 * t * t),
    )
    r = profile(v)
    inside = np.abs(u) < r
    vi, ui, ri = v[inside], u[inside], r[inside]
    e = 1e-3
    slope = (profile(np.clip(vi + e, -1.059, 1.249)) - profile(np.clip(vi - e, -1.059, 1.249))) / (2 * e)
    z = np.sqrt(np.maximum(ri * ri - ui * ui, 1e-6))
    n = np.stack([ui, ri * slope, z], -1)  # normal, x right, y up (image y is down: -(-r r'))
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    n = np.stack(
        [n[:, 0] * np.cos(tilt) + n[:, 1] * np.sin(tilt), n[:, 1] * np.cos(tilt) - n[:, 0] * np.sin(tilt), n[:, 2]], -1
    )
    world = turned(n, yaw)
    diffuse = np.exp2(lookup(env["irradiance"], world))
    through = np.exp2(lookup(env["irradiance"], -world))
    mirror = 2 * n[:, 2:] * n - np.array([0, 0, 1])
    shine = np.exp2(lookup(env["splines"], turned(mirror, yaw)))
    shine = np.minimum(shine, env["cap"])
    fresnel = 0.04 + 0.6 * (1 - n[:, 2:]) ** 5
    edge = 0.75 + 0.25 * n[:, 2:]  # rubber is thicker to the eye at the rim
    canvas[inside] = colour * edge * (0.75 * diffuse + 0.45 * through) + fresnel * shine
    knot = (np.abs(u) < 0.05 + 0.35 * (v - 1.22)) & (v > 1.22) & (v < 1.36)
    canvas[knot] = colour * 0.5 * light


def shoot(rng, radiance, exposure, shot=4e-4, read=1.2e-3):
    """8-bit code values of linear radiance: noise, saturation, gamma 2.2 and a mild S-curve."""
    x = radiance * exposure
    x = x + rng.standard_normal(x.shape) * np.sqrt(shot * np.minimum(x, 2) + read * read)
    return np.round(255 * steepened(np.clip(x, 0, 1) ** (1 / data.GAMMA), 0.47, 1.25)).astype(np.uint8)


def save(path, codes, seconds, quality):
    exif = Image.Exif()
    exif[0x8769] = {0x829A: IFDRational(1, seconds), 0x829D: IFDRational(8, 1), 0x8827: 100}
    Image.fromarray(codes).save(path, "JPEG", quality=quality, subsampling=0, exif=exif)


#             x      y     radius tilt  colour               string   drift of x, y per frame (shares of the picture)
BALLOONS = [
    (0.415, 0.27, 0.043, 0.10, (0.75, 0.035, 0.03), 0.28, (0.110, -0.070)),
    (0.355, 0.35, 0.036, -0.14, (0.80, 0.42, 0.02), 0.24, (0.105, -0.055)),
    (0.455, 0.39, 0.034, 0.26, (0.03, 0.16, 0.55), 0.22, (0.115, -0.062)),
]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panorama", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--yaw", type=float, default=-16, help="degrees to the right of the panorama's middle")
    p.add_argument("--degrees", type=float, default=130)
    p.add_argument("--rise", type=float, default=0.12)
    p.add_argument("--key", type=float, default=0.1, help="median radiance of the picture in the middle exposure")
    p.add_argument("--quality", type=int, default=93)
    p.add_argument("--only-scene", metavar="PNG", help="write the background alone")
    a = p.parse_args()
    image = np.maximum(data.read_radiance(a.panorama), 1e-5)
    env = {"splines": splines(np.log2(image)), "irradiance": irradiance(image)}
    h, w = SIZE
    yaw = np.radians(a.yaw)
    scene = np.exp2(sharpen(lookup(env["splines"], turned(panini(SIZE, a.degrees, a.rise), yaw)), 0.9))
    middle = a.key / np.median(scene)
    env["cap"] = 6 / middle
    if a.only_scene:
        Image.fromarray((255 * np.clip(scene * middle, 0, 1) ** (1 / 2.2)).astype("u1")).save(a.only_scene)
        return
    os.makedirs(a.out, exist_ok=True)
    light = np.exp2(lookup(env["irradiance"], turned(np.array([[0, 0, 1.0]]), yaw)))[0]
    for k, seconds in enumerate(SHUTTER):
        rng = np.random.default_rng([7, k])
        canvas = scene.repeat(SPLIT, 0).repeat(SPLIT, 1)
        for x, y, radius, tilt, colour, string, drift in BALLOONS:
            at = ((x + drift[0] * (k - 1)) * w, (y + drift[1] * (k - 1)) * h)
            balloon(
                canvas,
                at,
                radius * w * (1 - 0.04 * (k - 1)),
                tilt + 0.12 * (k - 1),
                np.array(colour),
                string * h,
                light,
                env,
                yaw,
            )
        frame = canvas.reshape(h, SPLIT, w, SPLIT, 3).mean((1, 3))
        save(os.path.join(a.out, f"{k + 1}.jpg"), shoot(rng, frame, middle * SHUTTER[1] / seconds), seconds, a.quality)


if __name__ == "__main__":
    main()
