"""Trains a variant on rendered pools (data/): S alone (Dice + BCE), then everything jointly. Resumes exactly where it
was stopped.

    python3 train.py --variant fixed --pool runs/hard3 runs/plain3 --held-out runs/held-plain3 --run runs/fixed \
      --s-iterations 2000 --joint-iterations 3000
    python3 train.py --variant any --init runs/fixed/state.pt ...

Loss of the joint part (`--loss log-mse`; the paper's Table IV has the others): `log MSE(T(Y), T(target))` for each
sample, because the mean PSNR over scenes is what counts and with a plain MSE the hardest patch dominates; the same
within true motion, where there is any; a smaller such term in the gamma domain for the highlights; and Dice + BCE on
the masks, unless S is frozen. The schedule is warm-up and cosine over the iterations given; Adam is reset at the
switch. A checkpoint holds parameters, moments, both generators and the counts: a run that was stopped and resumed ends
with exactly the
tensors of one that was not (tests.py). A line every 20 iterations goes to run/log.tsv, held-out figures to
run/held-out.tsv; curves.py draws them.
"""
import argparse
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

import data
import safetensors
from model import Deghost, mu_law


def patch(stack, rng, r, picks, size, zoom):
    """A random crop, turned and with its channels permuted: X [N,3,P,P], taus [N], target [3,P,P], masks [N,P,P] (r's
    is unused), and what the
    gate reads: samples [N,3,P,P] before the response was undone, and the response [3,256].

    In half of the crops with zoom > 1 a smaller crop is enlarged by up to that factor: large, smooth things are common
    in photographs of
    millions of pixels and rare in small rendered scenes, and without them S marks only their edges.
    """
    h, w = stack["cover"].shape[1:]
    crop = round(size / rng.uniform(1, zoom)) if zoom > 1 and rng.random() < 0.5 else size
    if rng.random() < 0.7 and stack["cover"][picks].any():
        ys, xs = np.nonzero(stack["cover"][picks[rng.integers(len(picks))]] > 25)
        at = rng.integers(len(ys)) if len(ys) else None
    else:
        at = None
    if at is None:
        y, x = rng.integers(h - crop + 1), rng.integers(w - crop + 1)
    else:
        y = np.clip(ys[at] - rng.integers(crop), 0, h - crop)
        x = np.clip(xs[at] - rng.integers(crop), 0, w - crop)
    order = rng.permutation(3)
    flips = rng.random(3) < 0.5

    def turn(a):
        a = a[..., y : y + crop, x : x + crop]
        a = a[..., ::-1, :] if flips[0] else a
        a = a[..., ::-1] if flips[1] else a
        return np.swapaxes(a, -1, -2) if flips[2] else a

    s = {
        **stack,
        "codes": turn(stack["codes"])[:, order],
        "clean": turn(stack["clean"])[:, order],
        "cover": turn(stack["cover"]),
    }
    s["lut"], s["residual"] = stack["lut"][order], stack["residual"][order]
    X = data.frames_of(s, picks)
    masks = np.stack([data.motion_of(s, k, picks[r]) for k in picks])
    taus = stack["taus"][picks]
    target = data.target_of(s, picks[r], picks)
    samples, response = data.samples_of(s, picks)
    return (
        enlarge(X, size),
        taus / taus[0],
        enlarge(target[None], size)[0],
        enlarge(masks[:, None], size)[:, 0],
        enlarge(samples, size),
        response,
    )


def enlarge(a, size):
    """[N, C, P, P] to [N, C, size, size]."""
    if a.shape[-1] == size:
        return a
    return F.interpolate(
        torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)),
        size=(size, size),
        mode="bilinear",
        align_corners=False,
    ).numpy()


def batch_of(pool, rng, count, frames, size, zoom, middle=False):
    """frames: (fewest, most). One N and one r for the batch; r is the middle except in a quarter of the steps, or
    always.
    """
    total = len(pool[0]["taus"])
    n = int(rng.integers(frames[0], min(frames[1], total) + 1))
    r = int(rng.integers(n)) if not middle and rng.random() < 0.25 else (n - 1) // 2
    parts = []
    for i in rng.integers(len(pool), size=count):
        picks = (
            np.sort(rng.permutation(total)[:n]) if rng.random() < 0.5 else np.arange(n) + rng.integers(total - n + 1)
        )
        parts.append(patch(pool[i], rng, r, picks, size, zoom))
    X, taus, target, masks, samples, response = (
        torch.from_numpy(np.ascontiguousarray(np.stack(p), dtype=np.float32)) for p in zip(*parts)
    )
    return (
        [X[:, k] for k in range(n)],
        taus,
        r,
        target,
        [masks[:, k : k + 1] for k in range(n)],
        [samples[:, k] for k in range(n)],
        response,
    )


