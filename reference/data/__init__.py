"""Rendered exposure stacks: crops of HDR panoramas and photographs, things cut from others that move through them, and
a camera.

A scene is a background (scene.py), at times with dark things that stand before it, and 0 to 3 things that move
(things.py): soft varied outlines
(noise-warped blobs, polygons, jointed limbs, rods, leaves, some of them see-through) filled from other pictures, that
translate, rotate, scale, swing,
sway, enter and leave between frames, and blur. Half of the scenes are near black in part. The camera (camera.py) adds
shifts and parallax of up to 2 px,
exposure error, white-balance drift, shot and read noise, saturation, a colour matrix, a tone curve, smoothing,
sharpening, JPEG and 8 bits; the curve
is then undone as well as the engine's own estimate of it allows. 2 to 9 frames, 16 stops in all at most. Deterministic
by seed; scenes are split by panorama. stack.py says what a stack holds.

    python3 -m data --panoramas DIR --out runs/pool --scenes 2048 --frames 3 --size 128 \
      --seed 1 [--held-out] [--plain 4] [--preview out.png]
"""
from .camera import Responses, codes_table, draw_curve, exposures, shoot
from .pool import Pool, preview, write_pool
from .scene import grain, view
from .sources import Source, read_exr, read_radiance, sources
from .stack import COVER, GAMMA, frames_of, hat_merge, motion_of, radiance_of, render, samples_of, target_of
