"""The gate: no motion where both samples can show the same light (the specification's section "Gate").

A camera's sample stands for an interval of light: some codes either side, and some relative error; at black anything
below,
at white anything above. Where the intervals of two frames overlap, nothing need have moved, whatever S says. The gate
needs the samples
before the response is undone, and f, the inverse response, itself. It holds no parameters, so nothing here has a
gradient.
"""
import torch
import torch.nn.functional as F

FIELDS = ("codes", "relative", "low", "high")
WHITE = 253.5 / 255  # a sample that may be above it may be any light


def check_gate(gate):
    """Raises ValueError for an invalid gate."""
    if not isinstance(gate, dict) or set(gate) != set(FIELDS):
        raise ValueError(f"config gate={gate!r}: expected an object of {', '.join(FIELDS)}")
    for name in FIELDS:
        if isinstance(gate[name], bool) or not isinstance(gate[name], (int, float)):
            raise ValueError(f"config gate.{name}={gate[name]!r}: expected a number")
    if not gate["codes"] >= 0:
        raise ValueError(f"config gate.codes={gate['codes']}: expected at least 0")
    if not 0 <= gate["relative"] < 1:
        raise ValueError(f"config gate.relative={gate['relative']}: expected at least 0 and less than 1")
    if not gate["low"] < gate["high"]:
        raise ValueError(f"config gate.low={gate['low']} gate.high={gate['high']}: expected low below high")


def undo(response, v, gamma):
    """f(v), linear light. v: [B,3,H,W]; response: f at i/255, [3,256] or [B,3,256], linear in between; None is
    v^gamma.
    """
    v = v.clamp(0, 1)
    if response is None:
        return v**gamma
    table = torch.as_tensor(response, dtype=v.dtype, device=v.device).expand(v.shape[0], 3, 256)
    at = (255 * v).flatten(2)
    below = at.floor().clamp(max=254)
    index = below.long()
    low, high = table.gather(2, index), table.gather(2, index + 1)
    return (low + (at - below) * (high - low)).reshape(v.shape)


def interval(gate, x, response, gamma, ratio=1):
    """The least and the most light that a sample x can show, times ratio, in the gamma domain: two [B,3,H,W]."""
    q, x = gate["codes"] / 255, x.clamp(0, 1)
    zero, infinite = torch.zeros_like(x), torch.full_like(x, torch.inf)
    low = torch.where(x - q <= 0, zero, undo(response, x - q, gamma)) * ratio * (1 - gate["relative"])
    high = torch.where(x + q > WHITE, infinite, undo(response, x + q, gamma)) * ratio * (1 + gate["relative"])
    return low.clamp(0, 1) ** (1 / gamma), high.clamp(0, 1) ** (1 / gamma)


@torch.no_grad()
def evidence_of(config, samples, response, taus, i, r):
    """e, how far the intervals of frames i and r are apart in the worst channel: [B,1,H,W] in [0,1]. Arguments as
    gate_of's.
    """
    gate, gamma, N = config["gate"], config.get("gamma", 2.2), len(samples)
    tau = torch.as_tensor(taus, dtype=samples[r].dtype, device=samples[r].device).reshape(-1, N, 1, 1, 1)
    low_i, high_i = interval(gate, samples[i], response, gamma, tau[:, r] / tau[:, i])
    low_r, high_r = interval(gate, samples[r], response, gamma)
    return torch.maximum(low_i - high_r, low_r - high_i).clamp(min=0).amax(1, keepdim=True)


@torch.no_grad()
def gate_of(config, samples, response, taus, i, r):
    """What W_i is multiplied by: [B,1,H,W] in [0,1], 0 where frames i and r can show the same light all around.

    config: with `gate` and `gamma`. samples: of every frame (those of i and r are read) [B,3,H,W] in [0,1], before f,
    of the padded picture
    or of a crop. response: f at i/255, [3,256] or [B,3,256]; None for samples^gamma. taus: [N] or [B,N].
    """
    mean = lambda a, n: F.avg_pool2d(F.pad(a, (n // 2,) * 4, mode="replicate"), n, 1)
    grown = F.max_pool2d(
        mean(evidence_of(config, samples, response, taus, i, r), 5), 9, 1, 4
    )  # beyond the edge is left out
    low, high = config["gate"]["low"], config["gate"]["high"]
    t = ((mean(grown, 9) - low) / (high - low)).clamp(0, 1)
    return t * t * (3 - 2 * t)
