"""Writes test/goldens/checkpoints: golden weights as the checkpoints of the frameworks that can be had from Debian,
for the tests of `deghost convert`. `python3 checkpoints.py [folder]` needs torch, h5py and onnx.

All but the first are of one small network (NETWORK), whose golden pictures are in test/goldens.
"""
import collections
import io
import os
import sys
import zipfile

import h5py
import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch

import safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(HERE, "../test/goldens")
WHOLE = "fixed-halo"  # with S, for three frames
NETWORK = "fixed-no-masks-shared-memory-vanilla"
CONFIG = {"width": 4, "segWidths": [4, 4, 8, 4], "segmentation": "none", "memory": "shared", "decoder": "vanilla"}


def read(case):
    tensors, _ = safetensors.read(os.path.join(GOLDENS, f"{case}.weights.safetensors"))
    return {name: np.asarray(value, dtype=np.float32) for name, value in tensors.items()}


def as_torch(tensors, dtype=torch.float32):
    return collections.OrderedDict((k, torch.from_numpy(v.copy()).to(dtype)) for k, v in tensors.items())


def as_module(tensors):
    """A module whose state_dict has these names; torch.save then adds its `_metadata`."""
    root = torch.nn.Module()
    for name, value in tensors.items():
        *path, last = name.split(".")
        module = root
        for step in path:
            if step not in module._modules:
                module.add_module(step, torch.nn.Module())
            module = module._modules[step]
        module.register_parameter(last, torch.nn.Parameter(torch.from_numpy(value.copy())))
    return root


def pytorch(out):
    torch.save(as_torch(read(WHOLE)), out("whole.pt"))
    small = read(NETWORK)
    net = as_module(small)
    torch.save(net.state_dict(), out("zip.pth"))
    torch.save(net.state_dict(), out("legacy.pth"), _use_new_zipfile_serialization=False)
    for name, dtype in (("f64", torch.float64), ("bf16", torch.bfloat16), ("f16", torch.float16)):
        torch.save(as_torch(small, dtype), out(f"{name}.pt"))
    # Parameters of a module in a training script's own dictionary, with the optimiser's moments of the same shapes.
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-4)
    sum((p**2).sum() for p in net.parameters()).backward()
    optimiser.step()
    net.load_state_dict(as_torch(small))
    state = {"epoch": 3, "variant": "fixed", "config": CONFIG, "best": None, "done": False, "loss": [0.5, 0.25]}
    state["optimizer"] = optimiser.state_dict()
    state["model"] = {f"module.{k}": v for k, v in net.named_parameters()}
    state["steps"] = torch.tensor(12)
    torch.save(state, out("training.pth"))
    torch.save(state, out("training-legacy.pth"), _use_new_zipfile_serialization=False)
    # Views: kernels in channels-last order, and all biases in one storage.
    views = as_torch(small)
    biases = [k for k, v in views.items() if v.dim() == 1]
    joined = torch.cat([views[k] for k in biases])
    at = 0
    for k in biases:
        views[k] = joined[at : at + views[k].numel()]
        at += views[k].numel()
    for k, v in views.items():
        if v.dim() == 4:
            views[k] = v.to(memory_format=torch.channels_last)
    torch.save(views, out("views.pt"))


def numpy(out):
    small = read(NETWORK)
    np.savez(out("named.npz"), **small)
    # Without names, compressed, and with all that a .npy header can say.
    odd = [
        v.astype(">f4") if i % 3 == 1 else np.asfortranarray(v) if i % 3 == 2 else v
        for i, v in enumerate(small.values())
    ]
    np.savez_compressed(out("anonymous.npz"), *odd)


def hwio(value):
    return value.transpose(2, 3, 1, 0) if value.ndim == 4 else value


def layers(tensors):
    """(name, kernel, bias), kernels in Keras's order of axes."""
    names = [name[: -len(".weight")] for name in tensors if name.endswith(".weight")]
    return [(name, hwio(tensors[f"{name}.weight"]), tensors[f"{name}.bias"]) for name in names]


def keras_layers(group, tensors):
    """As Keras 3 writes `model.weights.h5`: layers by their kinds and numbers."""
    for i, (_, kernel, bias) in enumerate(layers(tensors)):
        values = group.create_group(f"layers/conv2d{f'_{i}' if i else ''}/vars")
        values["0"], values["1"] = kernel, bias


