"""Exports a training run's checkpoint, or any PyTorch state dict of the network, to the weights file that the engine reads.

    python3 export.py runs/fixed/state.pt ../weights/fixed.safetensors --half --check runs/pool-held --data "..." --hardware "..."
    python3 export.py other.pt out.safetensors --variant fixed --config '{"width": 32, "base": "none"}'

A checkpoint of train.py brings its variant, config and training figures along; a bare state dict (or one under `params`, `state_dict`
or `model`) needs --variant, and --config where it differs from the defaults. Names and shapes are checked against the network before
anything is written. `--half` stores f16; `--check POOL` then prints how far the f16 network's output is from the f32 one's on held-out
stacks, and fails where that is not below the 8-bit step. `--convert any` starts an `any` network from a `fixed` checkpoint, untrained.
"""
import argparse
import datetime
import json
import math
import os

import numpy as np
import torch

import data
import safetensors
import train
from model import Deghost, mu_law

STEP = 1 / 255


def load(path, variant=None, config=None):
    """(network in f32, training state or {}) of a checkpoint or bare state dict; strict in names and shapes."""
    raw = torch.load(path, map_location="cpu")
    params = next((raw[key] for key in ("params", "state_dict", "model") if isinstance(raw.get(key), dict)), raw)
    variant = variant or raw.get("variant")
    if variant is None:
        raise SystemExit(f"{path}: a bare state dict does not say its variant: pass --variant fixed or --variant any")
    net = Deghost(variant, config if config is not None else raw.get("config") if params is not raw else None)
    try:
        net.load_state_dict(params, strict=True)
    except RuntimeError as error:
        raise SystemExit(f"{path}: not a {variant} network of this config: {error}")
    return net.float().eval(), raw.get("state", {}) if params is not raw else {}


def convert(path, variant):
    """A network of another variant, with everything that can be taken over; as train.py --init does before training."""
    raw = torch.load(path, map_location="cpu")
    net = Deghost(variant, raw["config"])
    net.init(torch.Generator().manual_seed(1), out_scale=0.05 if net.config["base"] == "merge" else 1.0)
    train.start(net, path, print)
    return net.eval()


def training(state):
    """The free fields about training, from a checkpoint's state."""
    if not state:
        return {}
    return {
        "iterations": {"segmentation": state["s_iterations"], "joint": state["joint_iterations"]},
        "seconds": {"segmentation": round(state["s_seconds"]), "joint": round(state["joint_seconds"])},
        "scenes": state["scenes"],
    }


def half(net):
    """A copy of the network with its parameters rounded to f16 (computing stays f32)."""
    copy = Deghost(net.variant, net.config)
    copy.load_state_dict({name: p.half().float() for name, p in net.state_dict().items()})
    return copy.eval()


@torch.no_grad()
def compare(a, b, pool, count):
    """Largest |Y_a - Y_b|, largest |T(Y_a) - T(Y_b)| and PSNR between T(Y_a) and T(Y_b) in dB, over the first stacks of a pool."""
    worst, worst_mu, square, pixels = 0.0, 0.0, 0.0, 0
    for i in range(min(count, len(pool))):
        s = pool[i]
        X = [torch.from_numpy(x)[None] for x in data.frames_of(s)]
        taus, r = s["taus"] / s["taus"][0], (len(s["taus"]) - 1) // 2
        one, two = (net(X, taus, r)["Y"] for net in (a, b))
        d = mu_law(one) - mu_law(two)
        worst, worst_mu = max(worst, float((one - two).abs().max())), max(worst_mu, float(d.abs().max()))
        square, pixels = square + float((d**2).sum()), pixels + d.numel()
    return worst, worst_mu, -10 * math.log10(square / pixels + 1e-20)


def write(path, net, use_half, fields):
    """fields: the free part of `config`."""
    tensors = {name: p.detach().numpy().astype(np.float16 if use_half else np.float32) for name, p in net.state_dict().items()}
    safetensors.write(path, tensors, {"format": "deghost", "variant": net.variant, "config": json.dumps({**net.config, **fields})})


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("source", help="state.pt of a run, or a state dict saved by torch.save")
    a.add_argument("out", help="the .safetensors file")
    a.add_argument("--half", action="store_true", help="store f16")
    a.add_argument("--variant", choices=["fixed", "any"], help="what a bare state dict holds")
    a.add_argument("--config", type=json.loads, help="JSON config of a bare state dict, where it differs from the defaults")
    a.add_argument("--convert", choices=["any"], help="start a network of this variant from the checkpoint, untrained")
    a.add_argument("--check", metavar="POOL", help="compare f16 with f32 on stacks of this pool")
    a.add_argument("--check-stacks", type=int, default=4)
    a.add_argument("--data", default="", help="what it was trained on, for the metadata")
    a.add_argument("--hardware", default="", help="what it was trained on, for the metadata")
    a.add_argument("--date", default=datetime.date.today().isoformat())
    a.add_argument("--held-out", metavar="JSON", help="figures that evaluate.py --json wrote, for the metadata")
    a = a.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if a.convert:
        net, state = convert(a.source, a.convert), {}
    else:
        net, state = load(a.source, a.variant, a.config)
    fields = {**training(state), "date": a.date}
    if a.convert:
        fields["data"] = f"none of its own: taken over from {os.path.basename(os.path.dirname(os.path.abspath(a.source)))}"
    if a.data:
        fields["data"] = a.data
    if a.hardware:
        fields["hardware"] = a.hardware
    if a.held_out:
        with open(a.held_out) as file:
            fields["heldOut"] = json.load(file)
    if a.check and a.half:
        worst, worst_mu, psnr = compare(net, half(net), data.Pool(a.check), a.check_stacks)
        print(f"f16 against f32: largest |dY| {worst:.2e}, largest |dT(Y)| {worst_mu:.2e}, PSNR-mu {psnr:.1f} dB (8-bit step {STEP:.2e})")
        if worst_mu >= STEP:
            raise SystemExit("f16 differs by more than the 8-bit step: export without --half")
        fields["f16"] = {"largestDifferenceT": float(f"{worst_mu:.3g}"), "psnrMu": round(psnr, 1)}
    write(a.out, net, a.half, fields)
    print(f"{a.out}: {net.variant}, {sum(p.numel() for p in net.parameters())} parameters, {os.path.getsize(a.out)} bytes")


if __name__ == "__main__":
    main()
