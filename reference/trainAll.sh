#!/bin/sh
# Renders the stacks, trains both variants and both heads, and ships the weights to ../weights. Run it again after an interruption: what is
# done is skipped, the rest resumes from its checkpoint. Two lanes run side by side, a thread each: some seven hours on two cores, by the rates of its steps.
#   PANORAMAS=folder-of-hdr reference/trainAll.sh
cd "$(dirname "$0")" || exit 1
: "${PANORAMAS:?set PANORAMAS to a folder of .hdr panoramas}"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY=passive
PY="nice -n 5 ${PYTHON:-python3}"

pool() { $PY -m data --panoramas "$PANORAMAS" --out "runs/$@" || exit 1; }
train() { $PY train.py "$@" || exit 1; }
middle() { [ -e "$3/state.pt" ] || $PY average.py --of "$1/state.pt" "$2/state.pt" --out "$3/state.pt" || exit 1; }
FIXED="--variant fixed --pool runs/hard3 runs/plain3 runs/plain3 --held-out runs/held-plain3"
ANY="--variant any --pool runs/hard5 runs/plain5 runs/plain5 --held-out runs/held-plain5"

pool hard3 --scenes 3072 --frames 3 --seed 11
pool plain3 --scenes 2048 --frames 3 --seed 12 --plain 4
pool hard5 --scenes 2048 --frames 5 --seed 21
pool plain5 --scenes 1024 --frames 5 --seed 22 --plain 2
pool held-plain3 --scenes 32 --frames 3 --seed 91 --held-out --plain 4 --chunk 64
pool held-plain5 --scenes 24 --frames 5 --seed 93 --held-out --plain 2 --chunk 64

# S of `fixed` in two runs, and the weights halfway between their ends. Then, side by side: the rest of `fixed` on its masks, mild cameras first, everything
# together, and the rest on those masks again; and S of `any`, and both heads. Then `any` alike.
train $FIXED --run runs/fixed-s --s-iterations 9000 --joint-iterations 0
train $FIXED --run runs/fixed-s2 --init runs/fixed-s/state.pt --s-iterations 8000 --joint-iterations 0
middle runs/fixed-s runs/fixed-s2 runs/fixed-middle
(
  REST="--run runs/fixed-rest --init runs/fixed-middle/state.pt:seg. --s-iterations 0 --joint-iterations 6000 --freeze-s"
  # --stop-after counts the iterations of one call; a call that resumes goes on with the pools that it is given
  [ -e runs/fixed-rest/state.pt ] || train --variant fixed --pool runs/plain3 --held-out runs/held-plain3 $REST --stop-after 1200
  train $FIXED $REST
  train $FIXED --run runs/fixed-both --init runs/fixed-rest/state.pt --s-iterations 0 --joint-iterations 800 --rate 2e-4
  train $FIXED --run runs/fixed --init runs/fixed-both/state.pt runs/fixed-middle/state.pt:seg. --s-iterations 0 --joint-iterations 250 --freeze-s --rate 1e-4
) &
(
  train $ANY --run runs/any-s --init runs/fixed-middle/state.pt:seg. --s-iterations 5000 --joint-iterations 0
  for base in none merge; do
    train --variant fixed --pool runs/plain3 --held-out runs/held-plain3 --run runs/head-$base --base $base --init runs/fixed-middle/state.pt:seg. --s-iterations 0 --joint-iterations 600 --freeze-s
  done
) &
wait
train $ANY --run runs/any-rest --init runs/fixed/state.pt runs/any-s/state.pt:seg. --s-iterations 0 --joint-iterations 3500 --freeze-s --rate 6e-4
train $ANY --run runs/any-both --init runs/any-rest/state.pt --s-iterations 0 --joint-iterations 1300 --rate 3e-4
middle runs/any-s runs/any-both runs/any-middle
train $ANY --run runs/any --init runs/any-both/state.pt runs/any-middle/state.pt:seg. --s-iterations 0 --joint-iterations 420 --freeze-s --rate 2.5e-4
for variant in fixed any; do
  frames=3; [ $variant = any ] && frames=5
  $PY export.py --state runs/$variant/state.pt --out ../weights/$variant.safetensors --half --held-out runs/held-plain$frames || exit 1
done
$PY curves.py --run runs/fixed-s runs/fixed-s2 runs/fixed-rest runs/fixed-both runs/fixed --out ../docs/training.png