def mask_loss(logits, masks, r):
    """Dice summed over the batch with smoothing 1, and BCE, for every frame but the reference. Returns loss, mean
    IoU.
    """
    loss, iou = 0, []
    for i, (logit, mask) in enumerate(zip(logits, masks)):
        if i == r:
            continue
        p = torch.sigmoid(logit)
        dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
        loss = loss + dice + F.binary_cross_entropy_with_logits(logit, mask)
        on = (logit > 0).float()
        iou.append(float(((on * mask).sum() + 1) / ((on + mask).clamp(max=1).sum() + 1)))
    return loss / len(iou), sum(iou) / len(iou)


def log_mse(a, b, floor, where=None):
    """Mean over the samples of log MSE; `where` [B,1,H,W] weighs pixels, and samples in which it covers too little do
    not count.
    """
    square = (a - b) ** 2
    if where is None:
        return torch.log(square.mean((1, 2, 3)) + floor).mean()
    area = where.sum((1, 2, 3))
    each = torch.log((square * where).sum((1, 2, 3)) / (3 * area).clamp(min=1) + floor)
    counts = (area >= 64).to(each.dtype)
    return (each * counts).sum() / counts.sum().clamp(min=1)


def ssim_parts(a, b):
    """Luminance and contrast-structure terms of SSIM, means over the picture, with an 11x11 Gaussian window of 1.5."""
    at = torch.arange(11, dtype=a.dtype) - 5
    line = torch.exp(-(at**2) / (2 * 1.5**2))
    line = line / line.sum()
    window = (line[:, None] * line[None]).expand(a.shape[1], 1, 11, 11)
    blur = lambda x: F.conv2d(x, window, groups=x.shape[1])
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    structure = (2 * cov + 9e-4) / (va + vb + 9e-4)
    return ((2 * ma * mb + 1e-4) / (ma * ma + mb * mb + 1e-4) * structure).mean(), structure.mean()


def ms_ssim(a, b, scales=3):
    """Multi-scale SSIM (Wang, Simoncelli and Bovik 2003) of pictures in [0,1], over fewer scales than its five: crops
    of 64 pixels have no room for more. Their exponents are the first ones', scaled to a sum of 1.
    """
    exponents = torch.tensor([0.0448, 0.2856, 0.3001, 0.2363, 0.1333][:scales])
    exponents = exponents / exponents.sum()
    result = 1
    for s in range(scales):
        whole, structure = ssim_parts(a, b)
        result = result * (whole if s == scales - 1 else structure).clamp(min=1e-4) ** exponents[s]
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return result


# Losses after the tone curve (the paper's Table IV), of T(Y) and T(target).
TONED_LOSSES = {
    "l2": lambda a, b: ((a - b) ** 2).mean(),
    "l1": lambda a, b: (a - b).abs().mean(),
    "ms-ssim": lambda a, b: 1 - ms_ssim(a, b),
}


def toned_loss(name, a, b):
    """The sum of the losses in a name such as `l1+ms-ssim`."""
    return sum(TONED_LOSSES[part](a, b) for part in name.split("+"))


def psnr(a, b):
    return float(-10 * torch.log10(((a - b) ** 2).mean() + 1e-12))


