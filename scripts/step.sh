#!/usr/bin/env bash
# step.sh NAME COMMAND…: runs one step of the suite, shows its output, and says what passed and failed.
#
# Steps that count their own cases (cargo test, vitest, node --test, "N passed, N failed") are believed;
# any other step is one case, or none when it says SKIPPED. With PRECORDIA_TALLY set to a file, the counts are added there.
set -uo pipefail
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
SECONDS=0
printf '== %s\n' "$name"
# Colors and links of terminals are taken out: some tools send them into pipes, and they hide the counts.
escape=$(printf '\033')
NO_COLOR=1 "$@" 2>&1 | sed -u "s/$escape\[[0-9;]*m//g; s/$escape\]8;;[^$escape]*$escape\\\\//g" | tee "$log"
code=${PIPESTATUS[0]}

read -r passed failed < <(awk '
  function before(word,  i) { for (i = 2; i <= NF; i++) if ($i ~ "^" word) return $(i - 1) + 0; return 0 }
  /^test result: /                 { passed += before("passed"); failed += before("failed"); next }
  /^ *Tests  .*(passed|failed)/    { passed += before("passed"); failed += before("failed"); next }
  /^(#|ℹ) pass [0-9]+$/            { passed += $3; next }
  /^(#|ℹ) fail [0-9]+$/            { failed += $3; next }
  # The FHIR judges: "50 resources, 0 with errors".
  /^[0-9]+ resources, [0-9]+ with(out)? errors$/ { passed += $1 - $3; failed += $3; next }
  /(^|: )[0-9]+ passed, [0-9]+ failed$/ { passed += before("passed"); failed += before("failed") }
  END { print passed + 0, failed + 0 }' "$log")

if [ "$((passed + failed))" -eq 0 ] && [ "$code" -eq 0 ]; then
  # A step that could not be had here is no success.
  grep -q '^SKIPPED' "$log" || passed=1
fi
# A step that ended badly has failed, whatever it counted.
[ "$code" -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
[ -z "${PRECORDIA_TALLY:-}" ] || printf '%s %d %d\n' "$name" "$passed" "$failed" >>"$PRECORDIA_TALLY"
printf '== %s: %d passed, %d failed in %d s\n' "$name" "$passed" "$failed" "$SECONDS"
exit "$code"
