"""What gates cost inside true motion, and how much false motion they remove from still parts: the measurement behind
the shipped gate.

    python3 chooseGate.py --weights runs/fixed/state.pt \
      --pool runs/held-plain3 runs/held-camera3 [--gate '{"codes": 2, ...}' ...]

For each gate, against the same weights without one, over the stacks of the pools: PSNR-mu of the network inside true
motion (mean and worst
difference in dB; the truth is what a perfect merge of the reference's moment would give), the share of still pixels
called moving
(W > 0.5), of all and of those below X = 0.1 in the reference, and the IoU of the maps. The rule: at most 0.1 dB lost on
the mean and 0.3 dB on the
worst stack; among those the gate that takes most motion from still dark parts.
"""
import argparse
import json
import os

import numpy as np
import torch

import data
from model import Deghost, from_safetensors, mu_law

GATES = [
    {"codes": codes, "relative": relative, "low": low, "high": high}
    for codes, relative in ((1, 0.03), (1.5, 0.04), (2, 0.06), (3, 0.1))
    for low, high in ((0, 0.01), (0.004, 0.02))
]


def load(path):
    if path.endswith(".safetensors"):
        return from_safetensors(path)[0]
    state = torch.load(path)
    net = Deghost(state["variant"], state["config"])
    net.load_state_dict(state["params"])
    return net.eval()


@torch.no_grad()
def measure(net, stack, gates):
    """One row for no gate and each gate: [PSNR-mu inside motion or nan, still share, still dark share or nan,
    intersection, union].
    """
    n = len(stack["taus"])
    r = (n - 1) // 2
    X = [torch.from_numpy(x)[None] for x in data.frames_of(stack)]
    samples, response = (torch.from_numpy(a) for a in data.samples_of(stack))
    samples = [x[None] for x in samples]
    taus = torch.from_numpy(stack["taus"] / stack["taus"][0])
    moves = [None if k == r else torch.from_numpy(data.motion_of(stack, k, r)) > 0 for k in range(n)]
    moving = torch.stack([m for m in moves if m is not None]).any(0)
    dark = X[r][0].mean(0) < 0.1
    truth = mu_law(torch.from_numpy(data.target_of(stack, r, np.arange(n))).clamp(0, 1))
    logits = net.segment(X, taus.reshape(1, -1, 1, 1, 1), r)
    rows = []
    for gate in [None, *gates]:
        net.config.pop("gate", None)
        if gate:
            net.config["gate"] = gate
        W = net.masks(logits, r, net.gates(samples, response, taus, r))
        Y = mu_law(net(X, taus, r, masks=W)["Y"][0])
        square = ((Y - truth) ** 2).mean(0)
        on = [None if w is None else w[0, 0] > 0.5 for w in W]
        called = torch.cat([on[k][~moves[k]] for k in range(n) if k != r]).float().mean()
        here = [on[k][~moves[k] & dark] for k in range(n) if k != r]
        called_dark = torch.cat(here).float().mean() if sum(len(h) for h in here) > 200 else torch.tensor(float("nan"))
        both = sum(int((on[k] & moves[k]).sum()) for k in range(n) if k != r)
        any_ = sum(int((on[k] | moves[k]).sum()) for k in range(n) if k != r)
        psnr = float(-10 * torch.log10(square[moving].mean() + 1e-12)) if moving.sum() > 64 else float("nan")
        rows.append([psnr, float(called), float(called_dark), both, any_])
    return rows


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--weights", required=True)
    p.add_argument("--pool", nargs="+", required=True)
    p.add_argument("--gate", nargs="+", type=json.loads, default=GATES)
    p.add_argument("--stacks", type=int, default=24, help="of each pool")
    p.add_argument("--json")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    net, out = load(a.weights), []
    for folder in a.pool:
        pool = data.Pool(folder)
        m = np.array([measure(net, pool[i], a.gate) for i in range(min(a.stacks, len(pool)))])  # stack, gate, figure
        print(f"{folder}, {len(m)} stacks: PSNR-mu inside motion {np.nanmean(m[:, 0, 0]):.2f} dB without a gate")
        for g, gate in enumerate([None, *a.gate]):
            off = m[:, g, 0] - m[:, 0, 0]
            row = {
                "pool": os.path.basename(folder),
                "gate": gate,
                "mean": float(np.nanmean(off)),
                "worst": float(np.nanmin(off)),
                "still": float(m[:, g, 1].mean()),
                "stillDark": float(np.nanmean(m[:, g, 2])),
                "iou": float(m[:, g, 3].sum() / m[:, g, 4].sum()),
            }
            out.append(row)
            print(
                f"  {json.dumps(gate) if gate else 'no gate':66} {row['mean']:+.3f} dB, worst {row['worst']:+.2f}; "
                f"still called moving {100 * row['still']:.2f} %, dark {100 * row['stillDark']:.2f} %; IoU "
                f"{row['iou']:.3f}",
                flush=True,
            )
    if a.json:
        with open(a.json, "w") as file:
            json.dump(out, file, indent=1)


if __name__ == "__main__":
    main()
