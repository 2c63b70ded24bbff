"""Makes data/responses.npz: camera curves, and what the engine's estimator (`--response auto`) makes of stacks shot
with them.

    python3 responses.py --panoramas DIR [--stacks 480] [--report sheet.png]      # needs the repository's `npm ci`

Stacks of 2 to 5 frames (320x240, of the training panoramas, with noise, JPEG, shifts, exposure errors and moving
things) are rendered with
curves drawn by data.draw_curve, estimated by estimateResponses.ts, and stored. If the estimator finds no curve, the
stack keeps gamma 2.2, as
for a user.
"""
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np

import data
from data.camera import BANK, GAMMA, GRID, left_over


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panoramas", required=True)
    p.add_argument("--stacks", type=int, default=480)
    p.add_argument("--seed", type=int, default=31)
    p.add_argument("--report", help="a PNG of the curves left over")
    a = p.parse_args()
    pictures, curves, frames = data.sources(a.panoramas), [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(a.stacks):
            stack = data.render(np.random.default_rng([a.seed, i]), pictures, 2 + i % 4, (240, 320), responses=None)
            curves.append(stack["curve"])
            frames.append(len(stack["taus"]))
            with open(f"{folder}/{i}.json", "w") as file:
                json.dump({"width": 320, "height": 240, "exposures": stack["taus"].tolist()}, file)
            stack["codes"].transpose(0, 2, 3, 1).tofile(f"{folder}/{i}.rgb")
        subprocess.run(
            ["npx", "tsx", os.path.join(os.path.dirname(os.path.abspath(__file__)), "estimateResponses.ts"), folder],
            check=True,
        )
        with open(f"{folder}/responses.json") as file:
            estimates = json.load(file)
    luts = np.stack([[np.asarray(e[c]) ** (1 / GAMMA) for c in "rgb"] for e in estimates])
    curves = np.stack(curves)
    np.savez_compressed(BANK, curves=curves.astype("f2"), luts=luts.astype("f2"), frames=np.array(frames, "i1"))
    off = np.abs(np.stack([left_over(c, l) for c, l in zip(curves, luts)]) - GRID)
    kept = sum(e["estimated"] for e in estimates)
    print(
        f"{BANK}: {os.path.getsize(BANK) / 2**10:.0f} KiB, {kept} of {a.stacks} estimated; off by "
        f"{np.median(off.mean((1, 2))):.4f} (median of means), {np.percentile(off.max((1, 2)), [50, 90]).round(3)} "
        "at most (median, 90 %)"
    )
    if a.report:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(1, 4, figsize=(16, 4))
        for n, axis in zip((2, 3, 4, 5), axes):
            for i in np.flatnonzero(np.array(frames) == n)[:60]:
                axis.plot(GRID, left_over(curves[i], luts[i])[1] - GRID, linewidth=0.6)
            axis.set(title=f"{n} frames", ylim=(-0.15, 0.15))
        figure.savefig(a.report)


if __name__ == "__main__":
    main()
