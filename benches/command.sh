#!/usr/bin/env bash
# command.sh: builds `cornu` as it is handed out, and prints its size and how long it takes to start:
# the median of 50 runs of `cornu --version`, each with the shell's fork and wait. Fails where the
# command isn't under 8,000,000 bytes; times are only printed, since a busy machine has others.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C # for a point in EPOCHREALTIME

cargo build --quiet --profile dist -p cornu-cli
target=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
command=$target/dist/cornu

size=$(wc -c < "$command")
printf 'size   %d bytes\n' "$size"
for _ in {1..50}; do
  before=${EPOCHREALTIME/./}
  "$command" --version > /dev/null
  echo $((${EPOCHREALTIME/./} - before))
done | sort -n | awk '{ us[NR] = $1 } END { printf "start  %.1f ms\n", (us[25] + us[26]) / 2000 }'

if ((size >= 8000000)); then
  echo "command.sh: the command must be under 8000000 bytes; got $size" >&2
  exit 1
fi
