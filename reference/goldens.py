"""Writes test/goldens: for each case `{case}.weights.safetensors` (seeded random weights) and `{case}.safetensors`
(inputs,
per-stage tensors, output). Computed in float64 from f32 weights and inputs, stored as f32. `python3 goldens.py
[folder]`.

Metadata: variant, config, taus (JSON list), reference (from 0), layout. Tensors (frames from 1 in exposure order, CHW,
stages at
the padded size, X and Y at the original): X.k; A.i, logit.i, gate.i (i != r); W.k; f.l.k; v.l.k; M (slots one after the
other); S.k, D.k;
read.{static|dynamic}.j; S_f, D_f, Z; sdc.b; o (logits before the base); B (the merge, unclipped); Y; TY = T(Y).
coverage.k: [1,h,w], where frame k has data, in cases where some lack it.
With a camera's response there are sample.k, the frames before it is undone, and response, [3,1,256], of which the X.k
are made.
Larger cases keep fewer stages, to bound the folder's size. Weights are scaled so that masks and outputs vary over the
picture.
"""
import json
import os
import sys

import numpy as np
import torch

import safetensors
from model import DEFAULTS, DIFFERENCE, Deghost

FULL = None  # every stage
SOME = ("A.", "logit.", "W.", "S_f", "D_f", "Z", "o", "B")  # plus X, Y, TY
FEW = ("logit.", "W.", "o", "B")
GATED = (*FEW, "gate.")
SMALL = {"width": 8, "segWidths": [4, 8, 8, 12]}
THIN = {"width": 4, "segWidths": [4, 4, 8, 4]}

HALF = ("fixed-wide",)  # weights stored as f16
HOLES = ("any-4-coverage",)  # frames lack data in parts
CURVES = {"fixed-gate": (1.8, 2.4, 1.5)}  # responses by their powers

# name: variant, height, width, taus, reference, config, stages, without
CASES = {
    "fixed-soft": ("fixed", 19, 13, [1, 4, 16], 1, SMALL, FULL, ("M",)),
    "fixed-merge-r0": ("fixed", 16, 16, [1, 2, 8], 0, {**SMALL, "base": "merge"}, SOME, ()),
    "fixed-binary-merge": (
        "fixed",
        33,
        18,
        [1, 4.5, 15.75],
        1,
        {**THIN, "base": "merge", "maskMode": "binary"},
        SOME,
        (),
    ),
    "fixed-r2": ("fixed", 5, 15, [1, 8, 64], 2, {**THIN, "gamma": 1.8, "slope": 0.05}, FULL, ("M",)),
    "fixed-1x1-merge": ("fixed", 1, 1, [1, 3, 9], 1, {**THIN, "base": "merge"}, SOME, ()),
    "fixed-wide": (
        "fixed",
        16,
        16,
        [1, 4, 16],
        1,
        {"width": 32, "segWidths": [8, 8, 8, 8], "base": "merge"},
        FEW + ("Z",),
        (),
    ),
    "fixed-halo": ("fixed", 20, 140, [1, 4, 16], 1, {**THIN, "base": "merge"}, ("logit.", "W.", "o"), ()),
    "any-2": ("any", 7, 30, [1, 4], 0, THIN, FULL, ()),
    "any-3-binary": ("any", 14, 9, [1, 4, 16], 1, {**SMALL, "maskMode": "binary"}, SOME + ("M",), ()),
    "any-4-merge-r3": ("any", 16, 16, [1, 2.5, 6, 18], 3, {**THIN, "base": "merge", "slope": 0.1}, SOME, ()),
    "any-5": ("any", 19, 13, [1, 2, 4, 8, 16], 2, SMALL, SOME + ("read.",), ()),
    "any-9-merge": ("any", 13, 16, [2**i for i in range(9)], 4, {**SMALL, "base": "merge"}, SOME, ()),
    "fixed-gate": (
        "fixed",
        30,
        45,
        [1, 4, 16],
        1,
        {**THIN, "base": "merge", "hat": "pixel", "gate": {"codes": 2, "relative": 0.06, "low": 0.004, "high": 0.1}},
        GATED,
        (),
    ),
    "any-4-gate-binary-r0": (
        "any",
        45,
        22,
        [1, 3, 6, 18],
        0,
        {
            **THIN,
            "base": "merge",
            "maskMode": "binary",
            "gate": {"codes": 3, "relative": 0.1, "low": 0.01, "high": 0.2},
        },
        GATED,
        (),
    ),
    "any-4-coverage": (
        "any",
        37,
        43,
        [1, 4, 12, 40],
        2,
        {**THIN, "base": "merge", "hat": "pixel", "gate": {"codes": 2, "relative": 0.06, "low": 0.004, "high": 0.1}},
        GATED,
        (),
    ),
}

