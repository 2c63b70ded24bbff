"""Exports a training checkpoint or a plain PyTorch state dict (.pt) to the engine's safetensors, f32 or f16.

    python3 export.py --state runs/fixed/state.pt --out ../weights/fixed.safetensors --half --held-out runs/held-plain3
    python3 export.py --state dict.pt --variant fixed --config '{"base": "none"}' --out fixed.safetensors
    python3 export.py --show ../weights/fixed.safetensors

A checkpoint of train.py brings its variant, config and training figures along; a bare state dict (or one under
`state_dict` or `model`)
needs --variant, and --config where it differs from the defaults. Names and shapes are checked before anything is
written. With --half
the outputs of f16 and f32 weights are compared on the held-out stacks: the difference goes into the metadata, and
nothing is written
where it reaches an 8-bit step of the tone curve T.
"""
import argparse
import datetime
import json
import os

import numpy as np
import torch

import data
import evaluate
import safetensors
from model import Deghost, mu_law


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
    return f"{names[0]} (one thread)" if names else "CPU"


def agreement(a, b, pool, picks, count):
    """Largest difference of T(Y) and PSNR-mu between two networks over held-out stacks."""
    worst, square, n = 0.0, 0.0, 0
    with torch.no_grad():
        for i in range(min(count, len(pool))):
            X, taus, r, *_, gate = evaluate.inputs(pool[i], picks)
            d = mu_law(a(X, taus, r, **gate)["Y"]) - mu_law(b(X, taus, r, **gate)["Y"])
            worst, square, n = max(worst, float(d.abs().max())), square + float((d**2).sum()), n + d.numel()
    return worst, -10 * np.log10(square / n + 1e-20)


def recent(started, depth=1):
    """The starting point of a run, and that one's; earlier ones are in the metadata of those files."""
    return [
        {
            key: recent(value, depth - 1) if key == "startedFrom" else value
            for key, value in run.items()
            if key not in ("startedFrom", "averageOf") or depth
        }
        for run in started
    ]


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--state", help="checkpoint or state dict")
    p.add_argument("--out", help="the .safetensors file")
    p.add_argument("--show", metavar="FILE", help="print a weights file's metadata instead")
    p.add_argument("--variant", choices=["fixed", "any"], help="for a plain state dict")
    p.add_argument("--config", type=json.loads, help="JSON, for a plain state dict")
    p.add_argument("--half", action="store_true")
    p.add_argument("--held-out", help="pool to measure on; its figures go into the metadata")
    p.add_argument("--stacks", type=int, default=16)
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    if a.show:
        tensors, meta = safetensors.read(a.show)
        print(json.dumps({**meta, "config": json.loads(meta["config"]), "tensors": len(tensors)}, indent=1))
        return
    if not a.state or not a.out:
        p.error("--state and --out are needed (or --show)")
    saved = torch.load(a.state, map_location="cpu")
    whole = "params" in saved
    variant = saved["variant"] if whole else a.variant
    if variant is None:
        p.error(f"{a.state} is a bare state dict: say --variant fixed or --variant any")
    params = next((saved[k] for k in ("params", "state_dict", "model") if isinstance(saved.get(k), dict)), saved)
    net = Deghost(variant, saved["config"] if whole else a.config).eval()
    config = net.config
    try:
        net.load_state_dict(params, strict=True)
    except RuntimeError as error:
        raise SystemExit(f"{a.state} is not a {variant} network of this config: {error}")
    extra, dtype = {}, np.float16 if a.half else np.float32
    if whole:
        s = saved["state"]
        crops = {part: f"{n} crops of {side}x{side}" for part, (n, side) in s["patch"].items()}
        extra["training"] = {
            "data": f"{s['scenes']} stacks rendered from CC0 panoramas of Poly Haven and BSD-3 photographs of the "
            f"OpenEXR sample images ({', '.join(s['pool'])})",
            "iterations": {"segmentation": s["s_iterations"], "joint": s["joint_iterations"]},
            "batch": crops,
            "segmentationInJointPart": "frozen" if s["frozen"] else "trained",
            "minutes": {"segmentation": round(s["s_seconds"] / 60, 1), "joint": round(s["joint_seconds"] / 60, 1)},
            "hardware": cpu_name(),
            "date": datetime.date.today().isoformat(),
            **({"startedFrom": recent(s["started"])} if s.get("started") else {}),
        }
    if a.held_out:
        pool = data.Pool(a.held_out)
        extra["heldOut"] = {"stacks": min(a.stacks, len(pool)), **evaluate.figures(net, pool, a.stacks)}
    if a.half:
        half = Deghost(variant, config).eval()
        half.load_state_dict({k: v.half().float() for k, v in net.state_dict().items()})
        if a.held_out:
            worst, psnr = agreement(net, half, pool, None, a.stacks)
            extra["half"] = {"largestDifferenceOfT": float(f"{worst:.2e}"), "psnrMu": round(float(psnr), 1)}
            print(f"f16 against f32: T(Y) differs by {worst * 255:.2f} of an 8-bit step at most, {psnr:.1f} dB PSNR-mu")
            if worst >= 1 / 255:
                raise SystemExit("that is an 8-bit step or more: export without --half")
    tensors = {k: v.numpy().astype(dtype) for k, v in net.state_dict().items()}
    safetensors.write(
        a.out, tensors, {"format": "deghost", "variant": variant, "config": json.dumps({**config, **extra})}
    )
    print(f"{a.out}: {os.path.getsize(a.out) / 2**20:.2f} MiB {json.dumps(extra)}")


if __name__ == "__main__":
    main()
