#!/bin/sh
# Renders the stacks, trains both variants and both heads, and ships the weights to ../weights. Run it again after an interruption: what is
# done is skipped, the rest resumes from its checkpoint. Two lanes run side by side, a thread each: some four hours on two cores.
#   PANORAMAS=folder-of-hdr reference/trainAll.sh
cd "$(dirname "$0")" || exit 1
: "${PANORAMAS:?set PANORAMAS to a folder of .hdr panoramas}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY=passive
PY="nice -n 5 ${PYTHON:-python3}"

pool() { $PY -m data --panoramas "$PANORAMAS" --out "runs/$@" || exit 1; }
train() { $PY train.py "$@" || exit 1; }
FIXED="--variant fixed --pool runs/hard3 runs/plain3 runs/plain3 --held-out runs/held-plain3"
ANY="--variant any --pool runs/hard5 runs/plain5 runs/plain5 --held-out runs/held-plain5"

pool hard3 --scenes 3072 --frames 3 --seed 11
pool plain3 --scenes 2048 --frames 3 --seed 12 --plain 4
pool hard5 --scenes 2048 --frames 5 --seed 21
pool plain5 --scenes 1024 --frames 5 --seed 22 --plain 2
pool held-plain3 --scenes 32 --frames 3 --seed 91 --held-out --plain 4 --chunk 64
pool held-plain5 --scenes 24 --frames 5 --seed 93 --held-out --plain 2 --chunk 64

# S of `fixed`; then, side by side, the rest of `fixed` on its masks, and S of `any`, both heads and the rest of `any`.
train $FIXED --run runs/fixed-s --s-iterations 9000 --joint-iterations 0
(
  train $FIXED --run runs/fixed-frozen --init runs/fixed-s/state.pt:seg. --s-iterations 0 --joint-iterations 3600 --freeze-s
) &
(
  train $ANY --run runs/any-s --init runs/fixed-s/state.pt:seg. --s-iterations 2800 --joint-iterations 0
  for base in none merge; do
    train $FIXED --run runs/head-$base --base $base --init runs/fixed-s/state.pt:seg. --s-iterations 0 --joint-iterations 400 --freeze-s
  done
) &
wait
