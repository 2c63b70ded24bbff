"""Goldens for the metrics of `deghost evaluate`: two small pictures and what scikit-image says about them.

    python3 metricsGoldens.py      # writes ../test/goldens/metrics{,.harm}.json and metrics.{truth,candidate}.npy

PSNR and SSIM are scikit-image's own. scikit-image has no PU21 and none of the tone operators, so this file implements
them a second time, from the papers:
PU21 with plain NumPy, Durand's bilateral filter by its definition, every pixel against every other, where the engine
uses a grid.
What harm a merge does (cast, rainbow pixels, CIEDE2000) is scikit-image's CIELAB and CIEDE2000 and SciPy's median
filter, put together here.
Needs Debian's python3-skimage.
"""
import json
import os

import numpy as np
from scipy.ndimage import median_filter
from skimage import color
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "test", "goldens")
H, W, PEAK = 43, 61, 4000.0
LUMA = np.array([0.2126, 0.7152, 0.0722])


def pictures():
    """A scene over four decades with edges, a lamp and black spots; and the same with noise, a tint and a ghost."""
    rng = np.random.default_rng(20)
    y, x = np.mgrid[0:H, 0:W]
    stops = -9 + 7 * x / W + 2 * np.sin(y / 5) + 1.5 * (np.hypot(x - 20, y - 15) < 9) + rng.normal(0, 0.15, (H, W))
    truth = np.exp2(stops)[..., None] * np.array([1.0, 0.8, 0.55]) * np.exp2(rng.normal(0, 0.1, (H, W, 3)))
    truth[30:36, 45:52] = 1.0
    truth[5:8, 5:9] = 0.0
    candidate = truth * np.array([1.02, 1.0, 0.97]) * np.exp2(rng.normal(0, 0.08, truth.shape)) + rng.normal(
        0, 2e-4, truth.shape
    )
    candidate[8:22, 25:34] += 0.3 * (truth[8:22, 35:44] - candidate[8:22, 25:34])
    return np.clip(truth, 0, 1).astype("f4"), np.clip(candidate, 0, 1).astype("f4")


def mu_law(y):
    return np.log(1 + 5000 * y) / np.log(5001)


def pu21(luminance):
    p1, p2, p3, p4, p5, p6, p7 = (
        0.353487901,
        0.3734658629,
        8.277049286e-05,
        0.9062562627,
        0.09150303166,
        0.9099517204,
        596.3148142,
    )
    y = np.clip(luminance, 0.005, 10000) ** p4
    return p7 * (((p1 + p2 * y) / (1 + p3 * y)) ** p5 - p6)


def bilateral(image, sigma_space, sigma_range):
    y, x = np.mgrid[0:H, 0:W].reshape(2, -1)
    v = image.ravel()
    weight = np.exp(
        -((y[:, None] - y) ** 2 + (x[:, None] - x) ** 2) / (2 * sigma_space**2)
        - (v[:, None] - v) ** 2 / (2 * sigma_range**2)
    )
    return (weight @ v / weight.sum(1)).reshape(image.shape)


def show(picture, luminance, target):
    factor = np.divide(target, luminance, out=np.zeros_like(luminance), where=luminance > 0)
    return np.clip(picture * factor[..., None], 0, 1) ** (1 / 2.2)


def operators(truth, sigma_space):
    """Each takes a picture; key, white and contrast are the truth's."""
    true = truth @ LUMA
    average, log = np.exp(np.log(np.maximum(true, 1e-6)).mean()), lambda l: np.log10(np.maximum(l, 1e-6))
    key = 1.03 - 2 / (2 + np.log10(average * PEAK + 1))
    base = np.sort(bilateral(log(true), sigma_space, 0.4).ravel())
    low, high = base[round(0.01 * (base.size - 1))], base[round(0.99 * (base.size - 1))]
    compression = np.log10(5) / (high - low)

    def reinhard(p):
        l = p @ LUMA
        s, w = 0.18 / average * l, 0.18 / average * true.max()
        return show(p, l, s * (1 + s / w**2) / (1 + s))

    def krawczyk(p):
        l = p @ LUMA
        s = key / average * l
        return show(p, l, s / (1 + s))

    def durand(p):
        l = p @ LUMA
        b = bilateral(log(l), sigma_space, 0.4)
        return show(p, l, 10 ** (compression * (b - high) + log(l) - b))

    return {"reinhard": reinhard, "krawczyk": krawczyk, "durand": durand}


def compare(a, b, peak, moving):
    similar, index = structural_similarity(
        a, b, data_range=peak, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1, full=True
    )
    whole = np.zeros_like(moving)
    whole[5:-5, 5:-5] = True  # windows within the picture, as the mean counts them
    inside, outside = (peak_signal_noise_ratio(a[m], b[m], data_range=peak) for m in (moving, ~moving))
    return {
        "psnr": peak_signal_noise_ratio(a, b, data_range=peak),
        "ssim": similar,
        "moving": inside,
        "still": outside,
        "ssimMoving": index[moving & whole].mean(),
        "ssimStill": index[~moving & whole].mean(),
    }


