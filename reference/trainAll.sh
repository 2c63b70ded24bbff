#!/bin/sh
# Renders the stacks, trains both variants on from the weights that ship, and ships what comes out. Run it again after
# an interruption: what is done is skipped, the rest resumes from its checkpoint. Two lanes run side by side, a thread
# each: two hours on two cores that had other work as well. The weights that ship came from it, with the seeds and
# numbers below; its last steps, the average and the export, were run by hand. (How the first weights were trained from
# random numbers is in this file's history; `--init` left out starts so.)
#   PANORAMAS=folder-of-hdr reference/trainAll.sh
cd "$(dirname "$0")" || exit 1
: "${PANORAMAS:?set PANORAMAS to a folder of .hdr panoramas}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY=passive
PY="nice -n 5 ${PYTHON:-python3}"
GATE='{"codes": 2, "relative": 0.06, "low": 0.004, "high": 0.02}' # chosen with chooseGate.py
mkdir -p runs/before
for variant in fixed any; do
  [ -e runs/before/$variant.safetensors ] || cp ../weights/$variant.safetensors runs/before/
done

pool() { $PY -m data --panoramas "$PANORAMAS" --out "runs/$@" || exit 1; }
# variant NAME FRAMES STEP SEED SCENES-OF-THE-FULL-CAMERA MILD-SCENES HELD-OUT ITERATIONS-OF-S ITERATIONS-OF-THE-REST
# RATE SHARE: renders its stacks, trains S alone, then everything else on its maps, gated.
variant() {
  pool "hard$2" --scenes "$5" --frames "$2" --seed "$4"
  pool "plain$2" --scenes "$6" --frames "$2" --seed "$(($4 + 1))" --plain "$3"
  pool "held-plain$2" --scenes "$7" --frames "$2" --seed "$((88 + $2))" --held-out --plain "$3" --chunk 64
  POOLS="--variant $1 --pool runs/hard$2 runs/plain$2 --held-out runs/held-plain$2"
  $PY train.py $POOLS --run "runs/$1-s" --init "runs/before/$1.safetensors" \
    --s-iterations "$8" --joint-iterations 0 --s-rate 5e-4 || exit 1
  $PY train.py $POOLS --run "runs/$1" --init "runs/before/$1.safetensors" "runs/$1-s/state.pt:seg." \
    --s-iterations 0 --joint-iterations "$9" --freeze-s --rate "${10}" --gate "$GATE" || exit 1
  # A share of what was learnt now, the rest of what was learnt before (README.md says how the shares were chosen).
  $PY average.py --of "runs/before/$1.safetensors" "runs/$1/state.pt" --share "${11}" \
    --out "runs/$1-mean/state.pt" || exit 1
  $PY export.py --state "runs/$1-mean/state.pt" --out "../weights/$1.safetensors" --half \
    --held-out "runs/held-plain$2" || exit 1
}

variant fixed 3 4 13 2048 1024 24 3000 3000 4e-4 0.25 &
variant any 5 2 23 1024 768 16 1200 2400 5e-4 0.4 &
wait
$PY curves.py --run runs/fixed-s runs/fixed --out ../docs/training.png
