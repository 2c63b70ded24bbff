"""Averages the weights of two runs, where one started from the end of the other: `python3 average.py --of A B --out
runs/average/state.pt`

A second run of S overfits: it improves on the pictures that it trains on, but not on others, and guesses from memory
what is burnt out in both frames.
Between its start and its end, in the space of weights, lies a network that has what both have learnt (Wortsman et al.,
"Robust fine-tuning of
zero-shot models", CVPR 2022, which also takes the middle where nothing else is known).
"""
import argparse
import os

import torch

from train import history_of, parameters_of


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--of", nargs=2, required=True, help="state.pt of two runs, or .safetensors")
    p.add_argument("--share", type=float, default=0.5, help="of the second")
    p.add_argument("--out", required=True)
    a = p.parse_args()
    first, second = (parameters_of(path) for path in a.of)
    if first.keys() != second.keys():
        raise SystemExit(f"{a.of[0]} and {a.of[1]} have different tensors: {sorted(first.keys() ^ second.keys())[:3]}")
    params = {name: (1 - a.share) * first[name] + a.share * second[name] for name in first}
    average = {"averageOf": [history_of(path) for path in a.of], "shareOfSecond": a.share}
    if a.of[1].endswith(
        ".safetensors"
    ):  # train.py's history_of reads this as the checkpoint of a run without iterations
        saved = {"state": {"s_iterations": 0, "joint_iterations": 0, "started": [average]}}
    else:  # what the second run's checkpoint says of its training, so that export.py can ship the average
        second_run = torch.load(a.of[1])
        saved = {
            "variant": second_run["variant"],
            "config": second_run["config"],
            "state": {**second_run["state"], "started": [*second_run["state"].get("started", []), average]},
        }
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    torch.save({**saved, "params": params}, a.out + ".tmp")
    os.replace(a.out + ".tmp", a.out)


if __name__ == "__main__":
    main()
