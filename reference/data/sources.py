"""What scenes are cut from: HDR panoramas (Radiance .hdr) and photographs (OpenEXR .exr), as log2 radiance, split by
picture.
"""
import glob
import os

import numpy as np


def read_radiance(path):
    """Radiance .hdr (new-style run-length coding) -> f32 [H,W,3]."""
    raw = open(path, "rb").read()
    head = raw.index(b"\n\n") + 2
    end = raw.index(b"\n", head)
    a, h, b, w = raw[head:end].split()
    if (a, b) != (b"-Y", b"+X"):
        raise ValueError(f"{path}: orientation {raw[head:end]!r} is not -Y H +X W")
    h, w, at = int(h), int(w), end + 1
    out = np.zeros((h, 4, w), np.uint8)
    for y in range(h):
        if raw[at : at + 2] != b"\x02\x02":
            raise ValueError(f"{path}: row {y} is not run-length coded")
        at += 4
        for c in range(4):
            x = 0
            while x < w:
                n = raw[at]
                if n > 128:
                    out[y, c, x : x + n - 128] = raw[at + 1]
                    x, at = x + n - 128, at + 2
                else:
                    out[y, c, x : x + n] = np.frombuffer(raw, np.uint8, n, at + 1)
                    x, at = x + n, at + 1 + n
    rgb, e = out[:, :3].astype("f4") + 0.5, out[:, 3].astype("i4")
    return np.where(e[:, None] > 0, np.ldexp(rgb, e[:, None] - 136), 0).astype("f4").transpose(0, 2, 1)


def read_exr(path):
    """OpenEXR -> f32 [H,W,3]; OpenCV's reader knows PIZ and ZIP. What is no number or negative becomes 0."""
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"  # read when cv2 is loaded
    import cv2

    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: not an OpenEXR picture that OpenCV can read")
    if image.ndim == 2:  # luminance alone (OpenCV drops the chroma of some files): a grey picture
        image = np.repeat(image[..., None], 3, 2)
    return np.clip(np.nan_to_num(image[..., 2::-1].astype("f4"), posinf=1e6, neginf=0), 0, 1e6)


class Source:
    """One picture: `log` is log2 radiance f32 [H,W,3]; a panorama is equirectangular (twice as wide as high), a
    photograph `flat`; of a `sky` only the upper half counts.
    """

    def __init__(self, path):
        self.name, extension = os.path.splitext(os.path.basename(path))
        image = (read_exr if extension == ".exr" else read_radiance)(path)
        self.flat = image.shape[1] != 2 * image.shape[0]
        self.sky = "skies" in os.path.basename(os.path.dirname(path))
        floor = max(1e-6, np.percentile(image, 50) * 1e-4)
        self.log = np.log2(np.clip(image, floor, 1e6))


def sources(folder, held_out=False):
    """Every sixth panorama of the sorted names is held out; what lies in subfolders is for training alone: photographs
    (.exr), more panoramas, pure skies (a folder named so).
    """
    files = sorted(glob.glob(os.path.join(folder, "*.hdr")))
    if not files:
        raise SystemExit(f"no .hdr files in {folder}")
    files = [f for i, f in enumerate(files) if (i % 6 == 3) == held_out]
    if not held_out:
        files += sorted(glob.glob(os.path.join(folder, "**", "*.exr"), recursive=True)) + sorted(
            glob.glob(os.path.join(folder, "*", "*.hdr"))
        )
    return [Source(f) for f in files]