def keras(out):
    small = read(NETWORK)
    with h5py.File(out("keras2.h5"), "w") as f:
        # As Keras 2 writes a whole model: the names of layers and weights are attributes, in the model's order.
        weights = f.create_group("model_weights")
        names = [f"layer_{chr(ord('z') - i)}" for i in range(len(layers(small)))]
        weights.attrs["layer_names"] = np.array([n.encode() for n in names])
        weights.attrs["backend"] = b"tensorflow"
        for name, (_, kernel, bias) in zip(names, layers(small)):
            group = weights.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()])
            group.create_dataset(f"{name}/kernel:0", data=kernel, compression="gzip", shuffle=True)
            group.create_dataset(f"{name}/bias:0", data=bias)
        moments = f.create_group("optimizer_weights")
        moments["iterations:0"] = np.int64(7)
        for name, (_, kernel, _) in zip(names, layers(small)):
            moments[f"{name}/m:0"] = np.zeros_like(kernel)
    with h5py.File(out("keras3.weights.h5"), "w") as f:
        keras_layers(f, small)
        f["optimizer/vars/0"] = np.int64(7)
    with h5py.File(out("named-f64.h5"), "w", libver="latest") as f:
        for name, kernel, bias in layers(small):
            f[name.replace(".", "/") + "/kernel"] = kernel.astype(np.float64)
            f[name.replace(".", "/") + "/bias"] = bias.astype(">f8")
    data = io.BytesIO()
    with h5py.File(data, "w") as f:
        keras_layers(f, small)
    with zipfile.ZipFile(out("keras3.keras"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        z.writestr("config.json", "{}")
        z.writestr("model.weights.h5", data.getvalue())


class Chain(torch.nn.Module):
    """All layers of a network one after the other: an exporter then keeps each kernel and bias."""

    def __init__(self, tensors):
        super().__init__()
        self.convs = torch.nn.ModuleList()
        for name in tensors:
            if not name.endswith(".weight"):
                continue
            kernel = tensors[name]
            size = kernel.shape[2]
            conv = torch.nn.Conv2d(kernel.shape[1], kernel.shape[0], size, padding=size // 2)
            conv.weight.data = torch.from_numpy(kernel.copy())
            conv.bias.data = torch.from_numpy(tensors[name.replace(".weight", ".bias")].copy())
            self.convs.append(conv)

    def forward(self, x):
        for conv in self.convs:
            x = conv(x[:, :1].expand(-1, conv.in_channels, -1, -1))
        return x


def as_onnx(out):
    small = read(NETWORK)
    torch.onnx.export(Chain(small), torch.zeros(1, 6, 8, 8), out("exported.onnx"), opset_version=13)
    # By the onnx package: in every form that a tensor can have, in the wrong order, with the order in the nodes.
    forms = []
    nodes = []
    for i, (name, value) in enumerate(small.items()):
        own = f"onnx::Conv_{997 - i}"
        if i % 4 == 0:
            forms.append(onnx.numpy_helper.from_array(value, own))
        elif i % 4 == 1:
            forms.append(onnx.helper.make_tensor(own, onnx.TensorProto.FLOAT, value.shape, value.flatten().tolist()))
        elif i % 4 == 2:
            forms.append(onnx.numpy_helper.from_array(value.astype(np.float64), own))
        else:
            constant = onnx.helper.make_tensor("", onnx.TensorProto.DOUBLE, value.shape, value.flatten().tolist())
            nodes.append(onnx.helper.make_node("Constant", [], [own], value=constant))
        if name.endswith(".bias"):
            nodes.append(onnx.helper.make_node("Conv", [f"x{i - 2}", f"onnx::Conv_{998 - i}", own], [f"x{i}"]))
    steps = onnx.helper.make_tensor("steps", onnx.TensorProto.INT64, [2], [1, 2])
    graph = onnx.helper.make_graph(nodes, "g", [], [], initializer=[steps, *reversed(forms)])
    onnx.save(onnx.helper.make_model(graph), out("typed.onnx"))
    # External data.
    whole = onnx.helper.make_graph(
        [], "g", [], [], initializer=[onnx.numpy_helper.from_array(v, k) for k, v in small.items()]
    )
    onnx.save_model(
        onnx.helper.make_model(whole),
        out("external.onnx"),
        save_as_external_data=True,
        location="external.onnx.data",
        size_threshold=64,
    )


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(GOLDENS, "checkpoints")
    os.makedirs(folder, exist_ok=True)
    torch.manual_seed(1)

    def out(name):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            os.remove(path)
        return path

    for write in (pytorch, numpy, keras, as_onnx):
        write(out)


if __name__ == "__main__":
    main()
