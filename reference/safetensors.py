"""A small strict safetensors reader and writer (numpy only; dtypes f32 and f16).

Format: u64 little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, the data.
https://github.com/huggingface/safetensors#format. The reader refuses what the Rust one refuses: headers over
100 MB, duplicate names, overlaps, holes, sizes that do not follow from the shape; and, as the engine does,
non-finite values.
"""
import json
import os

import numpy as np

DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
MAX_HEADER = 100_000_000


def write(path, tensors, metadata=None):
    """tensors: {name: array}, stored in the order given. float64 is stored as f32. Written to a temporary file, then
    renamed.
    """
    header, blobs, at = {}, [], 0
    if metadata:
        header["__metadata__"] = {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()}
    for name, value in tensors.items():
        a = np.asarray(value)
        a = np.ascontiguousarray(a.astype("<f2" if a.dtype == np.float16 else "<f4")).reshape(a.shape)
        if not np.isfinite(a).all():
            raise ValueError(f"{path}: {name} has non-finite values")
        header[name] = {
            "dtype": "F16" if a.dtype.itemsize == 2 else "F32",
            "shape": list(a.shape),
            "data_offsets": [at, at + a.nbytes],
        }
        blobs.append(a.tobytes())
        at += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the data starts 8-byte aligned
    tmp = f"{path}.tmp"
    with open(tmp, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text + b"".join(blobs))
    os.replace(tmp, path)


def _unique(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate name in the header")
    return dict(pairs)


def read(path):
    """Returns ({name: array}, metadata)."""
    raw = open(path, "rb").read()
    if len(raw) < 8:
        raise ValueError(f"{path}: {len(raw)} bytes are too few for a header")
    n = int.from_bytes(raw[:8], "little")
    if n > MAX_HEADER or 8 + n > len(raw):
        raise ValueError(f"{path}: header of {n} bytes in a file of {len(raw)}")
    header = json.loads(raw[8 : 8 + n].decode(), object_pairs_hook=_unique)
    meta = header.pop("__metadata__", {})
    data, tensors, at = raw[8 + n :], {}, 0
    for name, info in sorted(header.items(), key=lambda kv: tuple(kv[1]["data_offsets"])):
        if info["dtype"] not in DTYPES:
            raise ValueError(f"{path}: {name} has dtype {info['dtype']}, only F32 and F16 are read")
        dtype, (begin, end) = DTYPES[info["dtype"]], info["data_offsets"]
        size = int(np.prod(info["shape"], dtype=np.int64)) * dtype.itemsize
        if begin != at or end - begin != size or end > len(data):
            raise ValueError(
                f"{path}: {name} at [{begin}, {end}] leaves a hole, overlaps or does not hold {info['shape']}"
            )
        tensors[name] = np.frombuffer(data[begin:end], dtype).reshape(info["shape"])
        if not np.isfinite(tensors[name]).all():
            raise ValueError(f"{path}: {name} has non-finite values")
        at = end
    if at != len(data):
        raise ValueError(f"{path}: {len(data) - at} bytes after the last tensor")
    return tensors, meta
