"""What moves through a scene, and what stands in front of it: soft outlines filled with a piece of another picture."""
import numpy as np

from .scene import bilinear

# Outlines by their shares: plain stacks have solid things alone, whose random numbers must not change.
SOLID = {"blob": 0.4, "polygon": 0.2, "limbs": 0.4}
ALL = {"blob": 0.26, "polygon": 0.13, "limbs": 0.26, "thin": 0.15, "leaves": 0.2}


def capsule(u, v, start, end, radius):
    """Distance to a line from start to end with a radius."""
    (x0, y0), (x1, y1) = start, end
    dx, dy = x1 - x0, y1 - y0
    s = np.clip(((u - x0) * dx + (v - y0) * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
    return np.hypot(u - x0 - s * dx, v - y0 - s * dy) - radius


class Thing:
    """An outline with a texture that moves. `at(t)` gives cover [h,w] and log2 radiance [h,w,3].

    kinds: the outlines to draw from, by their shares. Those beyond SOLID may also be see-through.
    """

    def __init__(self, rng, size, texture, level, speed, kinds=SOLID):
        h, w = size
        self.size, self.texture, self.level = size, texture, level
        self.radius = R = np.exp(rng.uniform(np.log(5), np.log(0.3 * min(h, w))))
        self.kind = rng.choice(list(kinds), p=list(kinds.values()))
        self.soft = rng.uniform(0.7, 2.5)
        self.p = np.array([rng.uniform(-0.05, 1.05) * w, rng.uniform(-0.05, 1.05) * h])
        angle = rng.uniform(0, 2 * np.pi)
        self.v = speed * np.array([np.cos(angle), 0.6 * np.sin(angle)])
        self.acc = rng.normal(0, 0.15, 2) * speed
        self.turn = rng.uniform(0, 2 * np.pi) if self.kind != "limbs" else rng.normal(0, 0.25)
        self.spin = rng.normal(0, 0.25)
        self.grow = rng.normal(0, 0.08)
        self.harm = [(n, rng.normal(0, 0.35 / n), rng.uniform(0, 6.3), rng.normal(0, 0.5)) for n in (2, 3, 4, 5, 7)]
        self.edges = [
            (2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / 6, R * rng.uniform(0.5, 1.1))
            for k in range(6)
            if rng.random() < 0.85 or k < 3
        ]
        # limbs: head, trunk, arms and legs as capsules hung from joints; each swings with time
        self.swing = rng.normal(0, 0.5, 8)
        self.pose = rng.normal(0, 0.45, 8)
        self.build = rng.uniform(0.75, 1.3, 4)
        self.warp = [(rng.normal(0, 0.5, 2) * 6 / R, rng.uniform(0, 6.3), rng.normal(0, 0.06 * R, 2)) for _ in range(3)]
        self.opacity = 1.0
        if kinds is SOLID:
            return
        if rng.random() < 0.15:  # glass, smoke, spray, loose hair
            self.opacity = rng.uniform(0.25, 0.85)
        if self.kind == "thin":  # poles, wires, railings, bare twigs
            ends = [
                (
                    rng.normal(0, 0.6 * R, 2),
                    rng.uniform(0, np.pi) if rng.random() < 0.5 else 0.1 * rng.normal(),
                    R * rng.uniform(0.6, 2.5),
                )
                for _ in range(rng.integers(1, 6))
            ]
            self.rods = [
                (
                    c - length * np.array([np.sin(a), np.cos(a)]) / 2,
                    c + length * np.array([np.sin(a), np.cos(a)]) / 2,
                    rng.uniform(0.3, 1.6),
                )
                for c, a, length in ends
            ]
        if self.kind == "leaves":  # places around the middle, half axes, turn, sway: how far, how fast, from where
            count = int(rng.integers(15, 90))
            self.v, self.acc = self.v * (rng.random() < 0.3), self.acc * 0
            sway = np.exp(rng.uniform(np.log(0.4), np.log(6)))
            self.leaves = [
                (
                    rng.normal(0, 0.7 * R, 2),
                    rng.uniform(0.8, 3.6),
                    rng.uniform(0.3, 1),
                    rng.uniform(0, np.pi),
                    rng.normal(0, sway, 2),
                    rng.uniform(0.5, 4),
                    rng.uniform(0, 6.3),
                )
                for _ in range(count)
            ]

    def limbs(self, u, v, t):
        R, b = self.radius, self.build
        a = self.pose + self.swing * t
        parts = [
            ((0, -0.25 * R), (0.1 * R * a[0], 0.2 * R), 0.22 * R * b[0]),
            ((0, -0.62 * R), (0.02 * R, -0.66 * R), 0.15 * R * b[1]),
        ]
        for k, (x, y, length, thick, spread) in enumerate(
            [
                (-0.16, -0.4, 0.34, 0.075, 0.5),
                (0.16, -0.4, 0.34, 0.075, -0.5),
                (-0.1, 0.2, 0.4, 0.1, 0.15),
                (0.1, 0.2, 0.4, 0.1, -0.15),
            ]
        ):
            ang = spread + a[k + 1] * (0.8 if k < 2 else 0.5)
            knee = (x * R - np.sin(ang) * length * R, y * R + np.cos(ang) * length * R)
            ang2 = ang + 0.5 * a[k + 3]
            foot = (knee[0] - np.sin(ang2) * length * R * 0.9, knee[1] + np.cos(ang2) * length * R * 0.9)
            parts += [((x * R, y * R), knee, thick * R * b[2]), (knee, foot, 0.8 * thick * R * b[3])]
        d = None
        for start, end, r in parts:
            e = capsule(u, v, start, end, max(r, 0.8))
            d = e if d is None else np.minimum(d, e)
        return d

    def foliage(self, size, p, t):
        """Distance to the nearest of many leaves, each swaying by itself; drawn leaf by leaf in a small window."""
        h, w = size
        d = np.full(size, 9.0, "f4")
        for place, long, aspect, turn, sway, rate, phase in self.leaves:
            cx, cy = p + place + sway * np.sin(rate * t + phase)
            reach = int(long + 4)
            x0, x1, y0, y1 = (
                int(max(0, cx - reach)),
                int(min(w, cx + reach + 1)),
                int(max(0, cy - reach)),
                int(min(h, cy + reach + 1)),
            )
            if x0 >= x1 or y0 >= y1:
                continue
            y, x = np.mgrid[y0:y1, x0:x1].astype("f4")
            x, y = x - cx, y - cy
            a, b = x * np.cos(turn) + y * np.sin(turn), (y * np.cos(turn) - x * np.sin(turn)) / aspect
            d[y0:y1, x0:x1] = np.minimum(d[y0:y1, x0:x1], np.hypot(a, b) - long)
        return d

    def at(self, t):
        h, w = self.size
        y, x = np.mgrid[0:h, 0:w].astype("f4")
        p = self.p + self.v * t + self.acc * t * t
        ang, k = self.turn + self.spin * t, np.exp(-self.grow * t)
        x, y = (x - p[0]) * k, (y - p[1]) * k
        u, v = x * np.cos(ang) + y * np.sin(ang), y * np.cos(ang) - x * np.sin(ang)
        u0, v0 = u, v
        for f, phase, amount in self.warp:
            s = np.sin(f[0] * u0 + f[1] * v0 + phase)
            u, v = u + amount[0] * s, v + amount[1] * s
        if self.kind == "blob":
            th = np.arctan2(v, u)
            d = np.hypot(u, v) - self.radius * np.maximum(
                0.25, 1 + sum(a * np.cos(n * th + q + s * t) for n, a, q, s in self.harm)
            )
        elif self.kind == "polygon":
            d = np.max([u * np.cos(a) + v * np.sin(a) - r for a, r in self.edges], 0)
        elif self.kind == "limbs":
            d = self.limbs(u, v, t)
        elif self.kind == "thin":
            d = np.min([capsule(u, v, *rod) for rod in self.rods], 0)
        else:
            d = self.foliage(u.shape, p, t)
        cover = self.opacity * np.clip(0.5 - d / self.soft, 0, 1)
        if cover.max() <= 0:
            return cover, None
        th, tw = self.texture.shape[:2]
        tu, tv = np.abs((u0 + tw / 2) % (2 * tw - 2) - (tw - 1)), np.abs((v0 + th / 2) % (2 * th - 2) - (th - 1))
        return cover, bilinear(self.texture, np.minimum(tu, tw - 1.001), np.minimum(tv, th - 1.001)) + self.level