@torch.no_grad()
def held_out(net, pool, count, picks=None):
    """Mean figures over the first stacks of a pool: PSNR-mu and PSNR-linear of the network and of the merge with its
    masks, mask IoU of short and long frames.
    """
    rows = []
    for i in range(min(count, len(pool))):
        s = pool[i]
        p = np.arange(len(s["taus"])) if picks is None else np.array(picks)
        r = (len(p) - 1) // 2
        X = torch.from_numpy(data.frames_of(s, p))
        taus = s["taus"][p] / s["taus"][p[0]]
        truth = torch.from_numpy(np.minimum(data.radiance_of(s, p[r]) * s["taus"][p[0]], 1))
        samples, response = (torch.from_numpy(a) for a in data.samples_of(s, p))
        out = net([x[None] for x in X], taus, r, samples=[x[None] for x in samples], response=response)
        Y, B = out["Y"][0], out["B"][0].clamp(0, 1) if out["B"] is not None else torch.zeros_like(truth)
        row = [psnr(mu_law(Y), mu_law(truth)), psnr(Y, truth), psnr(mu_law(B), mu_law(truth)), psnr(B, truth)]
        for side in (range(r), range(r + 1, len(p))) if out["W"] else ():
            on = (
                torch.cat([out["W"][k][0, 0, : truth.shape[1], : truth.shape[2]] > 0.5 for k in side])
                if side
                else torch.zeros(1)
            )
            true = (
                torch.cat([torch.from_numpy(data.motion_of(s, p[k], p[r])) > 0 for k in side])
                if side
                else torch.zeros(1)
            )
            row += [float((on.bool() & true.bool()).sum()), float((on.bool() | true.bool()).sum())]
        if not out["W"]:
            row += [0, 0, 0, 0]
        rows.append(row)
    m = np.array(rows)
    ious = [m[:, 4].sum() / max(1, m[:, 5].sum()), m[:, 6].sum() / max(1, m[:, 7].sum())]
    return [*m[:, :4].mean(0), *ious]


def save(path, net, optimiser, rng, state):
    torch.save(
        {
            "variant": net.variant,
            "config": net.config,
            "params": net.state_dict(),
            "optimiser": optimiser.state_dict(),
            "rng": rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
            "state": state,
        },
        path + ".tmp",
    )
    os.replace(path + ".tmp", path)


def parameters_of(path):
    """Tensors by name, of a checkpoint (.pt) or of a weights file (.safetensors)."""
    if path.endswith(".safetensors"):
        return {name: torch.from_numpy(value.astype("f4")) for name, value in safetensors.read(path)[0].items()}
    return torch.load(path)["params"]


def history_of(path):
    """How a starting point was trained: for the metadata."""
    if path.endswith(".safetensors"):
        training = json.loads(safetensors.read(path)[1]["config"]).get("training", {})
        return {
            "from": os.path.basename(path),
            **{k: training[k] for k in ("iterations", "minutes", "date", "startedFrom") if k in training},
        }
    before = torch.load(path)["state"]
    return {
        "from": path,
        "iterations": {"segmentation": before["s_iterations"], "joint": before["joint_iterations"]},
        **({"startedFrom": before["started"]} if before.get("started") else {}),
    }


def start(net, path, log):
    """Copies every tensor of equal name and shape from another run; seg.any from seg.short, and the shared writes from
    the middle frame's.

    `path` may end in `:prefix` to take only tensors whose names start so.
    """
    path, _, prefix = path.partition(":")
    other, taken = parameters_of(path), 0
    with torch.no_grad():
        for name, p in net.named_parameters():
            if not name.startswith(prefix):
                continue
            source = name if name in other else name.replace("seg.any.", "seg.short.")
            if name.startswith("memory.write.") and source not in other:
                source = name.replace(".weight", ".2.weight").replace(".bias", ".2.bias")
            if source in other and other[source].shape == p.shape:
                p.copy_(other[source])
                taken += 1
            elif name.startswith(
                "memory.read."
            ):  # 12 slots (l, k) to 8 (mean, max): the mean gets what the three frames had
                old = other[name].reshape(p.shape[0], 4, 3)
                p.zero_()
                p.view(p.shape[0], 4, 2)[:, :, 0] = old.sum(2)
                taken += 1
            elif name.startswith("fuse.") and name.endswith(".0.weight"):
                old = other[name].reshape(p.shape[0], 3, -1, 3, 3)
                p.zero_()
                p[:, : old.shape[2]] = old.sum(1)
                taken += 1
    log(f"{taken} of {len(list(net.parameters()))} tensors from {path}")


