#!/usr/bin/env bash
# Fuzzes every operation of the API of a running demo; run by scripts/with-demo.sh.
#
# It runs as an administrator's token, so that most operations are reached. Left out: the event stream,
# which never ends, and what would end the demo for the rest of the run (the password of the user).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
api() { curl --fail --silent --show-error --cookie-jar "$work/jar" --cookie "$work/jar" -H 'content-type: application/json' "$@"; }
pick() { python3 -c "import json, sys; answer = json.load(sys.stdin); print($1)"; }

sign_in=$(api "$PRECORDIA_URL/api/demo-sign-ins" | pick 'json.dumps(next({
  "organization": one["organization"], "user_name": one["user_name"], "password": one["password"]}
  for one in answer["sign_ins"] if "organization-administrator" in one["roles"]))')
csrf=$(api "$PRECORDIA_URL/api/session" --data "$sign_in" | pick 'answer["csrf_token"]')
token=$(api "$PRECORDIA_URL/api/tokens" -H "X-CSRF-Token: $csrf" \
  --data '{"label": "fuzzer", "roles": ["organization-administrator", "cardiologist", "auditor"]}' | pick 'answer["token"]')

# It leaves the requests of failures beside itself, for `st replay`.
cd .cache
venv/bin/st run "$PRECORDIA_URL/openapi.json" \
  --header "Authorization: Bearer $token" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing \
  --max-examples "${PRECORDIA_FUZZ_EXAMPLES:-30}" \
  --continue-on-failure \
  --exclude-path /api/events \
  --exclude-path-regex '/password$' \
  --request-timeout 10 \
  --seed 1
