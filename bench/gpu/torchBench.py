"""PyTorch on the same GPU: its ceilings, one layer, the reference network in several modes, deghost's results checked.

    python3 bench/gpu/torchBench.py [--device cuda|cpu] [--saved FOLDER] [--tiny] > torch.jsonl

--saved is the folder that merges.ts --save wrote: its results are compared with the reference's on the same frames.
Prints one JSON object per line, as soon as it is known. bench/torch.py, which `npm run bench:gpu` runs, prints at its
end, and times the network alone.
"""
import argparse
import json
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[0] = os.path.join(ROOT, "reference")

import numpy as np
import torch

import model

TAUS = [1.0, 4.0, 16.0]
REFERENCE = 1
CONTIGUOUS, CHANNELS_LAST = torch.contiguous_format, torch.channels_last

# Name, whether TF32 is allowed, the type of autocast, the layout.
MODES = [
    ("eager f32", False, None, CONTIGUOUS),
    ("channels-last f32", False, None, CHANNELS_LAST),
    ("channels-last tf32", True, None, CHANNELS_LAST),
    ("channels-last f16", True, torch.float16, CHANNELS_LAST),
    ("channels-last bf16", True, torch.bfloat16, CHANNELS_LAST),
]
EAGER, TF32, F16 = MODES[0], MODES[2], MODES[3]
# Rows around a strip, where the picture does not fit in memory: as many as a tiled run computes twice.
STRIP_ROWS = 96


def row(**found):
    print(json.dumps(found), flush=True)
    print(json.dumps(found), file=sys.stderr, flush=True)


def reason(error):
    return str(error).strip().split("\n")[0][:200]


