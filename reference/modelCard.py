"""Makes the figures of the model card again: held-out scenes through the engine, false motion on static stacks, both heads.

    python3 modelCard.py --panoramas DIR [--static DIR...] [--heads runs/head-none runs/head-merge]      # a quarter of an hour on lavapipe

Renders the held-out scenes, writes them as folders, runs `deghost evaluate` on them (needs `npm ci`, and `npm run build` after a change of src), and writes ../weights/figures.json and the
tables between the markers of ../weights/README.md. What is not given (--static, --heads) keeps the figures that are there.
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
ROWS = ["network", "reference", "merge", "merge, difference", "merge, S", "merge, truth"]


def run(*command, **options):
    print("+", " ".join(command), flush=True)
    return subprocess.run(command, check=True, **options)


def render(panoramas):
    for name, (scenes, frames, seed, more) in POOLS.items():
        pool = os.path.join(RUNS, name)
        run(sys.executable, "-m", "data", "--panoramas", panoramas, "--out", pool, "--scenes", str(scenes), "--frames", str(frames), "--seed", str(seed), "--held-out", "--chunk", "64", *more, cwd=HERE)
        run(sys.executable, "stacks.py", "--pool", pool, "--out", os.path.join(RUNS, "stacks", name), "--stacks", str(scenes), cwd=HERE)


def evaluated(name):
    """The mean figures of a table."""
    pool, weights, more = TABLES[name]
    out = os.path.join(RUNS, f"figures-{name}.json")
    sheets = os.path.join(RUNS, "sheets", name)
    os.makedirs(os.path.dirname(sheets), exist_ok=True)
    with open(os.path.join(RUNS, f"figures-{name}.txt"), "w") as text:
        run("npx", "deghost", "evaluate", os.path.join(RUNS, "stacks", pool), "--weights", f"weights/{weights}.safetensors", "--json", out, "--pictures", sheets, "--quiet", *more, cwd=ROOT, stdout=text)
    with open(out) as file:
        report = json.load(file)
    return {"adapter": report["adapter"], "stacks": len(report["stacks"]), "mean": report["mean"]}


def failures(table="fixed", count=3):
    """The stacks in which the network is least better, or most worse, than the merge with true maps, one sheet below the other: ../docs/failures.jpg."""
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


def false_motion(weights, frames, stacks):
    out = os.path.join(RUNS, "static.json")
    run(sys.executable, os.path.join(HERE, "falseMotion.py"), "--weights", os.path.join(ROOT, "weights", f"{weights}.safetensors"), *(["--frames", frames] if frames else []), "--json", out, *stacks)
    with open(out) as file:
        return json.load(file)


def heads(folders):
    """Held-out figures of checkpoints that were trained alike but for the head."""
    out = {}
    for folder in folders:
        path = os.path.join(RUNS, "head.json")
        run(sys.executable, "evaluate.py", "--weights", os.path.join(folder, "state.pt"), "--held-out", os.path.join(RUNS, "held-plain3"), "--json", path, cwd=HERE)
        with open(path) as file:
            result = json.load(file)
        out[result["base"]] = result
    return out


def number(value, digits=2):
    return "-" if value is None else f"{value:.{digits}f}"


def evaluation_table(entry):
    lines = ["| | PSNR-mu | linear | Reinhard | Krawczyk | Durand | PU21 | mu, moving | mu, still | SSIM-mu | IoU | seen |", "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in ROWS:
        f = entry["mean"].get(row)
        if f:
            psnr = [f["psnr"][k] for k in ("mu", "linear", "reinhard", "krawczyk", "durand", "pu21")] + [f["moving"]["psnr"]["mu"], f["still"]["psnr"]["mu"]]
            lines.append("| " + " | ".join([row, *map(number, psnr), number(f["ssim"]["mu"], 4), number(f["iou"], 3), number(f["iouSeen"], 3)]) + " |")
    return lines


def static_table(entries):
    lines = ["| | maps, mean of the stacks | worst stack | network against plain merge, PSNR-mu | lowest |", "|---|---|---|---|---|"]
    for e in entries:
        name = f"`{e['weights']}`, " + ("all five frames" if e["frames"] == "all" else f"frames {e['frames']}")
        lines.append(f"| {name} | {100 * e['mean']:.2f} % | {100 * e['worst']:.2f} % | {e['psnrMu']:.1f} | {e['lowestPsnrMu']:.1f} |")
    return lines


def failures_table(entry):
    return ["![The sheets of the three scenes](../docs/failures.jpg)", "", "Network against the merge with true maps in PSNR-mu, from above: " + ", ".join(f"{e['gain']:+.2f} dB" for e in entry) + "."]


def heads_table(entry):
    lines = ["| base | iterations | PSNR-mu | linear | mu, moving | mu, still |", "|---|---|---|---|---|---|"]
    for base in ("none", "merge"):
        r = entry[base]
        lines.append(f"| `{base}` | {r['iterations']} | " + " | ".join(number(r["network"][k]) for k in ("mu", "linear", "muMoving", "muStill")) + " |")
    r = entry["merge"]["mergeOwnMasks"]
    lines.append("| the merge itself | 0 | " + " | ".join(number(r[k]) for k in ("mu", "linear", "muMoving", "muStill")) + " |")
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panoramas", required=True)
    p.add_argument("--static", nargs="+", default=[], help="folders of real stacks of five frames in which nothing moves, see falseMotion.py")
    p.add_argument("--heads", nargs="+", default=[], help="two runs of train.py, alike but for --base")
    p.add_argument("--only", help="tables to make again, e.g. fixed,any-5")
    a = p.parse_args()
    figures = {}
    if os.path.exists(FIGURES):
        with open(FIGURES) as file:
            figures = json.load(file)
    render(a.panoramas)
    for name in a.only.split(",") if a.only else TABLES:
        figures[name] = evaluated(name)
    figures["failures"] = failures()
    if a.static:
        stacks = [os.path.abspath(s) for s in a.static]
        figures["static"] = [{"weights": w, **false_motion(w, f, stacks)} for w, f in (("fixed", "1,2,3"), ("fixed", "2,3,4"), ("fixed", "3,4,5"), ("any", "2,3,4"), ("any", None))]
        for entry in figures["static"]:
            del entry["stacks"]  # names of pictures that are not ours to publish say nothing to the reader
    if a.heads:
        figures["heads"] = heads([os.path.abspath(h) for h in a.heads])
    with open(FIGURES, "w") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")
    with open(CARD) as file:
        card = file.read()
    for name, entry in figures.items():
        table = {"static": static_table, "heads": heads_table, "failures": failures_table}.get(name, evaluation_table)(entry)
        card, count = re.subn(rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda m: m[1] + "\n".join(table) + "\n" + m[2], card, flags=re.S)
        if count != 1:
            raise SystemExit(f"{CARD} has {count} places <!-- {name} --> ... <!-- end -->, one is needed")
    with open(CARD, "w") as file:
        file.write(card)


if __name__ == "__main__":
    main()
