"""How much rendered stacks differ from photographs: dark pixels of the reference, and the difference of still pixels
once their exposures are aligned.

    python3 gap.py --panoramas DIR --static DIR... [--frames 2,3,4 1,2,3] [--stacks 64] [--json gap.json]

--static: folders of pictures of 8 bits, darkest first, with ev.txt or exposure.txt (stops), in which nothing moves;
their response is the engine's own
estimate (`deghost merge --save-response`; needs `npm ci`). Rendered stacks are those that training
draws, with their true motion left out. For each range of brightness X of the reference: the median and the 95th
percentile over pixels of the largest
channel's |A - X|, and the share of the difference that is smooth (the energy of its 9x9 mean over its own), of the
shorter and of the longer frame.
Pixels above code 250 in either frame do not count.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import tempfile

import numpy as np
from scipy import ndimage

import data

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEVELS = [0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.97]
DARK = (0.02, 0.05, 0.1)
GAMMA = 2.2


def read_folder(folder, picks):
    """Paths of the pictures numbered `picks` (from 1, by name) and their exposures in stops."""
    paths = sorted(p for p in glob.glob(os.path.join(folder, "*")) if re.search(r"\.(png|jpe?g|tiff?)$", p, re.I))
    listed = next((p for p in (os.path.join(folder, n) for n in ("ev.txt", "exposure.txt")) if os.path.exists(p)), None)
    if listed is None:
        raise SystemExit(f"{folder} has neither ev.txt nor exposure.txt")
    with open(listed) as file:
        evs = [float(x) for x in re.split(r"[,\s]+", file.read().strip())]
    if len(evs) != len(paths) or max(picks) > len(paths):
        raise SystemExit(f"{listed} has {len(evs)} exposures for {len(paths)} pictures, of which {picks} are asked for")
    return [paths[i - 1] for i in picks], [evs[i - 1] for i in picks]


def estimated_response(paths, evs):
    """The engine's estimate: { r, g, b }, 256 samples of the inverse response each."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "response.json")
        subprocess.run(
            [
                "npx",
                "deghost",
                "merge",
                *map(os.path.abspath, paths),
                "--ev=" + ",".join(map(str, evs)),
                "--method",
                "merge",
                "-o",
                os.path.join(folder, "plain.npy"),
                "--save-response",
                out,
                "--quiet",
            ],
            cwd=ROOT,
            check=True,
        )
        with open(out) as file:
            return json.load(file)


def photographs(folders, picks, cache):
    """Stacks of three as (codes u8 [3,H,W,3], X f32 [3,H,W,3], taus, still [H,W] all true)."""
    from PIL import Image

    for folder in folders:
        for frames in picks:
            paths, evs = read_folder(folder, frames)
            order = np.argsort(evs, kind="stable")
            name = os.path.basename(os.path.normpath(folder))
            kept = os.path.join(cache, f"{name}-{'-'.join(map(str, frames))}.json") if cache else None
            if kept and os.path.exists(kept):
                response = json.load(open(kept))
            else:
                response = estimated_response(paths, evs)
                if kept:
                    os.makedirs(cache, exist_ok=True)
                    json.dump(response, open(kept, "w"))
            tables = np.stack([np.asarray(response[c], "f8") for c in "rgb"]).clip(0, 1) ** (1 / GAMMA)
            codes = np.stack([np.asarray(Image.open(paths[i]).convert("RGB")) for i in order])
            X = np.stack([tables[c][codes[..., c]] for c in range(3)], -1).astype("f4")
            yield codes, X, 2.0 ** (np.asarray(evs)[order] - min(evs)), [np.ones(codes.shape[1:3], bool)] * 3


def rendered(panoramas, count, seed):
    """Rendered stacks of three in the same form; those with steps far from 4 are skipped, because the photographs have
    steps of about 4.
    """
    sources, responses, i = data.sources(panoramas), data.Responses(), 0
    while count:
        s = data.render(np.random.default_rng([seed, i]), sources, 3, (128, 128), responses=responses)
        i += 1
        if np.abs(np.log2(s["taus"][1:] / s["taus"][:-1]) - 2).max() > 0.6:
            continue
        count -= 1
        still = [data.motion_of(s, k, 1) == 0 for k in range(3)]
        yield s["codes"].transpose(0, 2, 3, 1), data.frames_of(s).transpose(0, 2, 3, 1), s["taus"], still


