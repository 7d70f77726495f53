#!/usr/bin/env bash
# Alarms over a real mail server and a receiver that verifies signatures, both of other people's making.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${PRECORDIA_BIN:-${CARGO_TARGET_DIR:-target}/release/precordia}
[ -x "$binary" ] || { echo "error: no \`$binary\`; run \`make build\` first" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
  -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
PYTHONDONTWRITEBYTECODE=1 "${PRECORDIA_PYTHON:-.cache/venv/bin/python}" tests/alarms.py "$binary" "$folder"
