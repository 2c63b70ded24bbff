"""How good are references other than the middle frame? Held-out scenes, each against the truth of the moment that the
reference shows.

    python3 references.py --panoramas DIR [--scenes 24] [--out runs/references] [--only plain3,camera5]

Renders held-out scenes and runs the reference network with `fixed` (three frames) and `any` and every frame as the
reference. Prints, in dB of PSNR-mu, mean over the scenes, in brackets inside
motion: for every reference both weights; and `--reference auto` against the middle frame, with its standard error, over
all scenes and over those in which it takes another. The choice is the engine's
(`chooseReferences.ts`). JSON of all of it goes to OUT/references.json.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np
import torch

import data
from evaluate import psnr
from model import from_safetensors, mu_law

HERE = os.path.dirname(os.path.abspath(__file__))
POOLS = {  # name: frames, seed, further options of `data`
    "plain3": (3, 95, ["--plain", "4"]),
    "camera3": (3, 96, []),
    "plain5": (5, 97, ["--plain", "2"]),
    "camera5": (5, 98, []),
}


def run(*command, **options):
    print("+", " ".join(command), file=sys.stderr, flush=True)
    return subprocess.run(command, check=True, **options)


@torch.no_grad()
def figures_of(net, stack, r):
    """PSNR-mu of the whole picture and inside motion, against the moment of frame r."""
    X = [torch.from_numpy(x)[None] for x in data.frames_of(stack)]
    taus = stack["taus"] / stack["taus"][0]
    truth = torch.from_numpy(np.minimum(data.radiance_of(stack, r) * stack["taus"][0], 1))
    moving = torch.from_numpy(np.max([data.motion_of(stack, k, r) for k in range(len(X)) if k != r], 0)) > 0
    samples, response = (torch.from_numpy(a) for a in data.samples_of(stack))
    Y, T = mu_law(net(X, taus, r, samples=[x[None] for x in samples], response=response)["Y"][0]), mu_law(truth)
    return psnr(Y, T), psnr(Y, T, moving) if moving.any() else float("nan")


def measure(name, a):
    frames, seed, more = POOLS[name]
    base = os.path.join(a.out, name)
    run(
        sys.executable,
        "-m",
        "data",
        "--panoramas",
        os.path.abspath(a.panoramas),
        "--out",
        os.path.join(base, "pool"),
        "--scenes",
        str(a.scenes),
        "--frames",
        str(frames),
        "--seed",
        str(seed),
        "--held-out",
        "--chunk",
        "64",
        *more,
        cwd=HERE,
        stdout=sys.stderr,
    )
    folder = os.path.join(base, "stacks")
    run(
        sys.executable,
        "stacks.py",
        "--pool",
        os.path.join(base, "pool"),
        "--out",
        folder,
        "--stacks",
        str(a.scenes),
        cwd=HERE,
    )
    chosen = list(
        json.loads(run("npx", "tsx", "chooseReferences.ts", folder, stdout=subprocess.PIPE, cwd=HERE).stdout).values()
    )
    pool, middle = data.Pool(os.path.join(base, "pool")), (frames - 1) // 2
    default = "fixed" if frames == 3 else "any"
    table = {}
    for weights in dict.fromkeys((default, "any")):
        net, _ = from_safetensors(os.path.join(a.weights, f"{weights}.safetensors"))
        table[weights] = np.array(
            [[figures_of(net.eval(), pool[i], r) for r in range(frames)] for i in range(a.scenes)]
        )  # [scenes, references, 2]
    means = {weights: np.nanmean(f, 0) for weights, f in table.items()}
    best = [default if r == middle else max(means, key=lambda weights: means[weights][r, 0]) for r in range(frames)]
    picks = [c["reference"] for c in chosen]
    auto = np.array([table[best[r]][i, r] for i, r in enumerate(picks)])
    kept = table[default][:, middle]
    other = np.array(picks) != middle
    gain = auto - kept
    return {
        "scenes": a.scenes,
        "psnrMu": {weights: m[:, 0].tolist() for weights, m in means.items()},
        "psnrMuMoving": {weights: m[:, 1].tolist() for weights, m in means.items()},
        "best": best,
        "auto": {
            "taken": [picks.count(r) for r in range(frames)],
            "middle": float(kept[:, 0].mean()),
            "auto": float(auto[:, 0].mean()),
            "gain": float(gain[:, 0].mean()),
            "standardError": float(gain[:, 0].std(ddof=1) / len(gain) ** 0.5),
            "gainMoving": float(np.nanmean(gain[:, 1])),
            "gainWhereOther": float(gain[other, 0].mean()) if other.any() else None,
            "worse": int((gain[other, 0] < 0).sum()),
        },
        "chosen": chosen,
        "scenesPsnrMu": {weights: f[:, :, 0].round(3).tolist() for weights, f in table.items()},
    }


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panoramas", required=True)
    p.add_argument(
        "--weights", default=os.path.join(HERE, "..", "weights"), help="folder of fixed.safetensors and any.safetensors"
    )
    p.add_argument("--scenes", type=int, default=24)
    p.add_argument("--out", default=os.path.join(HERE, "runs", "references"))
    p.add_argument("--only", default=",".join(POOLS))
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    a.out = os.path.abspath(a.out)
    os.makedirs(a.out, exist_ok=True)
    results = {}
    for name in a.only.split(","):
        result = results[name] = measure(name, a)
        print(f"{name}, {result['scenes']} scenes, PSNR-mu (inside motion)")
        for weights, row in result["psnrMu"].items():
            print(
                f"  {weights:6}"
                + "".join(
                    f"  reference {r + 1}: {value:.2f} ({result['psnrMuMoving'][weights][r]:.2f})"
                    for r, value in enumerate(row)
                )
            )
        auto = result["auto"]
        where = (
            ""
            if auto["gainWhereOther"] is None
            else f"; where it takes another {auto['gainWhereOther']:+.2f}, worse in {auto['worse']}"
        )
        print(
            f"  auto takes {', '.join(f'{r + 1}: {count}' for r, count in enumerate(auto['taken']))}; "
            f"{auto['auto']:.2f} against {auto['middle']:.2f} of the middle frame: {auto['gain']:+.2f} ± "
            f"{auto['standardError']:.2f} ({auto['gainMoving']:+.2f}){where}",
            flush=True,
        )
        with open(os.path.join(a.out, "references.json"), "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
