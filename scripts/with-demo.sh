#!/usr/bin/env bash
# with-demo.sh COMMAND…: runs a command against a fresh `precordia demo` on a free port.
#
# The command finds the address in PRECORDIA_URL. The server and its data are gone afterwards; when the
# command fails, the end of the server's log is shown.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${PRECORDIA_BIN:-${CARGO_TARGET_DIR:-target}/release/precordia}
start_s_max=30
[ -x "$binary" ] || { echo "error: no \`$binary\`; run \`make build\` first" >&2; exit 1; }
folder=$(mktemp -d)
server=

stop() {
  status=$?
  if [ -n "$server" ] && ! kill -TERM "$server" 2>/dev/null; then
    echo "error: the demo ended by itself" >&2
    status=1
  elif [ -n "$server" ]; then
    # A server that does not stop when asked is a failure of its own.
    for _ in $(seq 100); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
    if kill -KILL "$server" 2>/dev/null; then
      echo "error: the demo did not stop within 10 s" >&2
      status=1
    fi
  fi
  [ "$status" = 0 ] || tail -n 30 "$folder/log" >&2 || true
  rm -rf "$folder"
  exit "$status"
}
trap stop EXIT

touch "$folder/out" "$folder/log"
"$binary" demo --address 127.0.0.1:0 --dir "$folder/demo" >"$folder/out" 2>"$folder/log" &
server=$!
for _ in $(seq $((start_s_max * 10))); do
  PRECORDIA_URL=$(sed -n 's/^ready \(http:[^ ]*\).*/\1/p' "$folder/out")
  [ -z "$PRECORDIA_URL" ] || break
  kill -0 "$server" 2>/dev/null || { echo "error: the demo was not ready" >&2; exit 1; }
  sleep 0.1
done
[ -n "$PRECORDIA_URL" ] || { echo "error: the demo was not ready within $start_s_max s" >&2; exit 1; }
export PRECORDIA_URL
"$@"
