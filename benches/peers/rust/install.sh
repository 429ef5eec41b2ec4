#!/usr/bin/env bash
# install.sh [TARGET]: builds the Rust peers, each of the versions in its Cargo.lock, where
# compare.sh finds them: TARGET/NAME/release/peer-NAME, TARGET being `peers` in Cargo's target
# folder where none is given.
set -euo pipefail
cd "$(dirname "$0")"
if [ -n "${1:-}" ]; then
  mkdir -p "$1" && target=$(cd "$1" && pwd)
else
  target=$(cargo metadata --no-deps --format-version 1 --manifest-path ../../Cargo.toml |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/peers
fi

build() {
  local name=$1
  shift
  (cd "$name" && CARGO_TARGET_DIR=$target/$name cargo build --release --locked "$@")
  echo "$target/$name/release/peer-$name"
}

build burn
# Burn chooses instructions at run time; the others do so in products alone.
export RUSTFLAGS="-C target-cpu=native"
build candle --features avx512
build dfdx
