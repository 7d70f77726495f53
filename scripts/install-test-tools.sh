#!/usr/bin/env bash
# Installs what `make test` needs and this machine lacks: Debian packages, promtool, a Python venv.
# Quick when nothing is missing. Only this script and nothing of `make demo` ever calls apt.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.cache/tools
venv=.cache/venv
mkdir -p "$tools"

has() { command -v "$1" >/dev/null 2>&1; }
has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || has initdb; }
has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

missing=()
has_postgres || missing+=(postgresql)
has dciodvfy || missing+=(dicom3tools)
has chromium || missing+=(chromium)
has pdftotext || missing+=(poppler-utils)
has qpdf || missing+=(qpdf)
has curl || missing+=(curl)
has_venv || missing+=(python3 python3-venv)

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
updated=
update() {
  [ -n "$updated" ] || "${as_root[@]}" apt-get update -qq
  updated=yes
}

if [ ${#missing[@]} -gt 0 ]; then
  if ! has apt-get || { [ "$(id -u)" != 0 ] && ! has sudo; }; then
    echo "error: the tests need these Debian packages, and this script cannot install them here: ${missing[*]}" >&2
    exit 1
  fi
  echo "installing ${missing[*]}"
  update
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# promtool comes inside Debian's `prometheus`. It is taken out of the package, so that nobody's machine
# starts a Prometheus because it ran our tests.
if ! has promtool && [ ! -x "$tools/promtool" ]; then
  has apt-get || { echo "error: the tests need promtool (part of Prometheus)" >&2; exit 1; }
  echo "fetching promtool"
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  # Debian's downloader drops to another user, who must be able to write here.
  chmod 777 "$fetched"
  (cd "$fetched" && apt-get download -qq prometheus >/dev/null 2>&1) || { update; (cd "$fetched" && apt-get download -qq prometheus); }
  dpkg-deb --fsys-tarfile "$fetched"/prometheus_*.deb | tar -xO ./usr/bin/promtool >"$tools/promtool.part"
  chmod +x "$tools/promtool.part"
  mv "$tools/promtool.part" "$tools/promtool"
fi

if ! cmp -s scripts/requirements.txt "$venv/requirements.txt"; then
  echo "installing Python packages into $venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/requirements.txt
  cp scripts/requirements.txt "$venv/requirements.txt"
fi
