"""Draws a run's logs against iterations: loss and learning rate, mask IoU or gain over the merge, held-out figures; S's
part above the joint one.

    python3 curves.py --run runs/fixed [runs/fixed-2 ...] \
      --out curves.png      # several runs are drawn one after the other

(matplotlib.) Thin lines are single log entries of 20 iterations, thick ones their running mean.
"""
import argparse
import os

import numpy as np


def rows(path):
    """[(phase, numbers)] of a log that may not exist yet; a line that a stop cut short is left out."""
    if not os.path.exists(path):
        return []
    lines = [line.rstrip("\n").split("\t") for line in open(path)]
    return [(line[0], [float(x) for x in line[1:]]) for line in lines if len(line) == max(map(len, lines))]


def joined(runs, file, phase):
    """The rows of a phase over all runs, iterations counted on."""
    out, base = [], 0
    for run in runs:
        part = [numbers for name, numbers in rows(os.path.join(run, file)) if name == phase]
        ended = [numbers[0] for name, numbers in rows(os.path.join(run, "log.tsv")) if name == phase]
        out += [[numbers[0] + base, *numbers[1:]] for numbers in part]
        base += max(ended, default=0)
    return np.array(out)


def smooth(y, n=15):
    n = min(n, len(y))
    kernel = np.ones(n)
    return np.convolve(y, kernel, "same") / np.convolve(np.ones(len(y)), kernel, "same")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--run", nargs="+", required=True)
    p.add_argument("--out", required=True)
    a = p.parse_args()
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    logs = {phase: (joined(a.run, "log.tsv", phase), joined(a.run, "held-out.tsv", phase)) for phase in ("s", "joint")}
    shown = [phase for phase, (log, _) in logs.items() if len(log)]
    if not shown:
        raise SystemExit(f"nothing to draw: no log.tsv with entries in {', '.join(a.run)}")
    figure, axes = pyplot.subplots(
        len(shown), 3, figsize=(13, 3.2 * len(shown)), squeeze=False, constrained_layout=True
    )
    titles = {"s": "segmentation alone", "joint": "everything"}
    for (left, middle, right), phase in zip(axes, shown):
        log, held = logs[phase]
        for axis, column, label in (
            (left, 3, "training loss"),
            (middle, 5, "mask IoU of batches") if phase == "s" else (middle, 4, "PSNR-mu above the merge, dB"),
        ):
            axis.plot(log[:, 0], log[:, column], linewidth=0.5, alpha=0.5)
            axis.plot(log[:, 0], smooth(log[:, column]), linewidth=1.6, color="C0")
            axis.set(xlabel="iterations", title=f"{titles[phase]}: {label}")
        rate = left.twinx()
        rate.plot(log[:, 0], log[:, 2], color="C1", linewidth=0.8)
        rate.set_ylabel("learning rate", color="C1")
        if len(held) and phase == "s":
            right.plot(held[:, 0], held[:, 6], "o-", markersize=3, label="shorter frames")
            right.plot(held[:, 0], held[:, 7], "o-", markersize=3, label="longer frames")
            right.set(xlabel="iterations", title="held-out mask IoU")
        elif len(held):
            right.plot(held[:, 0], held[:, 2], "o-", markersize=3, label="network")
            right.plot(held[:, 0], held[:, 4], "o-", markersize=3, label="merge with its masks")
            right.set(xlabel="iterations", title="held-out PSNR-mu, dB")
        right.legend(fontsize=8)
    figure.savefig(a.out, dpi=80)


if __name__ == "__main__":
    main()
