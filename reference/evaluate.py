"""Held-out figures: the network, the merge with its masks, with true masks and without masks, and the reference frame
alone.

    python3 evaluate.py --weights ../weights/fixed.safetensors \
      --held-out runs/held-plain3 [--picks 0,1,2] [--json out.json] [--pictures out.png]

PSNR in dB, mean over stacks, of T(Y) (mu) and of Y (linear) against the true radiance of the reference moment; inside
and outside true
motion; IoU of masks with true motion, pixels of all stacks summed, for frames shorter and longer than the reference.
"""
import argparse
import json
import os

import numpy as np
import torch

import data
from model import Deghost, from_safetensors, mu_law


def inputs(stack, picks=None):
    """X list of [1,3,H,W], taus, r, truth [3,H,W], motion masks [N,H,W], and what the gate reads: {samples: list of
    [1,3,H,W], response}.
    """
    p = np.arange(len(stack["taus"])) if picks is None else np.array(picks)
    r = (len(p) - 1) // 2
    X = [torch.from_numpy(x)[None] for x in data.frames_of(stack, p)]
    truth = torch.from_numpy(np.minimum(data.radiance_of(stack, p[r]) * stack["taus"][p[0]], 1))
    masks = torch.from_numpy(np.stack([data.motion_of(stack, k, p[r]) for k in p]))
    samples, response = (torch.from_numpy(a) for a in data.samples_of(stack, p))
    return (
        X,
        stack["taus"][p] / stack["taus"][p[0]],
        r,
        truth,
        masks,
        {"samples": [x[None] for x in samples], "response": response},
    )


def psnr(a, b, where=None):
    square = (a - b) ** 2
    if where is not None:
        square = square[:, where]
    return float(-10 * torch.log10(square.mean() + 1e-10)) if square.numel() else float("nan")


@torch.no_grad()
def figures(net, pool, count, picks=None):
    methods, sums, iou = (
        ("network", "mergeOwnMasks", "mergeTrueMasks", "mergeNoMasks", "reference"),
        {},
        np.zeros((2, 2)),
    )
    for i in range(min(count, len(pool))):
        X, taus, r, truth, masks, gate = inputs(pool[i], picks)
        out = net(X, taus, r, **gate)
        tau = torch.as_tensor(taus).reshape(1, -1, 1, 1, 1)
        H, W = truth.shape[1:]
        merge = lambda m: net.merge(X, tau, m, r)[0].clamp(0, 1)
        true = [masks[k][None, None] for k in range(len(X))]
        true[r] = torch.stack([m for k, m in enumerate(true) if k != r]).amax(0)
        own = [w[..., :H, :W] for w in out["W"]]
        results = dict(
            zip(
                methods,
                (
                    out["Y"][0],
                    merge(own),
                    merge(true),
                    merge([torch.zeros_like(t) for t in true]),
                    net.lin(X[r], tau[:, r])[0],
                ),
            )
        )
        moving = true[r][0, 0] > 0
        for name, y in results.items():
            row = [
                psnr(mu_law(y), mu_law(truth)),
                psnr(y, truth),
                psnr(mu_law(y), mu_law(truth), moving),
                psnr(mu_law(y), mu_law(truth), ~moving),
            ]
            sums.setdefault(name, []).append(row)
        for k in range(len(X)):
            if k != r:
                on = out["logits"][k][0, 0, :H, :W] > 0
                iou[int(k > r)] += [float((on & (masks[k] > 0)).sum()), float((on | (masks[k] > 0)).sum())]
    result = {
        name: dict(zip(("mu", "linear", "muMoving", "muStill"), np.nanmean(np.array(rows), 0).round(2).tolist()))
        for name, rows in sums.items()
    }
    result["iou"] = {side: round(float(a / max(b, 1)), 3) for side, (a, b) in zip(("short", "long"), iou)}
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--weights", required=True, help=".safetensors, or a checkpoint .pt")
    p.add_argument("--held-out", required=True)
    p.add_argument("--stacks", type=int, default=1000)
    p.add_argument("--picks", help="frames to use, from 0, e.g. 0,2,4")
    p.add_argument("--json")
    p.add_argument(
        "--pictures", help="a PNG: T of the truth, no masks, the reference, the network; own and true union masks"
    )
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if a.weights.endswith(".pt"):
        saved = torch.load(a.weights)
        net = Deghost(saved["variant"], saved["config"]).eval()
        net.load_state_dict(saved["params"])
        iterations = saved["state"]["joint_iterations"]
    else:
        net, meta = from_safetensors(a.weights)
        iterations = json.loads(meta["config"]).get("training", {}).get("iterations", {}).get("joint", 0)
    pool, picks = data.Pool(a.held_out), [int(x) for x in a.picks.split(",")] if a.picks else None
    result = figures(net, pool, a.stacks, picks)
    for name, row in result.items():
        print(f"{name:15}", "  ".join(f"{k} {v}" for k, v in row.items()))
    if a.json:
        with open(a.json, "w") as file:
            json.dump({"base": net.config["base"], "iterations": iterations, **result}, file, indent=1)
    if a.pictures:
        from PIL import Image

        rows = []
        with torch.no_grad():
            for i in range(min(8, len(pool))):
                X, taus, r, truth, masks, gate = inputs(pool[i], picks)
                out = net(X, taus, r, **gate)
                tau = torch.as_tensor(taus).reshape(1, -1, 1, 1, 1)
                plain = net.merge(X, tau, [torch.zeros_like(x[:, :1]) for x in X], r)[0]
                union = masks[[k for k in range(len(X)) if k != r]].amax(0)
                own = out["W"][r][0, :, : truth.shape[1], : truth.shape[2]]
                show = [truth, plain, net.lin(X[r], tau[:, r])[0], out["Y"][0]]
                rows.append(
                    torch.cat([*(mu_law(x) for x in show), own.expand(3, -1, -1), union[None].expand(3, -1, -1)], 2)
                )
        sheet = torch.cat(rows, 1).clamp(0, 1).permute(1, 2, 0).numpy()
        Image.fromarray((255 * sheet).astype(np.uint8)).save(a.pictures)


if __name__ == "__main__":
    main()
