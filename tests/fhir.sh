#!/usr/bin/env bash
# Two independent validators over the FHIR resources that we write; with `hapi`, the one behind HL7's own.
set -euo pipefail
cd "$(dirname "$0")/.."
judge=tests/peers/fhir-validate
samples=.cache/fhir-samples
mkdir -p .cache
maven() { mvn --batch-mode --quiet -Dstyle.color=never --file "$judge/hapi" "$@"; }

if [ "${1:-}" = hapi ]; then
  if ! command -v mvn >/dev/null; then
    echo "SKIPPED: no Maven here, so HAPI did not judge our FHIR resources (apt-get install maven)"
    exit 0
  fi
  if ! maven dependency:resolve >.cache/hapi.log 2>&1; then
    tail -n 5 .cache/hapi.log
    echo "SKIPPED: Maven Central did not give HAPI, so HAPI did not judge our FHIR resources"
    exit 0
  fi
fi
rm -rf "$samples"
cargo run --quiet --locked --package precordia-interop --example fhir_samples -- "$samples"
case "${1:-}" in
  hapi)
    maven compile exec:java -Dexec.args="$PWD/$samples"
    maven exec:java -Dexec.args="--expect-bad $PWD/$judge/known-bad.ndjson"
    ;;
  *)
    node "$judge/validate.cjs" "$samples"
    node "$judge/validate.cjs" --expect-bad "$judge/known-bad.ndjson"
    ;;
esac
