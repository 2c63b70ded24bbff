"""The rows of the paper's Tables II, III and IV at an equal, small budget: trains each from the same seeds, measures it
with `deghost evaluate` on held-out scenes, and keeps the figures in ablations.json.

    python3 -m data --panoramas DIR --out runs/ablation-pool --scenes 512 --frames 3 --seed 501 --plain 4
    python3 -m data --panoramas DIR --out runs/ablation-held --scenes 24 --frames 3 --seed 77 --plain 4 --held-out
    python3 ablations.py --seeds 1 2 3          # run it again to go on; rows that are done are kept
    python3 ablations.py --table                # the figures beside the paper's

A thread of its own for each call; `--only ROW...` divides the rows among several. Networks have a quarter of the
paper's widths, because a CPU trains them: what holds at this size and budget need not hold at the paper's.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "ablations.json")
WIDTHS = {"width": 8, "segWidths": [8, 8, 16, 16]}
S_ITERATIONS, ITERATIONS = 240, 400
# Rows without a training of S alone get its iterations in the joint part.
LONGER = S_ITERATIONS + ITERATIONS
COMMON = ["--base", "none", "--hat", "channel", "--middle", "--zoom", "1", "--batch", "2"]
COMMON += ["--loss", "l2", "--mask-weight", "0.05"]


def row(config=None, variant="fixed", s=S_ITERATIONS, joint=ITERATIONS, options=()):
    return {"variant": variant, "config": {**WIDTHS, **(config or {})}, "s": s, "joint": joint, "options": options}


# Names as in the paper's tables.
ROWS = {
    "A12": row(),
    "A1": row(s=0, joint=LONGER, options=["--mask-weight", "0"]),
    "A2": row(s=0, joint=LONGER),
    "A3": row({"segmentation": "none"}, s=0),
    "A4": row({"segmentation": "difference"}, s=0),
    "A7": row(variant="any"),
    "A8": row({"memory": "shared"}),
    "A9": row({"decoder": "vanilla"}),
    "A10": row({"decoder": "resnet"}),
    "A11": row({"decoder": "sdc"}),
    "III shared, memory": row({"fusion": "shared"}),
    "III unshared, none": row({"memory": "none"}),
    "III shared, none": row({"fusion": "shared", "memory": "none"}),
    "IV l1": row(options=["--loss", "l1"]),
    "IV l2+l1": row(options=["--loss", "l2+l1"]),
    "IV l1+ms-ssim": row(options=["--loss", "l1+ms-ssim"]),
    "IV l2+ms-ssim": row(options=["--loss", "l2+ms-ssim"]),
    "IV l1+l2+ms-ssim": row(options=["--loss", "l1+l2+ms-ssim"]),
}
# The paper's PSNR-L and PSNR-T on Kalantari's set (Tables II to IV).
PAPER = {
    "A1": (41.07, 41.48),
    "A2": (40.87, 41.38),
    "A3": (40.58, 40.69),
    "A4": (40.37, 41.13),
    "A5": (34.40, 33.50),
    "A6": (36.75, 34.30),
    "A7": (41.05, 41.91),
    "A8": (40.54, 40.63),
    "A9": (41.14, 41.31),
    "A10": (41.11, 41.95),
    "A11": (41.36, 42.02),
    "A12": (41.47, 42.03),
    "III shared, memory": (41.10, None),
    "III unshared, none": (40.68, None),
    "III shared, none": (40.54, None),
    "IV l1": (41.01, 41.25),
    "IV l2+l1": (40.85, 41.32),
    "IV l1+ms-ssim": (41.07, 41.40),
    "IV l2+ms-ssim": (40.13, 39.83),
    "IV l1+l2+ms-ssim": (40.61, 40.63),
}


def results():
    if not os.path.exists(RESULTS):
        return {}
    with open(RESULTS) as f:
        return json.load(f)


def keep(name, seed, figures):
    """Adds a row's figures; several calls may do so at once."""
    lock = RESULTS + ".lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0.2)
    try:
        found = results()
        found.setdefault(name, {})[str(seed)] = figures
        with open(RESULTS + ".tmp", "w") as f:
            json.dump(found, f, indent=1, sort_keys=True)
            f.write("\n")
        os.replace(RESULTS + ".tmp", RESULTS)
    finally:
        os.remove(lock)


