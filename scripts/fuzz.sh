#!/usr/bin/env bash
# Every fuzz target for FUZZ_SECONDS (60), two at a time, from its corpus on. Needs a C++ compiler, which
# builds libFuzzer, and no nightly: coverage is a matter of the code generator. Readers are safe Rust, so no
# sanitizer of memory is needed; overflow is checked.
#
# usage: scripts/fuzz.sh [TARGET...]
# What breaks a target stands in .cache/fuzz; it belongs into fuzz/corpus, which every `cargo test` runs.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-60}
if ! command -v c++ >/dev/null; then
  echo "SKIPPED: no C++ compiler, which libFuzzer needs"
  exit 0
fi
host=$(rustc -vV | awk '/^host: / { print $2 }')
built=$PWD/.cache/fuzz/target
mkdir -p .cache/fuzz
coverage="--cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks -Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  coverage+=" -Cllvm-args=-sanitizer-coverage-$option"
done
# With a target of its own, build scripts are not instrumented.
RUSTFLAGS=$coverage CARGO_TARGET_DIR=$built \
  cargo build --quiet --locked --release --target "$host" --manifest-path fuzz/Cargo.toml

if [ $# -gt 0 ]; then targets=("$@"); else
  targets=()
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

fuzz() {
  local target=$1 work=.cache/fuzz/$1
  mkdir -p "$work"
  # Grown by the run; the corpus itself is changed by people.
  cp -n "fuzz/corpus/$target/"* "$work/" 2>/dev/null || true
  if "$built/$host/release/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=65536 -artifact_prefix=".cache/fuzz/found-$target-" "$work" >".cache/fuzz/$target.log" 2>&1; then
    echo "$target: $(grep -o 'Done [0-9]* runs' ".cache/fuzz/$target.log")"
  else
    echo "$target: broken"
    tail -n 20 ".cache/fuzz/$target.log"
    return 1
  fi
}
export -f fuzz
export seconds built host
outcome=$(mktemp)
trap 'rm -f "$outcome"' EXIT
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'fuzz {}' | tee "$outcome" || true
failed=$(grep -c ': broken$' "$outcome" || true)
echo "$((${#targets[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