def arguments():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("--variant", choices=["fixed", "any"], required=True)
    a.add_argument("--base", choices=["none", "merge"], default="merge")
    a.add_argument("--config", type=json.loads, default={}, help="other fields of the config: widths, ablations")
    a.add_argument(
        "--loss",
        default="log-mse",
        help="log-mse, or a sum of l2, l1 and ms-ssim after the tone curve, such as l1+ms-ssim",
    )
    a.add_argument("--mask-weight", type=float, default=2.0, help="of Dice + BCE in the joint part; 0 leaves it out")
    a.add_argument("--middle", action="store_true", help="the reference is always the middle frame")
    a.add_argument("--hat", choices=["channel", "pixel"], default="pixel")
    a.add_argument(
        "--gate",
        type=json.loads,
        help='motion that evidence must support: {"codes": 2, "relative": 0.06, "low": 0.004, "high": 0.02}',
    )
    a.add_argument(
        "--pool", nargs="+", required=True, help="folders of `python3 -m data`; scenes are drawn from all alike"
    )
    a.add_argument("--held-out", required=True)
    a.add_argument("--run", required=True)
    a.add_argument(
        "--init",
        nargs="+",
        default=[],
        help="state.pt of other runs or .safetensors to start from, in order; FILE:PREFIX takes only names that "
        "start so",
    )
    a.add_argument("--s-iterations", type=int, default=2000)
    a.add_argument("--joint-iterations", type=int, default=3000)
    a.add_argument("--freeze-s", action="store_true", help="in the joint part S gives the masks and is not trained")
    a.add_argument("--s-batch", type=int, default=3)
    a.add_argument("--s-patch", type=int, default=128, help="side of the crops; a multiple of 16")
    a.add_argument("--batch", type=int, default=4)
    a.add_argument("--patch", type=int, default=64)
    a.add_argument("--zoom", type=float, default=3.0, help="enlarge half of S's crops by up to this factor")
    a.add_argument("--s-rate", type=float, default=6e-4)
    a.add_argument("--rate", type=float, default=1e-3)
    a.add_argument(
        "--floor",
        type=float,
        default=1e-6,
        help="added to the MSE under the logarithm: patches far better than it count less",
    )
    a.add_argument(
        "--start", choices=["delta", "glorot"], default="delta", help="how layers outside S begin, see model.py"
    )
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--save-minutes", type=float, default=4)
    a.add_argument("--held-out-stacks", type=int, default=12)
    a.add_argument(
        "--stop-after",
        type=int,
        default=0,
        help="save and stop after so many iterations of this call; the same call continues",
    )
    return a.parse_args()


def joint_loss(
    net, X, taus, r, target, masks, samples, response, frozen, floor, name="log-mse", mask_weight=2.0
):
    """Loss, how many dB of PSNR-mu Y is above the merge that it starts from (over black for base `none`), mean IoU."""
    given = None
    if frozen:
        with torch.no_grad():
            logits = net.segment(
                [x.contiguous(memory_format=torch.channels_last) for x in X], taus.reshape(*taus.shape, 1, 1, 1), r
            )
            given = net.masks(logits, r, net.gates(samples, response, taus, r))
    out = net(X, taus, r, given, samples=samples, response=response)
    has_s = net.ablation["segmentation"] == "network"
    m, iou = mask_loss(logits if frozen else out["logits"], masks, r) if has_s else (0.0, 0.0)
    moving = torch.stack([x for i, x in enumerate(masks) if i != r]).amax(0)
    T, T_target = mu_law(out["Y"]), mu_law(target)
    mu = log_mse(T, T_target, floor)
    gamma = log_mse((out["Y"] + 1e-4) ** 0.4545, (target + 1e-4) ** 0.4545, floor)
    with torch.no_grad():
        base = mu_law(out["B"].clamp(0, 1)) if out["B"] is not None else torch.zeros_like(T)
        gain = (log_mse(base, T_target, 1e-9) - log_mse(T, T_target, 1e-9)) * 10 / math.log(10)
    if name != "log-mse":
        return toned_loss(name, T, T_target) + (0 if frozen else mask_weight * m), float(gain), iou
    # gradients of most batches are then longer than 1 and clipped: no batch has more influence than another
    whole = mu + 0.3 * log_mse(T, T_target, floor, moving) + 0.05 * gamma
    return whole + (0 if frozen else mask_weight * m), float(gain), iou


