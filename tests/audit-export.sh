#!/usr/bin/env bash
# An export and a proof, judged by the program and by docs/audit-format/verify.py, whole and tampered with.
#
# Each file is damaged in turn, and each kind of lie is told; both judges must say the same.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${PRECORDIA_BIN:-${CARGO_TARGET_DIR:-target}/release/precordia}
[ -x "$binary" ] || { echo "error: no \`$binary\`; run \`make build\` first" >&2; exit 1; }
# The script says nothing about itself: no compiled file beside it.
export PYTHONDONTWRITEBYTECODE=1
folder=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill -TERM "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
passed=0
failed=0

# check WHAT EXPECTED COMMAND…: the exit code must be the expected one.
check() {
  local what=$1 expected=$2 code=0
  shift 2
  "$@" >"$folder/said" 2>&1 || code=$?
  if [ "$code" = "$expected" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "error: $what: exit $code instead of $expected" >&2
    tail -n 8 "$folder/said" >&2
  fi
}

# both WHAT EXPECTED DIR [ARGUMENT…]: the program and the script.
both() {
  local what=$1 expected=$2 dir=$3
  shift 3
  check "$what, by the program" "$expected" "$binary" audit verify --data "$dir" "$@"
  check "$what, by the script" "$expected" python3 docs/audit-format/verify.py "$dir" "$@"
}

# ---- an organization with a few rows ---------------------------------------------------------------

cat >"$folder/precordia.toml" <<END
data_dir = "$folder/data"
[listen]
address = "127.0.0.1:0"
[log]
level = "warn"
[limits]
checkpoint_seconds = 1
END
export PRECORDIA_CONFIG=$folder/precordia.toml
printf 'slug = "ward"\nname = "Ward"\n[[site]]\nname = "Site"\ntime_zone = "UTC"\n' >"$folder/org.toml"
code=$("$binary" org apply "$folder/org.toml" 2>/dev/null | sed -n 's/^setup-code //p')
touch "$folder/ready"
"$binary" serve >"$folder/ready" 2>"$folder/log" &
server=$!
for _ in $(seq 300); do
  url=$(sed -n 's/^ready //p' "$folder/ready")
  [ -z "$url" ] || break
  sleep 0.1
done
post() {
  curl --fail --silent --show-error --cookie "$folder/cookies" --cookie-jar "$folder/cookies" \
    -H 'content-type: application/json' ${csrf:+-H "x-csrf-token: $csrf"} -d "$2" "$url$1"
}
csrf=
csrf=$(post /api/setup "{\"organization\":\"ward\",\"code\":\"$code\",\"user_name\":\"root-admin\",\"display_name\":\"A\",\"password\":\"only-for-this-test\"}" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["csrf_token"])')
for role in cardiologist technician auditor; do
  post /api/users "{\"user_name\":\"$role\",\"display_name\":\"$role\",\"roles\":[\"$role\"],\"password\":\"only-for-this-test\"}" >/dev/null || true
  for _ in 1 2 3; do
    curl --fail --silent --show-error --cookie "$folder/cookies" "$url/api/users" >/dev/null
  done
  sleep 1.1 # so that there is a checkpoint between
done
kill -TERM "$server"
wait "$server"
server=
cp -a "$folder/data-witness" "$folder/kept"

# ---- whole -----------------------------------------------------------------------------------------

"$binary" audit export --organization ward --out "$folder/export" >"$folder/exported" 2>/dev/null
key=$(sed -n 's/^public-key //p' "$folder/exported")
export="$folder/export"
[ "$(wc -l <"$export/proofs.ndjson")" -ge 2 ] || { echo "error: no proofs between checkpoints" >&2; exit 1; }
both "a whole export" 0 "$export" --public-key "$key"
both "a whole export against a kept witness" 0 "$export" --public-key "$key" --witness "$folder/kept"
both "a whole export of nobody knows whom" 3 "$export"
both "a whole export against an empty witness" 3 "$export" --public-key "$key" --witness "$folder/export"
both "a whole export by another key" 4 "$export" --public-key "$(printf '%064d' 0 | tr 0 1)"
check "a directory that is not empty" 1 "$binary" audit export --organization ward --out "$export"

for log in events access; do
  "$binary" audit prove --organization ward --log "$log" --position 2 --json >"$folder/proof.json"
  check "a proof" 0 python3 docs/audit-format/verify.py "$folder/proof.json" --public-key "$key"
  check "a proof of nobody knows whom" 3 python3 docs/audit-format/verify.py "$folder/proof.json"
  for change in 's/"position": 2/"position": 1/' 's/"actor": "./"actor": "x/' 's/"at_us": ./"at_us": 9/' \
    's/"root": "../"root": "00/' 's/"signature": "../"signature": "00/'; do
    sed "$change" "$folder/proof.json" >"$folder/forged.json"
    cmp -s "$folder/proof.json" "$folder/forged.json" && { echo "error: $change changes nothing" >&2; exit 1; }
    check "a proof with $change" 4 python3 docs/audit-format/verify.py "$folder/forged.json" --public-key "$key"
  done
  check "a row that no checkpoint saw" 3 "$binary" audit prove --organization ward --log "$log" --position 9999
done

# ---- tampered --------------------------------------------------------------------------------------

# forged WHAT COMMAND…: a copy, changed by the command in it, must be found out.
forged() {
  local what=$1
  shift
  rm -rf "$folder/forged"
  cp -a "$export" "$folder/forged"
  (cd "$folder/forged" && "$@")
  if diff -rq "$export" "$folder/forged" >/dev/null; then
    echo "error: $what changes nothing" >&2
    exit 1
  fi
  both "$what" 4 "$folder/forged" --public-key "$key"
}

for file in events access checkpoints proofs audit-events; do
  forged "a byte of $file" sed -i '2s/[0-9]\([^0-9]*\)$/x\1/' "$file.ndjson"
  forged "a line taken from $file" sed -i 2d "$file.ndjson"
  forged "the last line cut from $file" sed -i '$d' "$file.ndjson"
  forged "a line repeated in $file" sed -i 2p "$file.ndjson"
  forged "two lines of $file exchanged" sed -i '1{h;d};2G' "$file.ndjson"
done
forged "the manifest's organization" sed -i 's/"organization":"ward"/"organization":"yard"/' manifest.json
forged "the signature" sed -i 's/"signature":"../"signature":"00/' signature.json
forged "no signature" sh -c 'echo {} >signature.json'

# Somebody who makes every digest and the chain fit, but has no key.
cat >"$folder/forge.py" <<'END'
import hashlib, json, pathlib, sys
sys.path.insert(0, sys.argv[1])
import verify
here = pathlib.Path(".")
manifest = json.loads((here / "manifest.json").read_bytes())
realm, previous, tree, lines = verify.realm_bytes(manifest["realm"]), verify.GENESIS, verify.Tree(), []
for line in (here / "access.ndjson").read_text().splitlines():
    row = json.loads(line)
    if row["position"] == 3:
        row["outcome"] = "denied"
    row["previous"] = previous.hex()
    previous = verify.access_hash(realm, row)
    row["hash"] = previous.hex()
    tree.push(previous)
    lines.append(json.dumps(row, separators=(",", ":")))
(here / "access.ndjson").write_text("\n".join(lines) + "\n")
manifest["logs"]["access"].update(hash=previous.hex(), root=tree.root().hex())
for name in manifest["files"]:
    manifest["files"][name] = hashlib.sha256((here / name).read_bytes()).hexdigest()
(here / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")))
END
forged "a row of a rewritten chain" python3 "$folder/forge.py" "$PWD/docs/audit-format"
cp "$folder/said" "$folder/forgery"
check "the first wrong position is named" 0 grep -q "^access: WRONG, first at [1-9][0-9]*: differs-from-witness" "$folder/forgery"

echo "audit export: $passed passed, $failed failed"
[ "$failed" = 0 ]
