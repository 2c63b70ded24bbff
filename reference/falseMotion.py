"""False motion on stacks where nothing moves: the mean of each motion map, and how far the network's picture is from the plain merge.

    python3 falseMotion.py --weights ../weights/fixed.safetensors --frames 2,3,4 DIR... [--json out.json] [--maps FOLDER]

A DIR holds pictures of 8 bits, sorted by name from the darkest, and ev.txt or exposure.txt with their exposures in stops, separated by commas or
lines. The response is the engine's own estimate (`deghost merge --save-response`; needs `npm ci`), the network is the PyTorch one, which
the engine equals to 1e-4. The reference frame's map is the union of the others.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from model import from_safetensors, mu_law

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def read_folder(folder, picks):
    """Paths of the pictures and their stops; picks count from 1, all by default."""
    paths = sorted(p for p in glob.glob(os.path.join(folder, "*")) if re.search(r"\.(png|jpe?g|tiff?)$", p, re.I))
    listed = next((p for p in (os.path.join(folder, n) for n in ("ev.txt", "exposure.txt")) if os.path.exists(p)), None)
    if listed is None:
        raise SystemExit(f"{folder} has neither ev.txt nor exposure.txt")
    with open(listed) as file:
        evs = [float(x) for x in re.split(r"[,\s]+", file.read().strip())]
    if len(evs) != len(paths):
        raise SystemExit(f"{listed} has {len(evs)} exposures for {len(paths)} pictures")
    if picks and max(picks) > len(paths):
        raise SystemExit(f"{folder} has {len(paths)} pictures, --frames names {max(picks)}")
    chosen = [i - 1 for i in picks] if picks else range(len(paths))
    return [paths[i] for i in chosen], [evs[i] for i in chosen]


def estimated_response(paths, evs):
    """The engine's estimate: { r, g, b }, 256 samples of the inverse response each."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "response.json")
        subprocess.run(["npx", "deghost", "merge", *map(os.path.abspath, paths), "--ev=" + ",".join(map(str, evs)), "--method", "merge", "-o", os.path.join(folder, "plain.npy"), "--save-response", out, "--quiet"], cwd=ROOT, check=True)
        with open(out) as file:
            return json.load(file)


def inputs(paths, evs, response, gamma):
    """X list of [1,3,H,W], sorted by exposure and padded to multiples of 16; taus; height and width."""
    order = np.argsort(evs, kind="stable")
    tables = np.stack([np.asarray(response[c], "f8") for c in "rgb"]).clip(0, 1) ** (1 / gamma)
    X = []
    for i in order:
        codes = np.asarray(Image.open(paths[i]).convert("RGB"))
        x = torch.from_numpy(np.stack([tables[c][codes[..., c]] for c in range(3)])[None].astype("f4"))
        H, W = x.shape[2:]
        X.append(F.pad(x, (0, -W % 16, 0, -H % 16), mode="replicate"))
    taus = 2.0 ** (np.asarray(evs)[order] - min(evs))
    return X, taus.astype("f4"), (H, W)


@torch.no_grad()
def measure(net, X, taus, size):
    """Means of the maps (the reference's being the union), PSNR-mu of the network against the plain merge in dB, and the maps."""
    H, W = size
    r = (len(X) - 1) // 2
    out = net(X, taus, r)
    plain = net.merge(X, torch.from_numpy(taus).reshape(1, -1, 1, 1, 1), [torch.zeros_like(x[:, :1]) for x in X], r)
    a, b = (mu_law(y[0, :, :H, :W].clamp(0, 1)) for y in (out["Y"], plain))
    maps = [w[0, 0, :H, :W].numpy() for w in out["W"]]
    return [float(m.mean()) for m in maps], float(-10 * torch.log10(((a - b) ** 2).mean() + 1e-12)), maps


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("stacks", nargs="+")
    p.add_argument("--weights", required=True)
    p.add_argument("--frames", help="pictures to use, from 1, e.g. 2,3,4")
    p.add_argument("--json")
    p.add_argument("--maps", help="folder for a PNG a stack: frames as the network sees them above, their maps below")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    net, _ = from_safetensors(a.weights)
    picks = [int(x) for x in a.frames.split(",")] if a.frames else None
    rows = []
    for folder in a.stacks:
        paths, evs = read_folder(folder, picks)
        X, taus, size = inputs(paths, evs, estimated_response(paths, evs), net.config["gamma"])
        means, psnr, maps = measure(net, X, taus, size)
        rows.append({"stack": os.path.basename(os.path.normpath(folder)), "maps": means, "mean": float(np.mean(means)), "psnrMu": psnr})
        print(f"{rows[-1]['stack']:20} maps {' '.join(f'{100 * m:.2f}' for m in means)} %, mean {100 * rows[-1]['mean']:.2f} %, {psnr:.1f} dB from the plain merge", flush=True)
        if a.maps:
            os.makedirs(a.maps, exist_ok=True)
            top = np.concatenate([x[0, :, : size[0], : size[1]].numpy() for x in X], 2)
            low = np.concatenate([np.repeat(m[None], 3, 0) for m in maps], 2)
            Image.fromarray((255 * np.concatenate([top, low], 1)).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)).save(os.path.join(a.maps, f"{rows[-1]['stack']}.png"))
    mean = {"mean": float(np.mean([r["mean"] for r in rows])), "worst": max(r["mean"] for r in rows), "psnrMu": float(np.mean([r["psnrMu"] for r in rows])), "lowestPsnrMu": min(r["psnrMu"] for r in rows)}
    print(f"{'mean':20} {100 * mean['mean']:.2f} %, worst {100 * mean['worst']:.2f} %; {mean['psnrMu']:.1f} dB, lowest {mean['lowestPsnrMu']:.1f}")
    if a.json:
        with open(a.json, "w") as file:
            json.dump({"frames": a.frames or "all", **mean, "stacks": rows}, file, indent=1)


if __name__ == "__main__":
    main()