def main():
    a = arguments()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    os.makedirs(a.run, exist_ok=True)
    checkpoint = os.path.join(a.run, "state.pt")

    def log(text, file="log.txt"):
        print(text, flush=True)
        with open(os.path.join(a.run, file), "a") as out:
            out.write(text + "\n")

    pool, held = data.Pool(*a.pool), data.Pool(a.held_out)
    frames = (3, 3) if a.variant == "fixed" else (2, 5)
    net = Deghost(
        a.variant,
        {
            "base": a.base,
            **({"hat": a.hat} if a.hat != "channel" else {}),
            **({"gate": a.gate} if a.gate else {}),
            **a.config,
        },
    )
    net.format = torch.channels_last
    net.init(
        torch.Generator().manual_seed(a.seed), out_scale=0.05 if a.base == "merge" else 1.0, delta=a.start == "delta"
    )
    rng = np.random.default_rng(a.seed)
    state = {
        "phase": "s",
        "iteration": 0,
        "s_iterations": 0,
        "joint_iterations": 0,
        "s_seconds": 0.0,
        "joint_seconds": 0.0,
    }
    for path in [] if os.path.exists(checkpoint) else a.init:
        start(net, path, log)
        state.setdefault("started", []).append(history_of(path.partition(":")[0]))
    net = net.to(memory_format=torch.channels_last).train()
    frozen = lambda: state["phase"] == "joint" and a.freeze_s
    parameters = lambda: [
        p
        for n, p in net.named_parameters()
        if n.startswith("seg.") and not frozen() or state["phase"] != "s" and not n.startswith("seg.")
    ]
    # Networks without S have nothing to train in its phase, which then has no iterations.
    adam = lambda: torch.optim.Adam(parameters() or list(net.parameters()), lr=1e-3)
    if os.path.exists(checkpoint):
        old = torch.load(checkpoint)
        net.load_state_dict(old["params"])
        state = old["state"]
        optimiser = adam()
        if old["optimiser"]:
            optimiser.load_state_dict(old["optimiser"])
        rng.bit_generator.state = old["rng"]
        torch.set_rng_state(old["torch_rng"])
        log(f"resumed at {state}")
    else:
        optimiser = adam()
    state.update(
        {
            "pool": [os.path.basename(p) for p in a.pool],
            "scenes": len(data.Pool(*dict.fromkeys(a.pool))),
            "patch": {"segmentation": [a.s_batch, a.s_patch], "joint": [a.batch, a.patch]},
            "frozen": a.freeze_s,
        }
    )

    def publish():
        """Checkpoint and held-out figures."""
        save(checkpoint, net, optimiser, rng, state)
        net.eval()
        figures = held_out(net, held, a.held_out_stacks)
        net.train()
        line = "\t".join(
            [
                state["phase"],
                str(state["iteration"]),
                f"{state[state['phase'] + '_seconds'] / 60:.1f}",
                *(f"{x:.3f}" for x in figures),
            ]
        )
        log(line, "held-out.tsv")

    last = time.time()
    saved = last
    done = 0
    lengths = {"s": a.s_iterations, "joint": a.joint_iterations}
    sums, count = np.zeros(4), 0
    while state["phase"] != "done":
        phase = state["phase"]
        if state["iteration"] >= lengths[phase]:
            if state["iteration"]:
                publish()
            state.update({"phase": "joint" if phase == "s" else "done", "iteration": 0})
            optimiser = adam()
            save(checkpoint, net, optimiser, rng, state)
            last = saved = time.time()
            continue
        progress = state["iteration"] / lengths[phase]
        rate = (
            (a.s_rate if phase == "s" else a.rate)
            * min(1, (state["iteration"] + 1) / 40)
            * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        size = (a.s_batch, a.s_patch, a.zoom) if phase == "s" else (a.batch, a.patch, 1.0)
        X, taus, r, target, masks, samples, response = batch_of(pool, rng, size[0], frames, size[1], size[2], a.middle)
        if phase == "s":
            X = [x.contiguous(memory_format=torch.channels_last) for x in X]
            loss, iou = mask_loss(net.segment(X, taus.reshape(*taus.shape, 1, 1, 1), r), masks, r)
            gain = 0.0
        else:
            loss, gain, iou = joint_loss(
                net, X, taus, r, target, masks, samples, response, a.freeze_s, a.floor, a.loss, a.mask_weight
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(parameters(), 1.0))
        if not math.isfinite(norm):
            log(f"iteration {state['iteration']}: gradient is not finite, step skipped")
        else:
            optimiser.step()
        now = time.time()
        state["iteration"] += 1
        state[f"{phase}_iterations"] += 1
        state[f"{phase}_seconds"] += now - last
        last = now
        sums, count = sums + [float(loss), gain, iou, norm], count + 1
        if state["iteration"] % 20 == 0:
            log(
                "\t".join(
                    [
                        phase,
                        str(state["iteration"]),
                        f"{state[phase + '_seconds'] / 60:.2f}",
                        f"{rate:.2e}",
                        *(f"{x:.4f}" for x in sums / count),
                    ]
                ),
                "log.tsv",
            )
            sums, count = np.zeros(4), 0
        done += 1
        if now - saved > a.save_minutes * 60 or done == a.stop_after:
            publish()
            saved = last = time.time()
        if done == a.stop_after:
            return log(f"stopped at iteration {state['iteration']} of phase {phase}")
    log("done")


if __name__ == "__main__":
    main()
