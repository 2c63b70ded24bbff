"""Is another reference than the middle frame any good? Held-out scenes through the engine, each against the truth of the moment that it is asked to show.

    python3 references.py --panoramas DIR [--scenes 24] [--out runs/references] [--only plain3,camera5]      # 20 minutes on two cores with lavapipe; needs `npm run build`

Renders held-out scenes, writes each once for every reference (`stacks.py --reference`), runs `deghost evaluate --reference` with `fixed` (three frames) and `any`, and prints, in dB of
PSNR-mu, mean over the scenes: for every reference both weights; and `--reference auto` against the middle frame, over all scenes and over those in which it takes another (`chooseReferences.ts`).
JSON of all of it goes to OUT/references.json.
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
POOLS = {  # name: frames, seed, further options of `data`, the response
    "plain3": (3, 95, ["--plain", "4"], "gamma"),
    "camera3": (3, 96, [], "auto"),
    "plain5": (5, 97, ["--plain", "2"], "gamma"),
    "camera5": (5, 98, [], "auto"),
}


def run(*command, **options):
    print("+", " ".join(command), file=sys.stderr, flush=True)
    return subprocess.run(command, check=True, **options)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else float("nan")


def evaluated(folder, weights, reference, response, out):
    """PSNR-mu of every scene: whole, moving, still."""
    if not os.path.exists(out):
        run("npx", "deghost", "evaluate", folder, "--weights", os.path.join(ROOT, "weights", f"{weights}.safetensors"), "--reference", str(reference + 1), "--response", response, "--truth-scale", "1" if response == "gamma" else "fit", "--json", out, "--quiet", cwd=ROOT, stdout=subprocess.DEVNULL)
    with open(out) as file:
        stacks = json.load(file)["stacks"]
    rows = {s["name"]: s["rows"]["network"] for s in stacks}
    return {name: [f["psnr"]["mu"], f["moving"]["psnr"]["mu"], f["still"]["psnr"]["mu"]] for name, f in rows.items()}


def measure(name, a):
    frames, seed, more, response = POOLS[name]
    base = os.path.join(a.out, name)
    run(sys.executable, "-m", "data", "--panoramas", a.panoramas, "--out", os.path.join(base, "pool"), "--scenes", str(a.scenes), "--frames", str(frames), "--seed", str(seed), "--held-out", "--chunk", "64", *more, cwd=HERE, stdout=sys.stderr)
    figures = {}
    for r in range(frames):
        folder = os.path.join(base, f"stacks-{r}")
        run(sys.executable, "stacks.py", "--pool", os.path.join(base, "pool"), "--out", folder, "--stacks", str(a.scenes), "--reference", str(r), cwd=HERE)
        for weights in ("fixed", "any") if frames == 3 else ("any",):
            figures[weights, r] = evaluated(folder, weights, r, response, os.path.join(base, f"{weights}-{r}.json"))
    chosen = json.loads(run("npx", "tsx", os.path.join(HERE, "chooseReferences.ts"), folder, stdout=subprocess.PIPE).stdout)
    middle = (frames - 1) // 2
    default = "fixed" if frames == 3 else "any"
    table = {weights: {str(r + 1): mean(row[0] for row in figures[weights, r].values()) for r in range(frames)} for weights in dict.fromkeys(w for w, _ in figures)}
    moving = {weights: {str(r + 1): mean(row[1] for row in figures[weights, r].values() if row[1] is not None) for r in range(frames)} for weights in table}
    best = lambda r: default if r == middle else max(table, key=lambda weights: table[weights][str(r + 1)])
    other = [s for s, c in chosen.items() if c["reference"] != middle]
    auto = {s: figures[best(c["reference"]), c["reference"]][s] for s, c in chosen.items()}
    kept = figures[default, middle]
    gain = lambda scenes, i: mean(auto[s][i] - kept[s][i] for s in scenes if auto[s][i] is not None and kept[s][i] is not None)
    return {
        "scenes": len(chosen),
        "psnrMu": table,
        "psnrMuMoving": moving,
        "auto": {
            "taken": {str(r + 1): sum(c["reference"] == r for c in chosen.values()) for r in range(frames)},
            "middle": mean(row[0] for row in kept.values()),
            "auto": mean(row[0] for row in auto.values()),
            "gain": gain(chosen, 0),
            "gainMoving": gain(chosen, 1),
            "gainWhereOther": gain(other, 0),
            "worseScenes": sum(auto[s][0] < kept[s][0] for s in other),
        },
        "chosen": chosen,
    }


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--panoramas", required=True)
    p.add_argument("--scenes", type=int, default=24)
    p.add_argument("--out", default=os.path.join(HERE, "runs", "references"))
    p.add_argument("--only", default=",".join(POOLS))
    a = p.parse_args()
    a.out = os.path.abspath(a.out)
    os.makedirs(a.out, exist_ok=True)
    results = {}
    for name in a.only.split(","):
        it = results[name] = measure(name, a)
        print(f"{name}, {it['scenes']} scenes, PSNR-mu (inside motion)")
        for weights, row in it["psnrMu"].items():
            print(f"  {weights:6}" + "".join(f"  reference {r}: {value:.2f} ({it['psnrMuMoving'][weights][r]:.2f})" for r, value in row.items()))
        auto = it["auto"]
        print(f"  auto takes {', '.join(f'{r}: {count}' for r, count in auto['taken'].items())}; {auto['auto']:.2f} against {auto['middle']:.2f} of the middle frame: {auto['gain']:+.2f} ({auto['gainMoving']:+.2f}); where it takes another {auto['gainWhereOther']:+.2f}, worse in {auto['worseScenes']}", flush=True)
        with open(os.path.join(a.out, "references.json"), "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
