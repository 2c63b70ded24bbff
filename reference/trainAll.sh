#!/bin/sh
# Renders the stacks and trains both variants on one thread, then ships them to ../weights. Run it again after an interruption:
# every step that is done is skipped, every other resumes from its checkpoint.
#   PANORAMAS=folder-of-hdr reference/trainAll.sh      (about two hours with the minutes below; MINUTES_* are environment variables)
cd "$(dirname "$0")" || exit 1
: "${PANORAMAS:?set PANORAMAS to a folder of .hdr panoramas}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY=passive
PY="nice -n 5 python3"
pool() { $PY data.py --panoramas "$PANORAMAS" --out "runs/$@" || exit 1; }
pool pool-fixed --scenes 5120 --frames 3 --size 128 --seed 11
pool pool-any --scenes 2048 --frames 5 --size 96 --seed 21
pool pool-held --scenes 24 --frames 3 --seed 91 --held-out --plain --chunk 64
pool pool-held-any --scenes 16 --frames 5 --size 128 --seed 92 --held-out --chunk 64
$PY train.py --variant fixed --pool runs/pool-fixed --held-out runs/pool-held --run runs/fixed \
  --s-minutes "${MINUTES_S:-13}" --joint-minutes "${MINUTES_FIXED:-40}" || exit 1
$PY train.py --variant fixed --pool runs/pool-fixed --held-out runs/pool-held --run runs/fixed-large --init runs/fixed/state.pt \
  --s-minutes "${MINUTES_LARGE:-19}" --only-s --s-batch 4 --s-rate 5e-4 --patch 128 --zoom 3 --seed 7 || exit 1
$PY export.py --state runs/fixed-large/state.pt --out ../weights/fixed.safetensors --half --held-out runs/pool-held --stacks 24 || exit 1
$PY train.py --variant any --pool runs/pool-any --held-out runs/pool-held-any --run runs/any-s --init runs/fixed/state.pt \
  --s-minutes "${MINUTES_ANY_S:-7}" --only-s --seed 2 || exit 1
$PY train.py --variant any --pool runs/pool-any --held-out runs/pool-held-any --run runs/any --init runs/fixed/state.pt runs/any-s/state.pt:seg. \
  --s-minutes 0 --joint-minutes "${MINUTES_ANY:-50}" --seed 3 || exit 1
$PY export.py --state runs/any/state.pt --out ../weights/any.safetensors --half --held-out runs/pool-held-any
