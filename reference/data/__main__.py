"""Renders pools, see __init__.py."""
import argparse
import time

import numpy as np

from . import Responses, preview, render, sources, write_pool


def main():
    a = argparse.ArgumentParser(prog="data", description="Renders a pool of stacks.")
    a.add_argument("--panoramas", required=True)
    a.add_argument("--out")
    a.add_argument("--scenes", type=int, default=2048)
    a.add_argument("--frames", type=int, default=3)
    a.add_argument("--size", type=int, default=128)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--chunk", type=int, default=256)
    a.add_argument("--held-out", action="store_true")
    a.add_argument(
        "--plain",
        type=float,
        metavar="STEP",
        help="exposure steps of STEP, a mild camera with exact gamma, no shifts, always something that moves",
    )
    a.add_argument("--preview")
    a = a.parse_args()
    pictures = sources(a.panoramas, a.held_out)
    options = {"plain": a.plain, "responses": None if a.plain else Responses()}
    if a.preview:
        start = time.time()
        stacks = [
            render(np.random.default_rng([a.seed, i]), pictures, a.frames, (a.size, a.size), **options)
            for i in range(8)
        ]
        print(f"{(time.time() - start) / 8:.3f} s a scene")
        preview(stacks, a.preview)
    if a.out:
        write_pool(a.out, pictures, a.scenes, a.frames, a.size, a.seed, a.chunk, **options)


main()
