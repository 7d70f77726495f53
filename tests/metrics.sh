#!/usr/bin/env bash
# promtool over the metrics of a running server; run by scripts/with-demo.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
promtool=$(command -v promtool || echo .cache/tools/promtool)
text=$(curl --fail --silent --show-error "$PRECORDIA_URL/metrics")
printf '%s\n' "$text" | "$promtool" check metrics
# An empty answer would be clean too.
printf '%s\n' "$text" | grep -q '^precordia_' || { echo "error: no metric of ours is there" >&2; exit 1; }