class Bench:
    def __init__(self, device, tiny):
        self.device, self.tiny, self.cuda = device, tiny, device == "cuda"
        self.net = model.from_safetensors(os.path.join(ROOT, "weights", "fixed.safetensors"))[0].to(device)
        # model.forward makes tau a tensor on the CPU, unless it is a tensor on the device.
        self.taus = torch.tensor(TAUS, device=device)

    def wait(self):
        if self.cuda:
            torch.cuda.synchronize()

    def timed(self, run, runs=5, most=8.0):
        """Milliseconds of the first run and the median of others, as many as fit in `most` seconds."""
        samples = []
        while len(samples) < 2 or (len(samples) <= runs and sum(samples[1:]) < most):
            self.wait()
            begun = time.perf_counter()
            run()
            self.wait()
            samples.append(time.perf_counter() - begun)
        return 1000 * samples[0], 1000 * statistics.median(samples[1:]), len(samples) - 1

    def allow_tf32(self, allowed):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed

    def ceilings(self):
        """Matrix products and a copy."""
        n = 64 if self.tiny else 8192
        cases = [("f32", torch.float32, False), ("tf32", torch.float32, True), ("f16", torch.float16, True)]
        for name, dtype, tf32 in cases if self.cuda else cases[:1]:
            self.allow_tf32(tf32)
            a, b = (torch.randn(n, n, device=self.device, dtype=dtype) for _ in range(2))
            ms = self.timed(lambda: a @ b, 10, 2)[1]
            row(step="peak", what=f"matmul {name}", tflops=2 * n**3 / ms / 1e9)
        size = 1 << (20 if self.tiny else 30)
        a = torch.zeros(size, dtype=torch.uint8, device=self.device)
        b = torch.empty_like(a)
        ms = self.timed(lambda: b.copy_(a), 20, 1)[1]
        row(step="peak", what=f"copy of {size >> 20} MiB", gbytes=2 * size / ms / 1e6)

    def layer(self):
        """The layer that conv.ts times: 3x3, 32 to 32 channels."""
        side, count = (32, 2) if self.tiny else (1024, 20)
        cases = [
            ("f32", torch.float32, CONTIGUOUS, False),
            ("channels-last tf32", torch.float32, CHANNELS_LAST, True),
            ("channels-last f16", torch.float16, CHANNELS_LAST, True),
        ]
        for mode, dtype, layout, tf32 in cases if self.cuda else cases[:1]:
            self.allow_tf32(tf32)
            x = torch.rand(1, 32, side, side, device=self.device, dtype=dtype).contiguous(memory_format=layout)
            w = torch.rand(32, 32, 3, 3, device=self.device, dtype=dtype).contiguous(memory_format=layout)
            with torch.inference_mode():
                ms = self.timed(lambda: [torch.nn.functional.conv2d(x, w, padding=1) for _ in range(count)], 5, 2)[1]
            tflops = count * 2 * 9 * 32 * 32 * side * side / ms / 1e9
            row(step="layer", layer="3x3 32>32", size=f"{side}x{side}", mode=mode, tflops=tflops)

    def forward(self, X, dtype, layout, net=None):
        with torch.inference_mode(), torch.autocast(self.device, dtype or torch.bfloat16, enabled=dtype is not None):
            return (net or self.net)([x.contiguous(memory_format=layout) for x in X], self.taus, REFERENCE)["Y"]

    def compare(self, folder):
        """deghost's results against the reference's: the largest difference, and PSNR-mu in dB."""
        with open(os.path.join(folder, "size.json")) as file:
            about = json.load(file)
        if about["taus"] != TAUS:
            raise ValueError(f"{folder}: the frames' exposures are {about['taus']}, this script compares {TAUS}")
        shape = (about["height"], about["width"], 3)
        read = lambda name: np.fromfile(os.path.join(folder, name), "<f4").reshape(shape)
        frames = [read(f"frame-{k}.f32").transpose(2, 0, 1).copy() for k in range(len(TAUS))]
        X = [torch.from_numpy(x)[None].to(self.device) for x in frames]
        self.allow_tf32(False)
        self.net.format = CONTIGUOUS
        expected = self.forward(X, None, CONTIGUOUS).float()[0].permute(1, 2, 0).cpu().numpy()
        tone = lambda y: np.log1p(model.MU * np.clip(y.astype("f8"), 0, 1)) / np.log1p(model.MU)
        for precision in ("f32", "f16"):
            if os.path.exists(os.path.join(folder, f"radiance-{precision}.f32")):
                y = read(f"radiance-{precision}.f32")
                psnr = -10 * np.log10(((tone(y) - tone(expected)) ** 2).mean() + 1e-30)
                largest = float(abs(y - expected).max())
                size = f"{shape[1]}x{shape[0]}"
                row(step="right?", precision=precision, size=size, largest=largest, psnrMu=float(psnr))

    def network(self, size, mode, compiled=False, strips=1):
        """One mode at one size. Returns whether it ran."""
        (width, height), (name, tf32, dtype, layout) = size, mode
        mode = name + (", compiled" if compiled else "")
        head = {"step": "network", "mode": mode, "size": f"{width}x{height}", "strips": strips}
        try:
            if self.cuda:
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            self.allow_tf32(tf32)
            self.net.format = layout
            self.net.to(memory_format=layout)
            net = torch.compile(self.net) if compiled else self.net
            rows = height // strips + (2 * STRIP_ROWS if strips > 1 else 0)
            X = [torch.rand(1, 3, rows, width, device=self.device) for _ in TAUS]
            first, ms, runs = self.timed(lambda: [self.forward(X, dtype, layout, net) for _ in range(strips)], 5, 6)
            peak = torch.cuda.max_memory_allocated() / 2**30 if self.cuda else None
            row(**head, firstMs=first, ms=ms, runs=runs, peakGiB=peak)
            return True
        except Exception as error:
            row(**head, error=reason(error))
            return False

    def networks(self):
        small = (48, 32) if self.tiny else (1500, 1000)
        for mode in MODES if self.cuda else [EAGER]:
            self.network(small, mode)
        if self.tiny or not self.cuda:
            return
        for mode in (TF32, F16):
            for strips in (1, 4, 8):
                if self.network((6000, 4000), mode, strips=strips):
                    break
        # Last: compiling may take longer than all of the above.
        if hasattr(torch, "compile"):
            for mode in (F16, TF32):
                self.network(small, mode, compiled=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--saved")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"torchBench.py: PyTorch {torch.__version__} has no CUDA here: --device cpu tries this program")
    torch.backends.cudnn.benchmark = True
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    row(step="torch", version=torch.__version__, device=name)
    bench = Bench(options.device, options.tiny)
    bench.ceilings()
    bench.layer()
    if options.saved:
        try:
            bench.compare(options.saved)
        except Exception as error:
            row(step="right?", error=reason(error))
    bench.networks()


if __name__ == "__main__":
    main()