def call(*command):
    done = subprocess.run([str(part) for part in command], cwd=HERE, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return done.stdout


def longer_name(name, longer):
    return name if longer == 1 else f"{name}, {longer} times"


def train(name, seed, pool, held, longer=1):
    """Trains a row. Returns its weights file and the minutes that it took."""
    spec = ROWS[name]
    key = longer_name(name, longer)
    run = os.path.join("runs/ablations", f"{key.replace(' ', '-').replace(',', '')}-{seed}")
    weights = os.path.join(HERE, run, "weights.safetensors")
    pools = ["--pool", pool, "--held-out", held, "--held-out-stacks", 4]
    network = ["--variant", spec["variant"], "--config", json.dumps(spec["config"]), "--run", run, "--seed", seed]
    lengths = ["--s-iterations", longer * spec["s"], "--joint-iterations", longer * spec["joint"]]
    call(sys.executable, "train.py", *pools, *network, *lengths, *COMMON, *spec["options"])
    call(sys.executable, "export.py", "--state", f"{run}/state.pt", "--out", weights)
    import torch

    state = torch.load(os.path.join(HERE, run, "state.pt"), map_location="cpu")["state"]
    return weights, (state["s_seconds"] + state["joint_seconds"]) / 60


def measure(weights, scenes):
    """What `deghost evaluate` says of the network, and of merges with its maps, as means over the scenes."""
    out = os.path.join(os.path.dirname(weights), "evaluation.json")
    call("npx", "deghost", "evaluate", scenes, "--weights", weights, "--response", "gamma", "--json", out, "--quiet")
    with open(out) as f:
        report = json.load(f)
    wanted = {"network": "network", "merge, difference": "A5", "merge, S": "A6"}
    means = {
        short: {"psnr": report["mean"][name]["psnr"], "ssim": report["mean"][name]["ssim"]}
        for name, short in wanted.items()
        if name in report["mean"]
    }
    return {**means.pop("network"), "iou": report["mean"]["network"]["iou"], "merges": means}


def table():
    found = results()
    print(f"{'row':22} {'PSNR-L':>7} {'PSNR-T':>7} {'SSIM-T':>7}  spread  seeds   paper's L and T")
    # The merges with maps are measured with the paper's network.
    for merge in ("A5", "A6"):
        found[merge] = {seed: row["merges"][merge] for seed, row in found.get("A12", {}).items()}
    for name in sorted({*PAPER, *found}, key=lambda row: (row.partition(" ")[0], len(row), row)):
        seeds = found.get(name, {})
        if not seeds:
            continue
        rows = np.array([[s["psnr"]["linear"], s["psnr"]["mu"], s["ssim"]["mu"]] for s in seeds.values()])
        mean, spread = rows.mean(0), np.ptp(rows[:, 1]) if len(rows) > 1 else float("nan")
        theirs = " ".join("    -" if x is None else f"{x:.2f}" for x in PAPER.get(name, (None, None)))
        print(f"{name:22} {mean[0]:7.2f} {mean[1]:7.2f} {mean[2]:7.4f} {spread:7.2f} {len(rows):6}   {theirs}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--seeds", type=int, nargs="+", default=[1])
    p.add_argument("--longer", type=int, default=1, help="this many times the iterations, as rows of their own")
    p.add_argument("--only", nargs="+", choices=list(ROWS), help="rows, by name")
    p.add_argument("--pool", default="runs/ablation-pool")
    p.add_argument("--held-out", default="runs/ablation-held")
    p.add_argument("--table", action="store_true")
    a = p.parse_args()
    if a.table:
        return table()
    scenes = os.path.join(HERE, "runs/ablation-scenes")
    if not os.path.exists(scenes):
        call(sys.executable, "stacks.py", "--pool", a.held_out, "--out", scenes)
    for seed in a.seeds:
        for name in a.only or ROWS:
            key = longer_name(name, a.longer)
            if str(seed) in results().get(key, {}):
                continue
            weights, minutes = train(name, seed, a.pool, a.held_out, a.longer)
            keep(key, seed, {**measure(weights, scenes), "minutes": round(minutes, 2)})
            print(f"{key} of seed {seed}: {minutes:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