# Each ablation alone, for both variants, and some together.
ABLATED = {
    "no-masks": {"segmentation": "none"},
    "difference": {"segmentation": "difference"},
    "shared-memory": {"memory": "shared"},
    "no-memory": {"memory": "none"},
    "shared-fusion": {"fusion": "shared"},
    "vanilla": {"decoder": "vanilla"},
    "resnet": {"decoder": "resnet"},
    "sdc": {"decoder": "sdc"},
    "no-masks-shared-memory-vanilla": {"segmentation": "none", "memory": "shared", "decoder": "vanilla"},
    "difference-shared-fusion-no-memory-resnet": {
        "segmentation": "difference",
        "fusion": "shared",
        "memory": "none",
        "decoder": "resnet",
        "base": "merge",
    },
    "shared-fusion-shared-memory-sdc": {"fusion": "shared", "memory": "shared", "decoder": "sdc", "base": "merge"},
}
LITTLE = ("W.", "o", "Z")
for ablation, fields in ABLATED.items():
    CASES[f"fixed-{ablation}"] = ("fixed", 17, 12, [1, 4, 16], 1, {**THIN, **fields}, LITTLE, ())
    CASES[f"any-{ablation}"] = ("any", 9, 16, [1, 3, 6, 20], 1, {**THIN, **fields}, LITTLE, ())


def response_of(powers):
    """f at i/255 of each channel, f32 [3,256]: toes and shoulders unlike a power's."""
    i = np.arange(256) / 255
    return np.stack([i**p * (0.6 + 0.4 * i**2) for p in powers]).astype("f4")


