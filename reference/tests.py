"""Tests of rendering and training (a minute; the network itself is tested by the goldens).

    python3 tests.py        # renders its own pictures, needs no panoramas
"""
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch

import data
from gate import gate_of
from model import DEFAULTS, Deghost
from data.camera import GRID, IDENTITY, Look, codes_table, draw_curve, exposures, left_over
from data.things import ALL, Thing

HERE = os.path.dirname(os.path.abspath(__file__))


def write_panorama(path, seed):
    """A 256x128 Radiance file of smooth radiance over some eight stops, flat lines in the run-length code."""
    rng = np.random.default_rng(seed)
    stops = np.kron(rng.normal(0, 2.5, (8, 16, 1)), np.ones((16, 16, 1))) + rng.normal(0, 0.2, (128, 256, 3))
    exponent = np.floor(stops.max(-1)).astype(int) + 1
    mantissa = np.clip(np.exp2(stops - exponent[..., None]) * 256, 0, 255).astype(np.uint8)
    planes = np.concatenate([mantissa, (exponent + 128)[..., None].astype(np.uint8)], -1)
    with open(path, "wb") as file:
        file.write(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 128 +X 256\n")
        for row in planes:
            file.write(
                b"\x02\x02\x01\x00"
                + b"".join(b"\x80" + row[at : at + 128, c].tobytes() for c in range(4) for at in (0, 128))
            )


class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for i in range(7):
            write_panorama(os.path.join(cls.folder.name, f"{i}.hdr"), i)
        cls.pictures, cls.responses = data.sources(cls.folder.name), data.Responses()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def stack(self, seed, n=3, **options):
        return data.render(np.random.default_rng(seed), self.pictures, n, (64, 80), self.responses, **options)

    def test_split_by_scene(self):
        held = data.sources(self.folder.name, held_out=True)
        self.assertEqual([s.name for s in held], ["3"])
        self.assertEqual([s.name for s in self.pictures], ["0", "1", "2", "4", "5", "6"])

    def test_same_seed_same_stack(self):
        a, b, c = self.stack(5), self.stack(5), self.stack(6)
        for key in a:
            np.testing.assert_array_equal(a[key], b[key])
        self.assertFalse(np.array_equal(a["codes"], c["codes"]))

    def test_exposures(self):
        for n in range(2, 10):
            for seed in range(40):
                stops = np.log2(exposures(np.random.default_rng(seed), n))
                self.assertEqual(stops[0], 0)
                self.assertTrue(
                    (np.diff(stops) > 0.5).all() and stops[-1] <= 16 + 1e-9 and (np.diff(stops) <= 3 + 1e-9).all(),
                    (n, seed, stops),
                )

    def test_nine_frames(self):
        s = self.stack(8, 9)
        self.assertEqual(s["codes"].shape, (9, 3, 64, 80))

    def test_plain_stack_agrees_with_its_truth(self):
        """Well-exposed still pixels of every frame are the true radiance, except for noise and rounding."""
        s = self.stack(3, plain=4)
        X, truth, compared = data.frames_of(s), data.radiance_of(s, 1), 0
        for k, tau in enumerate(s["taus"]):
            good = (
                (X[k] > 0.2)
                & (X[k] < 0.9)
                & (data.motion_of(s, k, 1) == 0)
                & (s["cover"][k] == 0)
                & (s["cover"][1] == 0)
            )
            if good.sum() > 50:
                compared += 1
                self.assertLess(np.median(np.abs(X[k][good] - (truth[good] * tau) ** (1 / 2.2))), 0.02)
        self.assertGreaterEqual(compared, 2)
        np.testing.assert_allclose(data.target_of(s, 1, np.arange(3)), np.minimum(truth, 1), atol=2e-3)

    def test_motion_is_what_things_cover(self):
        s = self.stack(4, plain=4)
        moving = data.motion_of(s, 0, 1) > 0
        off = np.abs(s["clean"][0].astype(int) - s["clean"][1]).max(0)
        self.assertGreater(moving.sum(), 20)
        self.assertLessEqual(off[(s["cover"][0] == 0) & (s["cover"][1] == 0)].max(), 1)
        self.assertGreater(np.median(off[moving]), 100)

    def test_curves_rise_and_come_undone(self):
        for seed in range(60):
            curve = draw_curve(np.random.default_rng(seed))
            self.assertTrue(
                (np.diff(curve) >= 0).all()
                and np.abs(curve[:, 0]).max() < 1e-9
                and np.abs(curve[:, -1] - 1).max() < 1e-9
            )
            kept = curve > 0.5 / 255  # what is crushed to black cannot come back
            kept[:, :8] = kept[:, -8:] = False
            np.testing.assert_allclose(left_over(curve, codes_table(curve))[kept], IDENTITY[kept], atol=0.01)

    def test_every_kind_of_thing_covers_something_and_moves(self):
        texture = np.zeros((96, 96, 3), "f4")
        for kind in ALL:
            covers = [
                [
                    Thing(np.random.default_rng([seed, i]), (96, 96), texture, 0.0, 8.0, {kind: 1.0}).at(t)[0]
                    for t in (0.0, 1.0)
                ]
                for seed in range(12)
                for i in range(2)
            ]
            self.assertGreater(sum(a.max() > 0.3 for a, _ in covers), 12, kind)
            self.assertGreater(sum(np.abs(a - b).max() > 0.2 for a, b in covers), 8, kind)

    def test_a_good_part_of_the_scenes_is_near_black_in_part(self):
        shares = [(data.frames_of(self.stack(seed))[1].mean(0) < 0.05).mean() for seed in range(40)]
        self.assertGreater(sum(share > 0.02 for share in shares), 12)

    def test_what_the_camera_does_is_not_motion(self):
        """Shifts, parallax, noise and a camera's look alone: nothing moves, though every frame is different."""
        found = 0
        for seed in range(60):
            s = self.stack(seed)
            if s["cover"].any():
                continue
            found += 1
            self.assertEqual(max(data.motion_of(s, k, 1).max() for k in range(3)), 0)
            self.assertFalse(np.array_equal(s["codes"][0], s["codes"][1]))
        self.assertGreater(found, 3)

    def test_a_look_keeps_grey_grey(self):
        for seed in range(20):
            grey = np.full((3, 4, 4), 0.3, "f4")
            np.testing.assert_allclose(Look(np.random.default_rng(seed)).colours(grey), grey, atol=1e-6)

    def test_estimates_are_of_their_curves(self):
        off = np.abs(
            np.stack([left_over(c, l) for c, l in zip(self.responses.curves, self.responses.luts)]) - GRID
        ).mean((1, 2))
        self.assertLess(np.median(off), 0.03)
        self.assertGreater(np.median(off), 0.002)


GATE = {"codes": 2, "relative": 0.06, "low": 0.004, "high": 0.02}


def gate_by_loops(gate, samples, curves, taus, i, r, gamma=2.2):
    """The gate from its definition, pixel by pixel: [H,W]. samples [N,3,H,W], curves [3,256]."""
    (_, _, H, W), q = samples.shape, gate["codes"] / 255
    at = lambda a, y, x: a[min(max(y, 0), H - 1), min(max(x, 0), W - 1)]

    def light(v, c, ratio):
        f = lambda u: np.interp(255 * u, np.arange(256), curves[c])
        low = 0 if v - q <= 0 else f(v - q)
        high = 1e9 if v + q > 253.5 / 255 else f(v + q)
        return [
            min(1, ratio * low * (1 - gate["relative"])) ** (1 / gamma),
            min(1, ratio * high * (1 + gate["relative"])) ** (1 / gamma),
        ]

    def window(a, n, of, inside=False):
        around = lambda y, x: [
            at(a, y + j, x + k)
            for j in range(-(n // 2), n // 2 + 1)
            for k in range(-(n // 2), n // 2 + 1)
            if not inside or (0 <= y + j < H and 0 <= x + k < W)
        ]
        return np.array([[of(around(y, x)) for x in range(W)] for y in range(H)])

    e = np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            pairs = [
                (light(samples[i, c, y, x], c, taus[r] / taus[i]), light(samples[r, c, y, x], c, 1)) for c in range(3)
            ]
            e[y, x] = max(max(a[0] - b[1], b[0] - a[1], 0) for a, b in pairs)
    b = window(window(window(e, 5, np.mean), 9, max, inside=True), 9, np.mean)
    t = np.clip((b - gate["low"]) / (gate["high"] - gate["low"]), 0, 1)
    return t * t * (3 - 2 * t)


class Gate(unittest.TestCase):
    def stack(self, seed):
        """Codes of one smooth scene at three exposures, with a thing that moves and noise of a code; two stacks with a
        curve each.
        """
        rng = np.random.default_rng(seed)
        curves = np.stack(
            [np.linspace(0, 1, 256) ** p * (0.5 + 0.5 * np.linspace(0, 1, 256) ** 2) for p in (2.2, 1.7, 1.3)]
        )
        scene = np.exp(2 * np.sin(np.mgrid[0:18, 0:30][1] / 6))[None] * np.array([0.02, 0.03, 0.01])[:, None, None]
        frames = np.stack([scene] * 3)
        frames[2, :, 5:11, 3:9] *= 3
        codes = np.stack(
            [
                np.stack([np.interp(np.minimum(1, x * t), row, np.arange(256)) for x, row in zip(f, curves)])
                for f, t in zip(frames, (1, 3, 9))
            ]
        )
        return np.clip(np.round(codes + rng.integers(-1, 2, codes.shape)), 0, 255) / 255, curves

    def test_by_its_definition(self):
        taus, both = [1.0, 3.0, 9.0], [self.stack(seed) for seed in (1, 2)]
        both[1] = (both[1][0], both[1][1] ** 1.1)
        samples = [torch.from_numpy(np.stack([s[k] for s, _ in both])) for k in range(3)]
        response = torch.from_numpy(np.stack([curves for _, curves in both]))
        for i, r in ((0, 1), (2, 1), (2, 0)):
            found = gate_of({"gate": GATE, "gamma": 2.2}, samples, response, torch.tensor([taus] * 2), i, r).numpy()
            for b, (s, curves) in enumerate(both):
                np.testing.assert_allclose(found[b, 0], gate_by_loops(GATE, s, curves, taus, i, r), atol=1e-9)
            if i == 2:
                self.assertTrue((found == 0).any() and (found == 1).any() and ((found > 0) & (found < 1)).any())

    def test_forward_multiplies_the_masks(self):
        samples, curves = self.stack(3)
        s = [torch.from_numpy(x).float()[None] for x in samples]
        X = [
            torch.from_numpy(
                np.stack([np.interp(255 * p, np.arange(256), row) for p, row in zip(x, curves)]) ** (1 / 2.2)
            ).float()[None]
            for x in samples
        ]
        small = {"width": 4, "segWidths": [4, 4, 4, 4], "base": "merge", "hat": "pixel"}
        plain, gated = (
            Deghost("any", {**small, **more}).init(torch.Generator().manual_seed(1), seg_bias=0.0).eval()
            for more in ({}, {"gate": GATE})
        )
        with torch.no_grad():
            a, b = plain(X, [1, 3, 9], 1), gated(X, [1, 3, 9], 1, samples=s, response=torch.from_numpy(curves))
        for i in (0, 2):
            padded = [torch.nn.functional.pad(x, (0, 2, 0, 14), mode="replicate") for x in s]
            factor = gate_of(gated.config, padded, torch.from_numpy(curves), [1, 3, 9], i, 1)
            self.assertTrue(torch.equal(b["W"][i], a["W"][i] * factor))
        self.assertTrue(torch.equal(b["W"][1], torch.maximum(b["W"][0], b["W"][2])))

    def test_refusals(self):
        for more in (
            {"hat": "pixels"},
            {"hat": None},
            {"gate": None},
            {"gate": {}},
            {"gate": {**GATE, "more": 1}},
            {"gate": {**GATE, "codes": -1}},
            {"gate": {**GATE, "codes": "2"}},
            {"gate": {**GATE, "relative": 1}},
            {"gate": {**GATE, "relative": -0.1}},
            {"gate": {**GATE, "low": 0.02}},
        ):
            with self.assertRaises(ValueError, msg=str(more)):
                Deghost("fixed", {**DEFAULTS, **more})


class Training(unittest.TestCase):
    def run_training(self, folder, name, *lengths):
        for call, (s, joint) in enumerate(lengths):
            command = [
                sys.executable,
                "train.py",
                "--variant",
                "any",
                "--pool",
                f"{folder}/pool",
                "--held-out",
                f"{folder}/pool",
                "--run",
                f"{folder}/{name}",
            ]
            command += [
                "--s-batch",
                "1",
                "--s-patch",
                "32",
                "--batch",
                "1",
                "--patch",
                "32",
                "--held-out-stacks",
                "1",
                "--s-iterations",
                str(s),
                "--joint-iterations",
                str(joint),
                "--save-minutes",
                "0",
            ]
            stop = ["--stop-after", "3"] if call < len(lengths) - 1 else []
            subprocess.run(
                command + stop,
                cwd=HERE,
                check=True,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        return torch.load(f"{folder}/{name}/state.pt")

    def test_resumes_exactly(self):
        with tempfile.TemporaryDirectory() as folder:
            for i in range(2):
                write_panorama(f"{folder}/{i}.hdr", i)
            data.write_pool(
                f"{folder}/pool",
                data.sources(folder),
                3,
                4,
                48,
                1,
                responses=data.Responses(),
                log=lambda *_, **__: None,
            )
            whole = self.run_training(folder, "whole", (4, 4))
            parts = self.run_training(folder, "parts", (4, 4), (4, 4), (4, 4))
            with open(f"{folder}/parts/log.txt") as log:
                self.assertEqual(log.read().count("stopped at iteration"), 2)
            self.assertEqual((whole["state"]["s_iterations"], whole["state"]["joint_iterations"]), (4, 4))
            for name, value in whole["params"].items():
                self.assertTrue(torch.equal(value, parts["params"][name]), name)


if __name__ == "__main__":
    unittest.main()
