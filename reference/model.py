"""The reference network in PyTorch, written from the contract (the network's specification), both variants.

Vocabulary: frames X_k in [0,1] sorted by exposure, k counted from 0 here and from 1 in tensor and tap names; tau_k =
t_k / min t;
r is the reference; W motion masks; S/D static and dynamic features. Layout NCHW. Every formula is the specification's;
speed only decides how frames are batched and that all memory reads are one batched matmul. Runs in any float dtype.
"""
import json
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from gate import check_gate, gate_of

DEFAULTS = {"width": 32, "segWidths": [16, 32, 64, 128], "slope": 0.2, "gamma": 2.2, "maskMode": "soft", "base": "none"}
# The ablations' fields and their values, the paper's network first (Tables II and III).
ABLATIONS = {
    "segmentation": ("network", "difference", "none"),
    "memory": ("full", "shared", "none"),
    "fusion": ("separate", "shared"),
    "decoder": ("sdc-dense", "sdc", "vanilla", "resnet"),
}
VANILLA_LAYERS = 9
RESNET_BLOCKS = 4
DIFFERENCE = 0.1  # the paper's threshold of a simple difference (A4)
MU = 5000.0
LAYERS = 4


def mu_law(y):
    """T(y) = log(1 + mu y) / log(1 + mu), the tone curve of the loss and of PSNR-mu."""
    return torch.log1p(MU * y) / math.log1p(MU)


