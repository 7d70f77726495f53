#!/usr/bin/env bash
# pydicom reads the DICOM objects that we write, and finds the samples that we meant.
set -euo pipefail
cd "$(dirname "$0")/.."
samples=.cache/synth-dicom
rm -rf "$samples"
cargo run --quiet --locked --package precordia-synth --example synth_dicom -- "$samples"
.cache/venv/bin/python tests/peers/pydicom-read/compare.py "$samples"
