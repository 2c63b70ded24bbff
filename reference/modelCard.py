"""Makes the figures of the model card again, all on the engine (`deghost evaluate`): photographs, static stacks,
held-out scenes; and both heads.

    python3 modelCard.py [--real DIR...] [--static DIR...] [--panoramas DIR] [--heads runs/head-none runs/head-merge]

A quarter of an hour on lavapipe, and half a minute a photograph.

--real: folders of stacks with still.json, or of such folders; three frames get `fixed`, others `any`. --static: folders
of five frames in which nothing moves. --panoramas: renders the held-out scenes and writes them as
folders. Needs `npm ci`, and `npm run build` after a change of src. Writes ../weights/figures.json and the tables
between the markers of ../weights/README.md. Figures of options that are not given stay as they are.
Of photographs only means and worst cases are kept: neither they nor their names are ours to publish.
"""
import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RUNS = os.path.join(HERE, "runs")
FIGURES, CARD = os.path.join(ROOT, "weights", "figures.json"), os.path.join(ROOT, "weights", "README.md")

POOLS = {  # name: scenes, frames, seed, further options
    "held-plain3": (24, 3, 91, ["--plain", "4"]),
    "held-plain5": (16, 5, 93, ["--plain", "2"]),
    "held-camera3": (16, 3, 92, []),
    "held-camera5": (8, 5, 94, []),
}
TABLES = {  # name: pool, weights, further options of `deghost evaluate`
    "fixed": ("held-plain3", "fixed", ["--response", "gamma"]),
    "any-3": ("held-plain3", "any", ["--response", "gamma"]),
    "any-5": ("held-plain5", "any", ["--response", "gamma"]),
    "fixed-of-5": ("held-plain5", "fixed", ["--response", "gamma", "--frames", "1,3,5"]),
    "fixed-camera": ("held-camera3", "fixed", ["--response", "auto"]),
    "any-camera": ("held-camera5", "any", ["--response", "auto"]),
}
STATIC = [
    ("fixed", "1,2,3"),
    ("fixed", "2,3,4"),
    ("fixed", "3,4,5"),
    ("any", "2,3,4"),
    ("any", None),
]  # weights, frames
REUSE = False  # whether reports that are newer than their weights are kept
DARK = 0.15  # a box is dark where the reference frame's samples are below this on the mean, of 1
ROWS = ["network", "reference", "merge", "merge, difference", "merge, S", "merge, truth"]


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    return subprocess.run(command, check=True, **options)


def render(panoramas):
    for name, (scenes, frames, seed, more) in POOLS.items():
        pool = os.path.join(RUNS, name)
        run(
            sys.executable,
            "-m",
            "data",
            "--panoramas",
            panoramas,
            "--out",
            pool,
            "--scenes",
            str(scenes),
            "--frames",
            str(frames),
            "--seed",
            str(seed),
            "--held-out",
            "--chunk",
            "64",
            *more,
            cwd=HERE,
        )
        run(
            sys.executable,
            "stacks.py",
            "--pool",
            pool,
            "--out",
            os.path.join(RUNS, "stacks", name),
            "--stacks",
            str(scenes),
            cwd=HERE,
        )


def evaluate(name, folders, *options):
    """The report of `deghost evaluate`; its text lies beside it."""
    out = os.path.join(RUNS, f"figures-{name}.json")
    used = (
        [options[options.index("--weights") + 1]]
        if "--weights" in options
        else ["weights/fixed.safetensors", "weights/any.safetensors"]
    )
    if (
        REUSE
        and os.path.exists(out)
        and os.path.getmtime(out) > max(os.path.getmtime(os.path.join(ROOT, path)) for path in used)
    ):
        with open(out) as file:
            return json.load(file)
    sheets = os.path.join(RUNS, "sheets", name)
    os.makedirs(os.path.dirname(sheets), exist_ok=True)
    with open(os.path.join(RUNS, f"figures-{name}.txt"), "w") as text:
        run(
            "node",
            os.path.join(ROOT, "bin", "deghost.js"),
            "evaluate",
            *folders,
            "--json",
            out,
            "--pictures",
            sheets,
            "--quiet",
            *options,
            cwd=ROOT,
            stdout=text,
        )
    with open(out) as file:
        return json.load(file)


def evaluated(name):
    """The mean figures of a table of rendered scenes."""
    pool, weights, more = TABLES[name]
    report = evaluate(name, [os.path.join(RUNS, "stacks", pool)], "--weights", f"weights/{weights}.safetensors", *more)
    return {"adapter": report["adapter"], "stacks": len(report["stacks"]), "mean": report["mean"]}


