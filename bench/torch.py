"""Times the reference network in PyTorch, for `npm run bench:gpu`: eager, channels-last, TF32, f16, bf16 and compiled,
on the same random frames.

    python3 bench/torch.py --weights weights/fixed.safetensors \
      --sizes 1500x1000,6000x4000 [--device cuda|cpu] [--runs 5] [--limit 400]

Prints one JSON object: version, device and a row for each mode and size; or `note`, why there are none. Every mode is
compared with eager f32. A mode that
fails is a row with its message. Frames are on the device before the clock starts, the result stays there: PyTorch at
its best.
"""
import argparse
import json
import os
import statistics
import sys
import time

# Before `import torch`: the folder of this file comes first on the path, and this file has torch's name.
sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference")


def give(**answer):
    print(json.dumps({"rows": [], **answer}))
    sys.exit(0)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--weights", required=True)
    p.add_argument("--sizes", required=True)
    p.add_argument("--device", default="cuda")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--limit", type=float, default=400)
    a = p.parse_args()
    try:
        import torch
    except ImportError:
        give(note="not installed")
    version = torch.__version__
    if a.device == "cuda" and not torch.cuda.is_available():
        give(version=version, note=f"PyTorch {version} has no CUDA here")
    import model

    cuda = a.device == "cuda"
    # Convolutions by the algorithm that is fastest here, found in the first run.
    torch.backends.cudnn.benchmark = True
    wait = torch.cuda.synchronize if cuda else lambda: None
    name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    net = model.from_safetensors(a.weights)[0].to(a.device)
    # A tensor on the device: model.forward would make one on the CPU.
    taus = torch.tensor([1.0, 4.0, 16.0], device=a.device)

    def autocast(mode):
        """f16 and bf16: what gains from it runs in it."""
        dtype = torch.float16 if mode.startswith("f16") else torch.bfloat16
        return torch.autocast(a.device, dtype, enabled=mode.startswith(("f16", "bf16")))

    def run_mode(mode, X):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = mode in (
            "tf32",
            "channels-last, tf32",
        )
        format = torch.channels_last if "channels-last" in mode else torch.contiguous_format
        net.format = format
        net.to(memory_format=format)
        X = [x.contiguous(memory_format=format) for x in X]
        forward = net
        if mode == "compile":
            if not hasattr(torch, "compile"):
                raise RuntimeError(f"PyTorch {version} has no torch.compile")
            forward = torch.compile(net)
        return lambda: forward(X, taus, 1)["Y"]

    rows = []
    for size in a.sizes.split(","):
        width, height = map(int, size.split("x"))
        generator = torch.Generator().manual_seed(3)
        X = [torch.rand(1, 3, height, width, generator=generator).to(a.device) for _ in taus]
        expected = None
        for mode in (
            ["eager", "channels-last"]
            + (["tf32", "channels-last, tf32", "f16, channels-last"] if cuda else [])
            + ["bf16, channels-last", "compile"]
        ):
            row = {
                "id": f"torch-{mode}",
                "engine": f"PyTorch, {mode}",
                "version": version,
                "adapter": name,
                "size": size,
                "status": "failed",
            }
            rows.append(row)
            try:
                if cuda:
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                forward = run_mode(mode, X)
                samples = []
                with torch.inference_mode(), autocast(mode):
                    begun = time.perf_counter()
                    Y = forward()
                    wait()
                    row["firstMs"] = 1000 * (time.perf_counter() - begun)
                    while len(samples) < a.runs and (not samples or sum(samples) + samples[-1] < a.limit):
                        begun = time.perf_counter()
                        forward()
                        wait()
                        samples.append(time.perf_counter() - begun)
                Y = Y.float()
                if mode == "eager":
                    expected = Y
                median = statistics.median(samples)
                quartiles = statistics.quantiles(samples, n=4) if len(samples) > 1 else [median] * 3
                row.update(runs=len(samples), ms=1000 * median, spread=(quartiles[2] - quartiles[0]) / 2 / median)
                row["peakBytes"] = torch.cuda.max_memory_allocated() if cuda else None
                if expected is None:
                    row["status"] = "unchecked"
                elif mode == "eager":
                    row.update(status="right", error=0.0, judge=True)
                else:
                    # bf16 keeps 8 bits: its limit is half a step of an 8-bit picture in linear light. That of f16,
                    # which keeps 11, is an eighth of it, and that of f32 a thousandth.
                    row["error"] = float((Y - expected).abs().max())
                    limit = 2e-2 if "bf16" in mode else 2.5e-3 if "f16" in mode else 1e-3
                    row["status"] = "right" if row["error"] <= limit else "wrong"
            except Exception as error:
                row["note"] = str(error).strip().split("\n")[0][:200]
    give(version=version, device=name, rows=rows)


if __name__ == "__main__":
    main()