def conv(cin, cout, size):
    return nn.Conv2d(cin, cout, size, padding=size // 2)


def tree(items):
    """Dotted names to nested ModuleDicts, so that state-dict names are the contract's."""
    root = nn.ModuleDict()
    for name, module in items:
        node, *rest = name.split(".")
        at = root
        while rest:
            if node not in at:
                at[node] = nn.ModuleDict()
            at, node, rest = at[node], rest[0], rest[1:]
        at[node] = module
    return root


def unet_layers(w):
    """Name, in, out of a segmentation U-Net's 3x3 convs; w are its four widths."""
    cin = 6
    for d, c in enumerate(w, 1):
        yield f"enc{d}.1", cin, c
        yield f"enc{d}.2", c, c
        cin = c
    yield "mid.1", cin, cin
    yield "mid.2", cin, cin
    for d in (4, 3, 2, 1):
        yield f"dec{d}.1", cin + w[d - 1], w[d - 1]
        yield f"dec{d}.2", w[d - 1], w[d - 1]
        cin = w[d - 1]


class Deghost(nn.Module):
    """variant: "fixed" (three frames) or "any" (2 to 16). config: see DEFAULTS; unknown ablations are refused."""

    def __init__(self, variant, config=None):
        super().__init__()
        if variant not in ("fixed", "any"):
            raise ValueError(f"variant {variant!r} is neither fixed nor any")
        c = {**DEFAULTS, **(config or {})}
        for key, values in ABLATIONS.items():
            if c.get(key, values[0]) not in values:
                raise ValueError(f"config {key}={c[key]!r}: expected {'|'.join(values)}")
        self.ablation = {key: c.get(key, values[0]) for key, values in ABLATIONS.items()}
        segmentation, memory, decoder = (self.ablation[key] for key in ("segmentation", "memory", "decoder"))
        if segmentation == "none" and c["base"] == "merge":
            raise ValueError("config base=merge needs segmentation")
        if segmentation != "network" and "gate" in c:
            raise ValueError("config gate needs segmentation=network")
        # The fusion networks by name; with one network for both sides, its weights run twice.
        self.kinds = (
            ("all",)
            if segmentation == "none"
            else ("shared",) if self.ablation["fusion"] == "shared" else ("static", "dynamic")
        )
        if c["maskMode"] not in ("soft", "binary") or c["base"] not in ("none", "merge"):
            raise ValueError(
                f"config maskMode={c['maskMode']!r} base={c['base']!r}: expected soft|binary and none|merge"
            )
        if "gate" in c:
            check_gate(c["gate"])
        if c.get("hat", "channel") not in ("channel", "pixel"):
            raise ValueError(f"config hat={c['hat']!r}: expected channel|pixel")
        self.variant, self.config, n = variant, c, c["width"]
        fixed = variant == "fixed"
        self.slots = 12 if fixed else 8
        items = [(f"encoder.{l}", conv(6 if l == 1 else n, n, 3)) for l in range(1, 5)]
        nets = () if segmentation != "network" else ("short", "long") if fixed else ("any",)
        for net in nets:
            items += [(f"seg.{net}.{name}", conv(i, o, 3)) for name, i, o in unet_layers(c["segWidths"])]
            items += [(f"seg.{net}.out", conv(c["segWidths"][0], 1, 1))]
        read = lambda: nn.Conv2d(n * self.slots, n, 1, groups=n)
        if memory == "full":
            writers = [(l, k) for l in range(1, 5) for k in ((1, 2, 3) if fixed else (None,))]
            items += [(self.writer(l, k), conv(n, n, 1)) for l, k in writers]
            items += [(f"memory.read.{kind}.{j}", read()) for kind in self.kinds for j in (1, 2, 3)]
        elif memory == "shared":
            items += [("memory.write", conv(n, n, 1)), ("memory.read", read())]
        for kind in self.kinds:
            items += [(f"fuse.{kind}.0", conv((3 if fixed else 2) * n, n, 3))]
            items += [(f"fuse.{kind}.{j}", conv(n if memory == "none" else 2 * n, n, 3)) for j in (1, 2, 3)]
        if decoder == "vanilla":
            items += [(f"decoder.conv{i}", conv(n, n, 3)) for i in range(1, VANILLA_LAYERS + 1)]
        elif decoder == "resnet":
            items += [(f"decoder.res{b}.{j}", conv(n, n, 3)) for b in range(1, RESNET_BLOCKS + 1) for j in (1, 2)]
        else:
            dense = decoder == "sdc-dense"
            for b in (1, 2, 3):
                cin = b * n if dense else n
                items += [(f"decoder.sdc{b}.{j}", conv(cin if j == 1 else n, n, 3)) for j in (1, 2, 3)]
                items += [(f"decoder.sdc{b}.merge", conv(3 * n, n, 1))]
        items += [("decoder.out", conv(3 * n if decoder == "sdc-dense" else n, 3, 1))]
        for name, module in tree(items).items():
            self.add_module(name, module)

    def writer(self, l, k):
        """The name of the layer that writes frame k's encoder layer l, both counted from 1, to the memory."""
        if self.ablation["memory"] == "shared":
            return "memory.write"
        return f"memory.write.{l}" + (f".{k}" if self.variant == "fixed" else "")

    def layer(self, name):
        return self.get_submodule(name)

    def act(self, x):
        return F.leaky_relu(x, self.config["slope"])

    def init(self, generator, seg_bias=-1.5, out_bias=None, out_scale=1.0, delta=False):
        """Glorot uniform with the LeakyReLU gain; zero biases except the heads'.

        delta: outside S, 3x3 convs start as an orthogonal matrix in the middle tap and a tenth of Glorot around it
        (delta-orthogonal, Xiao et
        al. 2018), so that single pixels reach the last of some twenty layers, which the random filters of Glorot would
        blur on the way.
        """
        slope = self.config["slope"]
        gain_of_act = math.sqrt(2 / (1 + slope * slope))
        random = lambda shape: torch.rand(shape, generator=generator, dtype=torch.float64)
        for name, p in self.named_parameters():
            with torch.no_grad():
                if name.endswith("bias"):
                    p.zero_()
                    continue
                area = p.shape[2] * p.shape[3]
                # a grouped read has one output per group: fan-in and fan-out are those of one group
                fan = p.shape[1] * area + (1 if name.startswith("memory.read") else p.shape[0] * area)
                gain = 1.0 if ".read." in name or name.endswith("out.weight") else gain_of_act
                bound = gain * math.sqrt(6 / fan) * (out_scale if name == "decoder.out.weight" else 1.0)
                spread = (random(p.shape) * 2 - 1) * bound
                if delta and area == 9 and not name.startswith("seg."):
                    spread *= 0.1
                    square = torch.linalg.qr(random((max(p.shape[:2]),) * 2) * 2 - 1)[0]
                    spread[:, :, 1, 1] = (
                        square[: p.shape[0], : p.shape[1]] * gain * math.sqrt(max(1, p.shape[0] / p.shape[1]))
                    )
                p.copy_(spread)
        with torch.no_grad():
            for name, p in self.named_parameters():
                if name.startswith("seg.") and name.endswith(".out.bias"):
                    p.fill_(seg_bias)
            if out_bias is None:
                out_bias = 0.0 if self.config["base"] == "merge" else -3.0
            self.layer("decoder.out").bias.fill_(out_bias)
        return self

    def pad(self, x):
        """To multiples of 16 at the bottom and on the right, by replication."""
        return F.pad(x, (0, -x.shape[3] % 16, 0, -x.shape[2] % 16), mode="replicate")

    # Exposure: X [B,3,H,W] per frame, tau [B,N,1,1,1].
    def lin(self, x, tau):
        return x ** self.config["gamma"] / tau

    def align(self, x, tau, tau_r):
        return torch.clamp(x * (tau_r / tau) ** (1 / self.config["gamma"]), 0, 1)

    def unet(self, net, x):
        """x: [B,6,H,W] -> logits [B,1,H,W]."""
        act, at = self.act, lambda name: self.layer(f"seg.{net}.{name}")
        skips = []
        for d in (1, 2, 3, 4):
            x = act(at(f"enc{d}.2")(act(at(f"enc{d}.1")(x))))
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = act(at("mid.2")(act(at("mid.1")(x))))
        for d in (4, 3, 2, 1):
            x = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips[d - 1]], 1)
            x = act(at(f"dec{d}.2")(act(at(f"dec{d}.1")(x))))
        return at("out")(x)

    def segment(self, X, tau, r, taps=None):
        """Logits per frame i != r, a list with None at r. Frames that share a U-Net go through it as one batch."""
        N, logits = len(X), [None] * len(X)
        groups = (
            {"short": range(r), "long": range(r + 1, N)}
            if self.variant == "fixed"
            else {"any": [i for i in range(N) if i != r]}
        )
        for net, members in groups.items():
            if not members:
                continue
            aligned = [self.align(X[i], tau[:, i], tau[:, r]) for i in members]
            out = self.unet(net, torch.cat([torch.cat([a, X[r]], 1) for a in aligned]))
            for i, a, logit in zip(members, aligned, out.chunk(len(aligned))):
                logits[i] = logit
                if taps is not None:
                    taps[f"A.{i + 1}"], taps[f"logit.{i + 1}"] = a, logit
        return logits

    def gates(self, samples, response, taus, r):
        """What the gate multiplies each W_i by, a list with None at r; None without a gate. Arguments as gate_of's."""
        if "gate" not in self.config:
            return None
        return [None if i == r else gate_of(self.config, samples, response, taus, i, r) for i in range(len(samples))]

    def masks(self, logits, r, gates=None, coverage=None):
        """W_i from the logits, times the gates if there are some, by maskMode, and W_r their union. Where frame i or r
        has no data, W_i is 0.
        """
        W = [None if x is None else torch.sigmoid(x) for x in logits]
        if gates is not None:
            W = [None if w is None else w * g for w, g in zip(W, gates)]
        if self.config["maskMode"] == "binary":
            W = [None if w is None else (w > 0.5).to(w.dtype) for w in W]
        return self.union(self.covered(W, r, coverage), r)

    def union(self, W, r):
        """W with its W_r, the largest of the others."""
        W[r] = torch.stack([w for w in W if w is not None]).amax(0)
        return W

    def covered(self, W, r, coverage):
        """W_i, 0 where frame i or the reference has no data; None at r."""
        if coverage is None:
            return W
        return [None if w is None or i == r else w * coverage[i] * coverage[r] for i, w in enumerate(W)]

    def merge(self, X, tau, W, r, coverage=None):
        """B: hat-weighted radiance average, moving pixels from the reference only. Unclipped. A frame without data
        weighs nothing; the reference does only where no other frame has any.
        """
        top, bottom = 0, 0
        for k, x in enumerate(X):
            hat = 1 - (2 * x - 1).abs()
            if k == 0:
                hat = torch.where(x > 0.5, torch.ones_like(x), hat)
            if k == len(X) - 1:
                hat = torch.where(x < 0.5, torch.ones_like(x), hat)
            if self.config.get("hat", "channel") == "pixel":
                hat = hat.amin(1, keepdim=True).expand_as(x)
            w = torch.maximum(hat, W[k].expand_as(hat)) + 1e-3 if k == r else hat * (1 - W[k])
            if coverage is not None:
                w = torch.where(coverage[k] > 0, w, torch.full_like(w, 1e-9 if k == r else 0))
            top, bottom = top + w * self.lin(x, tau[:, k]), bottom + w
        return top / bottom

    def differences(self, X, tau, r):
        """The simple difference as W_i (A4): 1 where a channel differs from the reference by over 0.1 at the
        reference's exposure; None at r. A reference that a longer frame cannot reach counts as what it can.
        """
        W = [None] * len(X)
        for i, x in enumerate(X):
            if i == r:
                continue
            most = (tau[:, r] / tau[:, i]) ** (1 / self.config["gamma"])
            apart = (self.align(x, tau[:, i], tau[:, r]) - torch.minimum(X[r], most)).abs().amax(1, keepdim=True)
            W[i] = (apart > DIFFERENCE).to(x.dtype)
        return W

    def write_memory(self, f, taps):
        """f[l][k]: [B,C,H,W] -> M [B,slots,C,H,W]."""
        slots = []
        for l in range(LAYERS):
            v = [self.act(self.layer(self.writer(l + 1, k + 1))(x)) for k, x in enumerate(f[l])]
            if taps is not None:
                taps.update({f"v.{l + 1}.{k + 1}": x for k, x in enumerate(v)})
            if self.variant == "any":
                v = torch.stack(v)
                v = [v.mean(0), v.amax(0)]
            slots += v
        return torch.stack(slots, 1)

    def read_memory(self, M):
        """All reads at once: R_g = b_g + sum_s w_{g,s} M_{s,g}. Returns {name: [B,C,H,W]}."""
        B, S, C, H, W = M.shape
        names = (
            ["memory.read"]
            if self.ablation["memory"] == "shared"
            else [f"memory.read.{kind}.{j}" for kind in self.kinds for j in (1, 2, 3)]
        )
        weight = torch.stack([self.layer(n).weight.reshape(C, S) for n in names], 1)  # [C,6,S]
        bias = torch.stack([self.layer(n).bias for n in names], 1)[:, :, None]
        out = torch.baddbmm(bias, weight, M.permute(2, 1, 0, 3, 4).reshape(C, S, B * H * W))
        out = out.reshape(C, len(names), B, H, W).permute(1, 2, 0, 3, 4)
        return dict(zip(names, out))

    def fusion(self, side, features, reads, taps):
        """side: static, dynamic, or all. reads: None without a memory."""
        kind = side if side in self.kinds else "shared"
        cat = (
            torch.cat(features, 1)
            if self.variant == "fixed"
            else torch.cat([torch.stack(features).mean(0), torch.stack(features).amax(0)], 1)
        )
        x = self.act(self.layer(f"fuse.{kind}.0")(cat))
        for j in (1, 2, 3):
            if reads is not None:
                read = reads["memory.read" if self.ablation["memory"] == "shared" else f"memory.read.{kind}.{j}"]
                if taps is not None:
                    taps[f"read.{side}.{j}"] = read
                x = torch.cat([x, read.contiguous(memory_format=self.format)], 1)
            x = self.act(self.layer(f"fuse.{kind}.{j}")(x))
        return x

    def decode(self, Z, taps):
        """What decoder.out reads: [B,C,H,W]."""
        kind = self.ablation["decoder"]
        u = Z
        if kind == "vanilla":
            for i in range(1, VANILLA_LAYERS + 1):
                u = self.act(self.layer(f"decoder.conv{i}")(u))
            return u
        if kind == "resnet":
            for b in range(1, RESNET_BLOCKS + 1):
                first, second = (self.layer(f"decoder.res{b}.{j}") for j in (1, 2))
                u = self.act(u + second(self.act(first(u))))
                if taps is not None:
                    taps[f"res.{b}"] = u
            return u
        outs = []
        for b in (1, 2, 3):
            outs.append(self.sdc(b, u))
            u = torch.cat([Z, *outs], 1) if kind == "sdc-dense" else outs[-1]
        if taps is not None:
            taps.update({f"sdc.{b + 1}": x for b, x in enumerate(outs)})
        return torch.cat(outs, 1) if kind == "sdc-dense" else u

    def sdc(self, b, u):
        """Three shared convs run with dilations 1, 2, 4; concatenated and merged."""
        outs = []
        for d in (1, 2, 4):
            x = u
            for j in (1, 2, 3):
                m = self.layer(f"decoder.sdc{b}.{j}")
                x = self.act(F.conv2d(x, m.weight, m.bias, padding=d, dilation=d))
            outs.append(x)
        return self.act(self.layer(f"decoder.sdc{b}.merge")(torch.cat(outs, 1)))

    format = torch.contiguous_format  # training sets torch.channels_last: a little faster on CPUs

    def forward(self, X, taus, r, masks=None, taps=None, samples=None, response=None, coverage=None):
        """X: list of [B,3,H,W]; taus: [N] or [B,N], shortest first; masks: W_i to use instead of S's (list, None at r),
        never gated.

        samples, response: what the gate reads, as gate_of's: the frames before the response was undone (list of
        [B,3,H,W]) and the response.
        Without them the samples are X and the response is their power gamma.
        coverage: for each frame [B,1,H,W], 1 where it has data and 0 elsewhere; everywhere without it.
        Returns {Y, B, o, logits, W}: Y and B cropped to H,W, the rest padded. `taps`, a dict, collects every stage by
        its name.
        """
        N, (H, W_) = len(X), X[0].shape[2:]
        if self.variant == "fixed" and N != 3 or not 2 <= N <= 16:
            raise ValueError(f"variant {self.variant} cannot take {N} frames")
        if masks is None and self.config["maskMode"] == "binary" and self.training:
            raise ValueError("binary masks have no gradient: train soft")
        tau = torch.as_tensor(taus, dtype=X[0].dtype).reshape(-1, N, 1, 1, 1)
        if response is not None and samples is None:
            raise ValueError("a response without samples: pass the frames before it was undone")
        samples = [self.pad(x) for x in (X if samples is None else samples)]
        X = [self.pad(x).contiguous(memory_format=self.format) for x in X]
        if coverage is not None:
            coverage = [self.pad(c) for c in coverage]
        logits, W = [None] * N, None
        segmentation = self.ablation["segmentation"]
        if segmentation == "none":
            pass
        elif masks is None and segmentation == "difference":
            W = self.union(self.covered(self.differences(X, tau, r), r, coverage), r)
        elif masks is None:
            logits = self.segment(X, tau, r, taps)
            gates = self.gates(samples, response, taus, r)
            W = self.masks(logits, r, gates, coverage)
            if gates is not None and taps is not None:
                taps.update({f"gate.{i + 1}": g for i, g in enumerate(gates) if g is not None})
        else:
            W = self.union(self.covered([None if i == r else self.pad(m) for i, m in enumerate(masks)], r, coverage), r)

        x = torch.cat([torch.cat([x, self.lin(x, tau[:, k])], 1) for k, x in enumerate(X)])
        f = []
        for l in range(LAYERS):
            x = self.act(self.layer(f"encoder.{l + 1}")(x))
            f.append(x.chunk(N))
        E = f[-1]
        reads = None
        if self.ablation["memory"] != "none":
            M = self.write_memory(f, taps)
            reads = self.read_memory(M)
            if taps is not None:
                taps["M"] = M.flatten(1, 2)
        if W is None:
            Z = self.fusion("all", E, reads, taps)
        else:
            D = [W[k] * E[k] for k in range(N)]
            S = [(1 - W[k]) * E[k] for k in range(N)]
            S_f, D_f = self.fusion("static", S, reads, taps), self.fusion("dynamic", D, reads, taps)
            Z = W[r] * D_f + (1 - W[r]) * S_f
            if taps is not None:
                taps.update({f"W.{k + 1}": w for k, w in enumerate(W)})
                taps.update({f"{n}.{k + 1}": x for n, xs in (("S", S), ("D", D)) for k, x in enumerate(xs)})
                taps.update({"S_f": S_f, "D_f": D_f})
        o = self.layer("decoder.out")(self.decode(Z, taps))
        base = None
        if self.config["base"] == "merge":
            base = self.merge(X, tau, W, r, coverage)
            low = 1e-6 / tau[:, -1]
            clipped = torch.minimum(torch.maximum(base, low), torch.full_like(low, 1 - 1e-4))
            Y = torch.sigmoid(o + torch.log(clipped) - torch.log1p(-clipped))
        else:
            Y = torch.sigmoid(o)
        crop = lambda t: t[:, :, :H, :W_]
        if taps is not None:
            taps.update({f"f.{l + 1}.{k + 1}": x for l in range(LAYERS) for k, x in enumerate(f[l])})
            taps.update({"Z": Z, "o": o, "Y": crop(Y), "TY": mu_law(crop(Y))})
            if base is not None:
                taps["B"] = base
        return {"Y": crop(Y), "B": None if base is None else crop(base), "o": o, "logits": logits, "W": W or []}


def from_safetensors(path, dtype=torch.float32):
    """Loads a weights file, strictly: names and shapes must be the variant's."""
    import safetensors

    tensors, meta = safetensors.read(path)
    if meta.get("format") != "deghost":
        raise ValueError(f"{path}: format {meta.get('format')!r} is not deghost")
    net = Deghost(meta["variant"], json.loads(meta["config"])).to(dtype)
    net.load_state_dict({k: torch.from_numpy(v.astype("f8")).to(dtype) for k, v in tensors.items()}, strict=True)
    return net.eval(), meta
