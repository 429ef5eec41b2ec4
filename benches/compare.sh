#!/usr/bin/env bash
# compare.sh [SECONDS] [ROUNDS]: cornu and every peer that is installed do the same work, one after
# the other and round after round, and the table of ratios goes to RESULTS.md beside this file.
#
# Where peers are, by environment variables; one that is empty or missing is left out:
#   PEERS_PYTHON    a Python that has some of torch, jax, keras, tensorflow
#   PEERS_RUST      the folder where peers/rust/install.sh put Burn, candle and dfdx, if it was told one
# Besides:
#   WORKLOADS="mlp cnn"       only these
#   FRAMEWORKS="torch jax"    only these beside cornu
#   LINES=file      keeps the lines of JSON; without it they go to a temporary file
#   RESULTS=file    in place of RESULTS.md
#   LIMIT=600       seconds after which a run is given up
# README.md tells how to install them. Measure on a machine that does nothing else.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-3} rounds=${2:-3}
python=${PEERS_PYTHON:-} lines=${LINES:-$(mktemp)} results=${RESULTS:-RESULTS.md}
workloads=${WORKLOADS:-xor mlp cnn resnet20 bilstm minigpt infer1-mlp infer1-cnn infer256-cnn}

cargo build --profile bench --quiet -p cornu-benches --example workloads
cargo bench --quiet -p cornu-benches --bench kernels --no-run
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')

# Two threads for everybody.
export OMP_NUM_THREADS=2 MKL_NUM_THREADS=2 RAYON_NUM_THREADS=2 TF_NUM_INTRAOP_THREADS=2
export MATMUL_NUM_THREADS=2 TF_NUM_INTEROP_THREADS=2 TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu CUDA_VISIBLE_DEVICES=
export PYTHONDONTWRITEBYTECODE=1
unset KERAS_BACKEND OMP_WAIT_POLICY XLA_FLAGS

has() { [ -n "$python" ] && "$python" -c "import importlib.util as u, sys; sys.exit(any(u.find_spec(m) is None for m in sys.argv[1:]))" "$@"; }

declare -A command
command[cornu]="$target/release/examples/workloads"
if has torch; then
  command[torch]="$python peers/python/peer_torch.py"
  command[torch-compiled]="$python peers/python/peer_torch.py --compile"
fi
if has jax; then command[jax]="$python peers/python/peer_jax.py"; fi
if has keras tensorflow; then
  command[keras-tensorflow]="env KERAS_BACKEND=tensorflow $python peers/python/peer_keras.py"
fi
if has keras jax; then command[keras-jax]="env KERAS_BACKEND=jax $python peers/python/peer_keras.py"; fi
for peer in burn candle dfdx; do
  program=${PEERS_RUST:-$target/peers}/$peer/release/peer-$peer
  if [ -x "$program" ]; then command[$peer]=$program; fi
done

order="cornu"
for peer in ${FRAMEWORKS:-torch torch-compiled jax keras-tensorflow keras-jax burn candle dfdx}; do
  if [ -n "${command[$peer]:-}" ]; then order="$order $peer"; else echo "$peer isn't there" >&2; fi
done
for round in $(seq "$rounds"); do
  for workload in $workloads; do
    for framework in $order; do
      # shellcheck disable=SC2086  # a command with its arguments
      line=$(timeout "${LIMIT:-600}" ${command[$framework]} "$workload" --seconds "$seconds" \
        2>"$lines.log" | grep '^{' | tail -1) || line=
      if [ -n "$line" ]; then echo "{\"round\": $round, ${line#\{}" >>"$lines"; fi
      echo "round $round $workload $framework: ${line:-failed, $(tail -1 "$lines.log")}" >&2
    done
  done
done
cargo bench --quiet -p cornu-benches --bench kernels 2>/dev/null >"$lines.kernels"
"${python:-python3}" table.py "$lines" "$lines.kernels" "$seconds" "$rounds" >"$results"
echo "$results" >&2
