"""Exports a weights file to ONNX, for other runtimes to run the same network: `npm run bench` compares the engine with
them.

    python3 exportOnnx.py --weights ../weights/fixed.safetensors --out fixed.onnx
    python3 exportOnnx.py --weights ../weights/any.safetensors --out any5.onnx --taus 1,4,16,64,256 --reference 2
    python3 exportOnnx.py --weights ../weights/fixed.safetensors --out layer.onnx --layer encoder.2

The graph takes `X`, the frames [N,3,H,W] in the gamma domain (response `gamma`), shortest first, and gives `Y`
[1,3,H,W] and the motion maps
`W` [N,1,H,W]. H and W are free but must be multiples of 16: the caller pads by replication and crops, as model.py does
by itself.
Exposures and the reference frame are constants of the graph. What is the same for all frames is one batch, all memory
reads
are one batched product, as in model.py. With --layer it is one convolution and its activation, `X` [1,C,H,W] to `Y`.

--pad-channels gives convolutions of 6 channels two more, of zeros: onnxruntime-web 1.30's WebGPU provider computes a
3x3 convolution wrongly
where the number of input channels is a multiple of 3 and not of 4. No package but torch is needed, 1.13 or later.
"""
import argparse
import inspect
import math
import os
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

import model

OPSET = 16


class Stack(nn.Module):
    """The network with one input and constants for the rest."""

    def __init__(self, net, taus, reference):
        super().__init__()
        self.net, self.taus, self.reference = net, taus, reference

    def forward(self, X):
        out = self.net(list(X.split(1)), self.taus, self.reference)
        return out["Y"], torch.cat(out["W"])


class Layer(nn.Module):
    def __init__(self, net, name):
        super().__init__()
        self.conv, self.act = net.layer(name), net.act

    def forward(self, X):
        return self.act(self.conv(X))


class Padded(nn.Module):
    """A convolution whose input has more channels, to a multiple of 4, which its weights ignore."""

    def __init__(self, conv):
        super().__init__()
        self.more, self.padding = -conv.in_channels % 4, conv.padding
        self.weight = nn.Parameter(F.pad(conv.weight, (0, 0, 0, 0, 0, self.more)))
        self.bias = conv.bias

    def forward(self, x):
        return F.conv2d(torch.cat([x, x[:, : self.more]], 1), self.weight, self.bias, padding=self.padding)


def pad_channels(root):
    for name, child in root.named_children():
        if isinstance(child, nn.Conv2d) and child.in_channels % 4 and child.groups == 1:
            root[name] = Padded(child)
        else:
            pad_channels(child)


def export(module, example, path, outputs):
    free = {2: "H", 3: "W"}
    older = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the tracer's: exposures and the number of frames become constants, as they should
        torch.onnx.export(
            module,
            example,
            f"{path}.tmp",
            input_names=["X"],
            output_names=outputs,
            dynamic_axes={name: free for name in ["X", *outputs]},
            opset_version=OPSET,
            **older,
        )
    os.replace(f"{path}.tmp", path)
    print(f"{path}: {os.path.getsize(path) / 2**20:.2f} MiB, opset {OPSET}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--weights", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--taus", default="1,4,16", help="exposures, shortest first")
    p.add_argument("--reference", type=int, help="from 0; the middle by default")
    p.add_argument("--layer", help="one convolution instead, for example encoder.2")
    p.add_argument("--pad-channels", action="store_true")
    a = p.parse_args()
    taus = [float(t) for t in a.taus.split(",")]
    if any(not math.isfinite(t) or t <= 0 for t in taus) or taus != sorted(taus):
        p.error(f"--taus {a.taus}: positive numbers, shortest first")
    net, meta = model.from_safetensors(a.weights)
    if a.layer:
        layer = Layer(net, a.layer)
        return export(layer, torch.rand(1, layer.conv.in_channels, 32, 48), a.out, ["Y"])
    if meta["variant"] == "fixed" and len(taus) != 3:
        p.error(f"{a.weights} takes three frames, --taus names {len(taus)}")
    if a.pad_channels:
        pad_channels(net)
    reference = (len(taus) - 1) // 2 if a.reference is None else a.reference
    # model.py pads pictures to multiples of 16; here the caller does it, because the tracer would freeze the amounts.
    net.pad = lambda x: x
    export(Stack(net, [t / taus[0] for t in taus], reference), torch.rand(len(taus), 3, 32, 48), a.out, ["Y", "W"])


if __name__ == "__main__":
    main()
