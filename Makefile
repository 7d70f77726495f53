# What can be done here; `make` alone lists it. Every target can be run on its own and again.

SHELL := bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.PHONY: help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

cargo_target := $(or $(CARGO_TARGET_DIR),target)
binary := $(cargo_target)/release/precordia
step := @scripts/step.sh

# ---- build -----------------------------------------------------------------------------------------

.PHONY: demo build web sbom clean

demo: build ## Start a demo: two organizations, sample patients, everything working
	@exec $(binary) demo $(DEMO_ARGS)

build: web ## Build the web pages and the program that carries them
	@cargo build --release --locked --package precordia

web: web/dist/index.html

web_sources := $(shell find web/src web/public web/scripts -type f 2>/dev/null) \
  web/index.html web/package.json web/tsconfig.json web/vite.config.ts

web/dist/index.html: web/node_modules/.package-lock.json $(web_sources)
	@cd web && npm run --silent build

# npm writes this file when it is done; the lock file is what it was done from.
%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { echo "error: Node 20 and npm are needed: https://nodejs.org" >&2; exit 1; }
	@cd $* && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

sbom: ## Write the bill of materials of what ships
	@cargo xtask sbom >$(cargo_target)/precordia.cdx.json
	@echo $(cargo_target)/precordia.cdx.json

clean: ## Remove everything that was built or installed here
	rm -rf $(cargo_target) .cache web/dist web/node_modules tests/peers/*/node_modules tests/peers/*/target

# ---- check -----------------------------------------------------------------------------------------

tidy_checks := fence tidy licenses
.PHONY: check check-format check-clippy check-web check-generated $(tidy_checks:%=check-%)

check: check-format check-clippy check-web $(tidy_checks:%=check-%) check-generated ## Form, lints, types, fence, licenses

check-format:
	$(step) format cargo fmt --all --check

# The pages are embedded at compile time, so they come first.
check-clippy: web
	$(step) clippy cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

check-web: web/node_modules/.package-lock.json
	$(step) web-check npm --prefix web run --silent check

$(tidy_checks:%=check-%): check-%:
	$(step) $* cargo xtask $*

check-generated: web
	$(step) generated cargo xtask generate --check

# ---- test ------------------------------------------------------------------------------------------

tests := rust web fhir dicom e2e api metrics audit alarms
.PHONY: test tools $(tests:%=test-%)

test: $(tests:%=test-%) ## The whole suite; installs what it needs first

tools: ## Install what the tests need and this machine lacks (Debian, PyPI, npm)
	@scripts/install-test-tools.sh

test-rust: tools web
	$(step) rust cargo test --workspace --locked --quiet --no-fail-fast

test-web: web/node_modules/.package-lock.json
	$(step) web npm --prefix web run --silent test

test-fhir: tests/peers/fhir-validate/node_modules/.package-lock.json
	$(step) fhir tests/fhir.sh

test-dicom: tools
	$(step) dicom tests/dicom.sh

test-e2e: tools build
	$(step) e2e scripts/with-demo.sh npm --prefix web run --silent test:e2e

test-api: tools build
	$(step) api scripts/with-demo.sh tests/api.sh

test-metrics: tools build
	$(step) metrics scripts/with-demo.sh tests/metrics.sh

test-audit: build
	$(step) audit tests/audit-export.sh

test-alarms: tools build
	$(step) alarms tests/alarms.sh

# ---- heavier ---------------------------------------------------------------------------------------

peers := hapi pydicom
.PHONY: test-peers sim writers million fuzz soak bench $(peers:%=peer-%)

test-peers: $(peers:%=peer-%) sim writers ## Independent programs that judge ours; skipped aloud where they cannot be had

peer-hapi:
	$(step) hapi tests/fhir.sh hapi

peer-pydicom: tools
	$(step) pydicom tests/pydicom.sh

sim: ## Ten thousand seeds of the product on a disk that forgets
	$(step) sim cargo xtask sim --seed 1 --seeds 10000 --jobs 2

soak: tools web ## The property tests on cases that no run drew before, many of them
	$(step) soak env PROPTEST_RNG_SEED=$$(date +%s) PROPTEST_CASES=5000 cargo test --workspace --locked --quiet --no-fail-fast

fuzz: ## Every parser of foreign bytes under libFuzzer, FUZZ_SECONDS (60) each
	$(step) fuzz scripts/fuzz.sh

writers: APPENDS := 100000
writers: KILLS := 40
million: APPENDS := 1000000
million: KILLS := 100
writers: ## A hundred thousand appends on each engine, their process killed forty times
million: ## A million appends on each engine, their process killed a hundred times; half an hour
writers million: tools web
	$(step) $@ env PRECORDIA_WRITERS_APPENDS=$(APPENDS) PRECORDIA_WRITERS_KILLS=$(KILLS) \
	  cargo test --release --locked --package precordia --test writers -- \
	  --nocapture --test-threads 1 after_kills

bench_python := .cache/bench/bin/python
$(bench_python): scripts/bench-requirements.txt
	@python3 -m venv .cache/bench && .cache/bench/bin/pip install --quiet -r $< && touch $@

bench: build $(bench_python) ## Measure: files on one core beside other programs, uploads with their generator
	@$(binary) bench ecg --peers $(bench_python)
	@$(binary) bench intake