def measure(stacks):
    """{dark: {limit: share}, short|long: [{from, to, median, high, smooth, stacks}]}."""
    dark, rows = [], {"short": [[] for _ in LEVELS[1:]], "long": [[] for _ in LEVELS[1:]]}
    for codes, X, taus, still in stacks:
        level = X[1].mean(-1)
        dark.append([(level < limit).mean() for limit in DARK])
        for name, k in (("short", 0), ("long", 2)):
            A = np.clip(X[k] * (taus[1] / taus[k]) ** (1 / GAMMA), 0, 1)
            off = A - X[1]
            counts = (codes[k].max(-1) < 250) & (codes[1].max(-1) < 250) & still[k]
            cover = ndimage.uniform_filter(counts.astype("f4"), 9, mode="nearest")[..., None]
            smooth = ndimage.uniform_filter(off * counts[..., None], (9, 9, 1), mode="nearest") / np.maximum(
                cover, 1e-3
            )
            for b, (low, high) in enumerate(zip(LEVELS, LEVELS[1:])):
                here = counts & (level >= low) & (level < high)
                if here.sum() < 100:
                    continue
                worst = np.abs(off[here]).max(-1)
                energy = (off[here] ** 2).sum()
                # Where both frames are black there is no difference that could be smooth.
                share = (smooth[here] ** 2).sum() / energy if energy > 1e-6 * here.sum() else np.nan
                rows[name][b].append([*np.percentile(worst, [50, 95]), share])
    table = {
        name: [
            {
                "from": low,
                "to": high,
                **dict(zip(("median", "high", "smooth"), np.nanmean(r, 0).round(4).tolist())),
                "stacks": len(r),
            }
            if r
            else {"from": low, "to": high, "stacks": 0}
            for r, low, high in zip(of, LEVELS, LEVELS[1:])
        ]
        for name, of in rows.items()
    }
    return {"stacks": len(dark), "dark": dict(zip(map(str, DARK), np.mean(dark, 0).round(4).tolist())), **table}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panoramas", required=True)
    p.add_argument("--static", nargs="+", required=True)
    p.add_argument(
        "--frames",
        nargs="+",
        default=["2,3,4"],
        help="pictures of a static stack to use, from 1; several sets are several stacks",
    )
    p.add_argument("--stacks", type=int, default=64, help="rendered stacks")
    p.add_argument("--seed", type=int, default=777)
    p.add_argument("--cache", help="folder that keeps the estimated responses")
    p.add_argument("--json")
    a = p.parse_args()
    real = measure(photographs(a.static, [[int(x) for x in f.split(",")] for f in a.frames], a.cache))
    made = measure(rendered(a.panoramas, a.stacks, a.seed))
    share = lambda m: " / ".join(f"{100 * v:.1f}" for v in m["dark"].values())
    print(
        f"reference below X = {' / '.join(map(str, DARK))}: {share(real)} % of {real['stacks']} real stacks, "
        f"{share(made)} % of {made['stacks']} rendered"
    )
    print(f"{'frame':6} {'X':>11}   {'real: median, 95 %, smooth':>28}   {'rendered':>28}")
    cell = (
        lambda r: f"{r['median']:.4f}  {r['high']:.4f}  {100 * r['smooth']:3.0f} % ({r['stacks']:3})"
        if r["stacks"]
        else "-"
    )
    for name in ("short", "long"):
        for x, y in zip(real[name], made[name]):
            print(f"{name:6} {x['from']:.2f} - {x['to']:.2f}   {cell(x):>28}   {cell(y):>28}")
    if a.json:
        with open(a.json, "w") as file:
            json.dump({"real": real, "rendered": made}, file, indent=1)


if __name__ == "__main__":
    main()