def spread(values, worst=max):
    known = [value for value in values if value is not None]
    return {"mean": sum(known) / len(known), "worst": worst(known)} if known else None


def harm(stacks):
    """Means and worst cases of a report's stacks: what is still over boxes, the rest over stacks."""
    boxes = [box for stack in stacks if stack["harm"]["still"] for box in stack["harm"]["still"]["boxes"]]
    of = lambda name: [stack["harm"][name] for stack in stacks]

    def still(which):
        keys = ("moving", "maps", "difference", "p99", "psnrMu")
        return {
            "boxes": len(which),
            **{key: spread([box[key] for box in which], min if key == "psnrMu" else max) for key in keys},
        }

    return {
        "stacks": len(stacks),
        **{
            name: {
                "cast": spread([p["cast"] and p["cast"]["median"] for p in of(name)]),
                "rainbow": spread([p["rainbow"] for p in of(name)]),
            }
            for name in ("network", "merge", "reference")
        },
        "still": still(boxes),
        "dark": still([box for box in boxes if box["level"] < DARK]),
    }


def photographs(folders):
    """Figures of real stacks, for each weights file and number of frames."""
    groups = {}
    for stack in evaluate("real", folders)["stacks"]:
        groups.setdefault((stack["weights"], len(stack["frames"])), []).append(stack)
    return [
        {"weights": weights.replace(".safetensors", ""), "frames": frames, **harm(groups[weights, frames])}
        for weights, frames in sorted(groups, key=lambda key: key[1])
    ]


def static(folders):
    entries = []
    for weights, frames in STATIC:
        name = f"static-{weights}-{(frames or 'all').replace(',', '')}"
        report = evaluate(
            name,
            folders,
            "--static",
            "--weights",
            f"weights/{weights}.safetensors",
            *(["--frames", frames] if frames else []),
        )
        entries.append({"weights": weights, "frames": frames or "all", **harm(report["stacks"])})
    return entries


def failures(table="fixed", count=3):
    """The stacks in which the network gains least over, or loses most to, the merge with true maps, one sheet below the
    other: ../docs/failures.jpg.
    """
    from PIL import Image

    with open(os.path.join(RUNS, f"figures-{table}.json")) as file:
        stacks = json.load(file)["stacks"]
    gain = lambda stack: stack["rows"]["network"]["psnr"]["mu"] - stack["rows"]["merge, truth"]["psnr"]["mu"]
    worst = sorted(stacks, key=gain)[:count]
    sheets = [Image.open(os.path.join(RUNS, "sheets", table, f"{stack['name']}.png")).convert("RGB") for stack in worst]
    whole = Image.new("RGB", (max(s.width for s in sheets), sum(s.height for s in sheets)))
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    whole.save(os.path.join(ROOT, "docs", "failures.jpg"), quality=88)
    return [{"stack": stack["name"], "gain": gain(stack)} for stack in worst]