def key_of(picture):
    return np.exp(np.log(picture @ LUMA + 1e-6).mean())


def lab_at(picture, key):
    """CIELAB of a picture under Reinhard's global operator (middle grey 0.18, white 4) as sRGB."""
    light = picture @ LUMA
    scaled = 0.18 / key * light
    shown = np.clip(picture * (scaled / (1 + scaled) * (1 + scaled / 16) / np.maximum(light, 1e-9))[..., None], 0, 1)
    return color.rgb2lab(np.where(shown < 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055))


def rainbow(lab):
    far = [np.abs(lab[..., c] - median_filter(lab[..., c], size=5, mode="reflect")) > 15 for c in (1, 2)]
    return float((far[0] | far[1]).mean())


def cast(picture, codes):
    """What is left of colour once one growing curve for all channels has been fitted from the picture to the codes."""
    middle = ((codes >= 25) & (codes <= 230)).all(-1)
    log, taken = np.log(picture[middle] + 1e-7), codes[middle] / 255.0
    edges = np.quantile(log, np.linspace(0, 1, 65))
    bins = np.clip(np.searchsorted(edges, log) - 1, 0, 63)
    filled = [b for b in range(64) if (bins == b).any()]
    x = np.array([np.median(log[bins == b]) for b in filled])
    y = np.maximum.accumulate([np.median(taken[bins == b]) for b in filled])
    fitted, expected = color.rgb2lab(np.interp(log, x, y)[None])[0], color.rgb2lab(taken[None])[0]
    d = color.deltaE_ciede2000(fitted, expected)
    a, b = (fitted - expected)[:, 1:].mean(0)
    return {
        "pixels": int(middle.sum()),
        "median": float(np.median(d)),
        "p90": float(np.percentile(d, 90)),
        "a": float(a),
        "b": float(b),
    }


def harm(truth, candidate):
    """Both pictures at the truth's key, and one with every seventh pixel speckled; each against codes that a camera
    with an S-shaped curve would give for the truth.
    """
    key = key_of(truth)
    light = np.clip(4 * truth, 0, 1) ** (1 / 2.2)
    codes = np.round(255 * (light + 0.08 * np.sin(2 * np.pi * (light - 0.5)) / 2)).clip(0, 255)
    speckled = truth.copy().reshape(-1, 3)
    speckled[::7] = speckled[::7, ::-1] * np.array([2, 1, 1])
    labs = [lab_at(p, key) for p in (truth, candidate, speckled.reshape(truth.shape))]
    d = color.deltaE_ciede2000(*labs[:2])
    rng = np.random.default_rng(21)
    pairs = rng.uniform([[0, -100, -100]] * 2, [[100, 100, 100]] * 2, (40, 2, 3)).round(3)
    return {
        "key": float(key),
        "lab": [np.round(lab.ravel()[::97], 6).tolist() for lab in labs[:2]],
        "difference": {
            "mean": float(d.mean()),
            "p99": float(np.percentile(d, 99)),
            "every29th": np.round(d.ravel()[::29], 6).tolist(),
        },
        "rainbow": [rainbow(lab) for lab in labs],
        "codes": codes.astype(int).ravel().tolist(),
        "cast": [cast(p, codes) for p in (truth, candidate)],
        "pairs": [[*p.ravel().tolist(), float(color.deltaE_ciede2000(p[0], p[1]))] for p in pairs],
    }


def main():
    truth, candidate = pictures()
    np.save(os.path.join(OUT, "metrics.truth.npy"), truth)
    np.save(os.path.join(OUT, "metrics.candidate.npy"), candidate)
    truth, candidate = truth.astype("f8"), candidate.astype("f8")
    moving = np.zeros((H, W), bool)
    moving[8:22, 25:34] = True
    encodings = {
        "linear": lambda p: p,
        "mu": mu_law,
        **operators(truth, 0.02 * max(H, W)),
        "pu21": lambda p: pu21(p * PEAK),
    }
    luminances = [0, 0.005, 0.02, 1, 10, 100, 1000, 4000, 10000, 20000]
    log = np.log10(np.maximum(truth @ LUMA, 1e-6))
    goldens = {
        "peak": PEAK,
        "moving": {"rows": [8, 22], "columns": [25, 34]},
        "encodings": {
            name: compare(f(truth), f(candidate), 256.0 if name == "pu21" else 1.0, moving)
            for name, f in encodings.items()
        },
        "pu21": [[l, float(pu21(l))] for l in luminances],
        "bilateral": [
            {"sigmaSpace": s, "sigmaRange": r, "every97th": np.round(bilateral(log, s, r).ravel()[::97], 6).tolist()}
            for s, r in ((1.3, 0.4), (4.0, 0.4), (9.0, 0.15))
        ],
    }
    with open(os.path.join(OUT, "metrics.json"), "w") as f:
        json.dump(goldens, f, indent=1)
        f.write("\n")
    with open(os.path.join(OUT, "metrics.harm.json"), "w") as f:
        json.dump(harm(truth, candidate), f)
        f.write("\n")


if __name__ == "__main__":
    main()