def stack(rng, h, w, taus, gamma, response=None, noise=0.01):
    """Radiance with a gradient, waves, grain and a hard edge; a disc that moves from frame to frame; 8-bit frames,
    clipped at both ends.

    response: f at i/255, [3,256], where the camera has one; otherwise it is a power.
    """
    y, x = np.mgrid[0:h, 0:w].astype("f8")
    top = 1.3 / np.sqrt(max(taus))
    frames = []
    grain = rng.uniform(0.85, 1.15, (3, h, w))
    phase = rng.uniform(0, 6, 3)
    for k, tau in enumerate(taus):
        rad = (
            np.stack([np.exp(1.6 * np.sin(x / 5 + p) * np.cos(y / 7 - p)) * (0.15 + (x + y) / (h + w)) for p in phase])
            * grain
        )
        rad[:, :, : w // 3] *= 0.05
        cx, cy = w * (0.2 + 0.6 * k / (len(taus) - 1)), h * (0.3 + 0.4 * ((k * 7) % 5) / 4)
        disc = (x - cx) ** 2 + (y - cy) ** 2 < (0.22 * min(h, w) + 0.5) ** 2
        rad[:, disc] = np.array([[2.5], [0.6], [0.02]]) * grain[:, disc]
        if h * w == 1:
            rad[:] = np.array([0.7, 0.2, 4.0])[:, None, None]  # the last channel clips in the long frames
        light = np.clip(rad * top * tau, 0, 1)
        v = (
            light ** (1 / gamma)
            if response is None
            else np.stack([np.interp(plane, row, np.arange(256) / 255) for plane, row in zip(light, response)])
        )
        v = np.clip(v + rng.normal(0, noise, rad.shape), 0, 1)
        frames.append((np.round(v * 255) / 255).astype("f4"))
    return frames


def holes(h, w, count, r):
    """Where each frame has data, f64 [1,1,h,w]: a border that differs, a part without the reference, and a corner of
    the picture, which padding repeats, without anything.
    """
    out = [np.ones((1, 1, h, w)) for _ in range(count)]
    for k, cover in enumerate(out):
        cover[..., : 2 * k, :] = 0
        right = 3 * ((k + 1) % count)
        cover[..., w - right :] = 0
        cover[..., -6:, -7:] = 0
    out[r][..., 10:20, 5:25] = 0
    out[0][..., 14:26, 20:30] = 0
    return [torch.from_numpy(cover) for cover in out]


def widest_gap(v):
    """The middle of the widest gap among the middle tenth of the values: an offset that leaves no logit close to 0."""
    v = v.flatten().sort()[0]
    v = v[int(0.45 * len(v)) : int(0.55 * len(v)) + 2]
    i = int((v[1:] - v[:-1]).argmax())
    return (v[i] + v[i + 1]) / 2


def least_margin(net, taps, frames, taus, r):
    """How near a W_i is to one half, or a difference to its threshold: rounding must not decide in binary maps."""
    others = [k for k in range(len(taus)) if k != r]
    if net.ablation["segmentation"] == "none":
        return 1.0
    if net.ablation["segmentation"] == "network":
        return min(
            float((torch.sigmoid(taps[f"logit.{k + 1}"]) * taps.get(f"gate.{k + 1}", 1) - 0.5).abs().min())
            for k in others
        )
    tau = torch.as_tensor(taus, dtype=torch.float64)
    most = lambda k: float(tau[r] / tau[k]) ** (1 / net.config["gamma"])
    return min(
        float(
            (
                (net.align(frames[k], tau[k], tau[r]) - frames[r].clamp(max=most(k))).abs() - DIFFERENCE
            )
            .abs()
            .min()
        )
        for k in others
    )


def undone(samples, response, gamma):
    """X of the samples, f64 [3,h,w] each."""
    return [
        np.stack(
            [np.interp(255.0 * plane, np.arange(256), row) for plane, row in zip(x.astype("f8"), response.astype("f8"))]
        )
        ** (1 / gamma)
        for x in samples
    ]


def weights(variant, config, frames, taus, r, seed, dtype):
    """Seeded random weights with live masks and outputs, rounded to what the file holds."""
    net = Deghost(variant, config).double().eval()
    gen = torch.Generator().manual_seed(seed)
    net.init(gen, seg_bias=0.0, out_bias=0.0)
    with torch.no_grad():
        for name, p in net.named_parameters():
            if name.endswith("bias"):
                p.copy_((torch.rand(p.shape, generator=gen, dtype=torch.float64) - 0.5) * 0.2)
        # scale the heads by what they give: mask logits around 0 with a spread of 2; outputs with a spread of 1, dark
        # without a base
        taps = {}
        net(frames, taus, r, taps=taps)
        for head in [n for n, _ in net.named_modules() if n.startswith("seg.") and n.endswith(".out")]:
            ids = [i for i in range(len(taus)) if i != r and (net.variant == "any" or (i < r) == ("short" in head))]
            if not ids:
                continue  # a U-Net that this reference leaves unused
            v = torch.cat([taps[f"logit.{i + 1}"] for i in ids])
            m, k = net.layer(head), 2.0 / v.std()
            m.weight.mul_(k)
            m.bias.copy_(k * (m.bias - widest_gap(v)))
        net(frames, taus, r, taps=taps)
        m, k = net.layer("decoder.out"), 1.0 / taps["o"].std((0, 2, 3), keepdim=True).reshape(3, 1, 1, 1)
        m.weight.mul_(k)
        m.bias.copy_(
            k.flatten() * (m.bias - taps["o"].mean((0, 2, 3))) + (0.1 if net.config["base"] == "merge" else -2.0)
        )
        for p in net.parameters():
            p.copy_(p.to(dtype).double())
    return net


def main(folder):
    os.makedirs(folder, exist_ok=True)
    total = 0
    for index, (case, (variant, h, w, taus, r, config, keep, drop)) in enumerate(CASES.items()):
        config = {**DEFAULTS, **config}
        response = response_of(CURVES[case]) if case in CURVES else None
        samples = stack(
            np.random.default_rng(100 + index),
            h,
            w,
            taus,
            config["gamma"],
            response,
            0.003 if "gate" in config else 0.01,
        )
        images = samples if response is None else undone(samples, response, config["gamma"])
        batch = lambda pictures: [torch.from_numpy(x).double()[None] for x in pictures]
        frames = batch(images)
        dtype = torch.float16 if case in HALF else torch.float32
        net, taps = weights(variant, config, frames, taus, r, 1000 + index, dtype), {}
        coverage = holes(h, w, len(taus), r) if case in HOLES else None
        with torch.no_grad():
            net(
                frames,
                taus,
                r,
                taps=taps,
                coverage=coverage,
                samples=batch(samples),
                response=None if response is None else torch.from_numpy(response).double(),
            )
        out = {f"X.{k + 1}": x.astype("f4") for k, x in enumerate(images)}
        if response is not None:
            out.update({f"sample.{k + 1}": x for k, x in enumerate(samples)}, response=response[:, None])
        if coverage is not None:
            out.update({f"coverage.{k + 1}": x[0].numpy().astype("f4") for k, x in enumerate(coverage)})
        for name, t in taps.items():
            wanted = (
                keep is None
                or name in ("Y", "TY")
                or any(name == p or p.endswith(".") and name.startswith(p) for p in keep)
            )
            if wanted and name not in drop:
                out[name] = t[0].contiguous().numpy()
        meta = {
            "format": "deghost-golden",
            "variant": variant,
            "config": json.dumps(config),
            "taus": json.dumps(taus),
            "reference": str(r),
            "layout": "CHW",
        }
        files = [os.path.join(folder, f"{case}{end}") for end in (".weights.safetensors", ".safetensors")]
        safetensors.write(
            files[0],
            {k: v.to(dtype).numpy() for k, v in net.state_dict().items()},
            {"format": "deghost", "variant": variant, "config": json.dumps(config)},
        )
        safetensors.write(files[1], out, meta)
        size = sum(os.path.getsize(f) for f in files)
        total += size
        W = [taps[f"W.{k + 1}"] for k in range(len(taus)) if f"W.{k + 1}" in taps]
        others = [k + 1 for k in range(len(taus)) if k != r]
        near = least_margin(net, taps, frames, taus, r)
        if near < 1e-5 and net.ablation["segmentation"] == "difference":
            raise SystemExit(f"{case}: a difference is {near:.1e} from the threshold: another seed")
        gates = [taps[f"gate.{k}"] for k in others if f"gate.{k}" in taps]
        shares = "".join(
            f" {float((g == 0).float().mean()):.2f}/{float(((g > 0) & (g < 1)).float().mean()):.2f}" for g in gates
        )
        if gates and not all((g == 0).any() and (g == 1).any() and ((g > 0.1) & (g < 0.9)).any() for g in gates):
            raise SystemExit(f"{case}: a gate is all open or all closed:{shares}")
        print(
            f"{case:44} {size / 1024:5.0f} KiB  masks mean "
            f"{[round(float(x.mean()), 2) for x in W]}{' gate 0/between' + shares if gates else ''}  least margin "
            f"{near:.1e}  Y {float(taps['Y'].min()):.1e}..{float(taps['Y'].max()):.3f}  o sd "
            f"{float(taps['o'].std()):.2f}"
        )
    print(f"{total / 2**20:.2f} MiB")


if __name__ == "__main__":
    main(
        sys.argv[1]
        if len(sys.argv) > 1
        else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../test/goldens")
    )
