#!/usr/bin/env bash
# dciodvfy over the DICOM objects that we write: not an error, and not a warning either.
set -euo pipefail
cd "$(dirname "$0")/.."
samples=.cache/synth-dicom
rm -rf "$samples"
cargo run --quiet --locked --package precordia-synth --example synth_dicom -- "$samples"
passed=0
failed=0
for file in "$samples"/*.dcm; do
  said=$(dciodvfy -new "$file" 2>&1) && verdict=0 || verdict=1
  if [ "$verdict" = 0 ] && ! grep -qE '^(Error|Warning)' <<<"$said"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '%s\n%s\n' "$file" "$said"
  fi
done
echo "dciodvfy: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
