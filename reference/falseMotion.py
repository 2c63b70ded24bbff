"""False motion on stacks where nothing moves: the mean of each motion map, from S alone, without the rest of the network.

    npx deghost merge 1.png 2.png 3.png --ev=-2,0,2 --method merge -o x.hdr --save-response response.json
    python3 falseMotion.py --weights ../weights/fixed.safetensors --response response.json --ev=-2,0,2 1.png 2.png 3.png [--maps sheet.png]
"""
import argparse
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from model import from_safetensors


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


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("images", nargs="+")
    p.add_argument("--weights", required=True)
    p.add_argument("--response", required=True, help="JSON of r, g, b: 256 samples each of the inverse response")
    p.add_argument("--ev", required=True, help="exposures in the order of the images, comma-separated")
    p.add_argument("--maps", help="a PNG: frames as the network sees them above, their maps below")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    net, _ = from_safetensors(a.weights)
    with open(a.response) as file:
        response = json.load(file)
    X, taus, (H, W) = inputs(a.images, [float(e) for e in a.ev.split(",")], response, net.config["gamma"])
    r = (len(X) - 1) // 2
    with torch.no_grad():
        maps = net.masks(net.segment(X, torch.from_numpy(taus).reshape(1, -1, 1, 1, 1), r), r)
    maps = [m[0, 0, :H, :W].numpy() for m in maps]
    print(" ".join(f"{'union' if k == r else k + 1} {m.mean():.4f}" for k, m in enumerate(maps)), f"mean {np.mean([m.mean() for m in maps]):.4f}")
    if a.maps:
        top = np.concatenate([x[0, :, :H, :W].numpy() for x in X], 2)
        low = np.concatenate([np.repeat(m[None], 3, 0) for m in maps], 2)
        Image.fromarray((255 * np.concatenate([top, low], 1)).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)).save(a.maps)


if __name__ == "__main__":
    main()