def heads(folders):
    """Held-out figures of checkpoints that were trained alike except for the head."""
    out = {}
    for folder in folders:
        path = os.path.join(RUNS, "head.json")
        run(
            sys.executable,
            "evaluate.py",
            "--weights",
            os.path.join(folder, "state.pt"),
            "--held-out",
            os.path.join(RUNS, "held-plain3"),
            "--json",
            path,
            cwd=HERE,
        )
        with open(path) as file:
            result = json.load(file)
        out[result["base"]] = result
    return out


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def evaluation_table(entry):
    lines = [
        "| | PSNR-mu | linear | Reinhard | Krawczyk | Durand | PU21 | mu, moving | mu, still | SSIM-mu | IoU | seen |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in ROWS:
        f = entry["mean"].get(row)
        if f:
            psnr = [f["psnr"][k] for k in ("mu", "linear", "reinhard", "krawczyk", "durand", "pu21")] + [
                f["moving"]["psnr"]["mu"],
                f["still"]["psnr"]["mu"],
            ]
            lines.append(
                "| "
                + " | ".join(
                    [row, *map(number, psnr), number(f["ssim"]["mu"], 4), number(f["iou"], 3), number(f["iouSeen"], 3)]
                )
                + " |"
            )
    return lines


def pair(of, digits, scale=1.0):
    return "-" if of is None else f"{number(scale * of['mean'], digits)} / {number(scale * of['worst'], digits)}"


STILL_COLUMNS = [("moving", 2, 100.0), ("maps", 2, 100.0), ("difference", 2, 1.0), ("p99", 2, 1.0), ("psnrMu", 1, 1.0)]
STILL_HEAD = (
    "called moving, % | maps, % | dE2000 from the plain merge | its 99th percentile | PSNR-mu from the plain merge"
)


def still_cells(of):
    return " | ".join(pair(of[key], digits, scale) for key, digits, scale in STILL_COLUMNS)


def real_table(entries):
    named = [(f"`{e['weights']}`, {e['frames']} frames", e) for e in entries]
    lines = [
        "| | stacks | cast, network | plain merge | reference alone | rainbow pixels, %, network | plain merge |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, e in named:
        lines.append(
            f"| {name} | {e['stacks']} | {pair(e['network']['cast'], 2)} | {pair(e['merge']['cast'], 2)} | "
            f"{pair(e['reference']['cast'], 2)} | {pair(e['network']['rainbow'], 3, 100)} | "
            f"{pair(e['merge']['rainbow'], 3, 100)} |"
        )
    lines += ["", f"| boxes that stand still | boxes | {STILL_HEAD} |", "|---|---|---|---|---|---|---|"]
    for name, e in named:
        for which, label in (("still", "all"), ("dark", "dark")):
            if e[which]["boxes"]:
                lines.append(f"| {name}, {label} | {e[which]['boxes']} | {still_cells(e[which])} |")
    return lines


def static_table(entries):
    lines = [f"| | {STILL_HEAD} | cast | rainbow, % |", "|---|---|---|---|---|---|---|---|"]
    for e in entries:
        name = f"`{e['weights']}`, " + ("all frames" if e["frames"] == "all" else f"frames {e['frames']}")
        lines.append(
            f"| {name} | {still_cells(e['still'])} | {pair(e['network']['cast'], 2)} | "
            f"{pair(e['network']['rainbow'], 3, 100)} |"
        )
    return lines


def failures_table(entry):
    return [
        "![The sheets of the three scenes](../docs/failures.jpg)",
        "",
        "Network against the merge with true maps in PSNR-mu, from above: "
        + ", ".join(f"{e['gain']:+.2f} dB" for e in entry)
        + ".",
    ]


def heads_table(entry):
    lines = ["| base | iterations | PSNR-mu | linear | mu, moving | mu, still |", "|---|---|---|---|---|---|"]
    for base in ("none", "merge"):
        r = entry[base]
        lines.append(
            f"| `{base}` | {r['iterations']} | "
            + " | ".join(number(r["network"][k]) for k in ("mu", "linear", "muMoving", "muStill"))
            + " |"
        )
    r = entry["merge"]["mergeOwnMasks"]
    lines.append(
        "| the merge itself | 0 | " + " | ".join(number(r[k]) for k in ("mu", "linear", "muMoving", "muStill")) + " |"
    )
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--real", nargs="+", default=[], help="folders of real stacks with still.json")
    p.add_argument(
        "--static", nargs="+", default=[], help="folders of real stacks of five frames in which nothing moves"
    )
    p.add_argument("--panoramas", help="folder of HDR panoramas: the held-out scenes are rendered from it")
    p.add_argument(
        "--reuse",
        action="store_true",
        help="keep reports of `deghost evaluate` that are newer than their weights: continues a run that was "
        "interrupted",
    )
    p.add_argument("--heads", nargs="+", default=[], help="two runs of train.py, alike except for --base")
    p.add_argument("--only", help="tables of rendered scenes to make again, e.g. fixed,any-5")
    a = p.parse_args()
    global REUSE
    REUSE = a.reuse
    figures = {}
    if os.path.exists(FIGURES):
        with open(FIGURES) as file:
            figures = json.load(file)
    os.makedirs(RUNS, exist_ok=True)
    if a.real:
        figures["real"] = photographs([os.path.abspath(folder) for folder in a.real])
    if a.static:
        figures["static"] = static([os.path.abspath(folder) for folder in a.static])
    if a.panoramas:
        render(a.panoramas)
        for name in a.only.split(",") if a.only else TABLES:
            figures[name] = evaluated(name)
        figures["failures"] = failures()
    if a.heads:
        figures["heads"] = heads([os.path.abspath(h) for h in a.heads])
    with open(FIGURES, "w") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    with open(CARD) as file:
        card = file.read()
    for name, entry in figures.items():
        table = {"real": real_table, "static": static_table, "heads": heads_table, "failures": failures_table}.get(
            name, evaluation_table
        )(entry)
        card, count = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + "\n".join(table) + "\n" + m[2], card, flags=re.S
        )
        if count != 1:
            raise SystemExit(f"{CARD} has {count} places <!-- {name} --> ... <!-- end -->, one is needed")
    with open(CARD, "w") as file:
        file.write(card)


if __name__ == "__main__":
    main()
