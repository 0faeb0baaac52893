# exoliver from a clone: needs make, Python 3.11 or newer and, the first time, a package registry.
#   make run                      the default study
#   make run STUDY=my/study.yaml  another one
#   make run CORES=4              not all cores

STUDY ?= config/config.yaml
CORES ?= all

VENV := .venv
BIN := $(VENV)/bin
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES)

# What a user's shell exports for other Python installations must not reach this one.
unexport PYTHONPATH
unexport PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help run preflight test validate bench lint lock clean

help: ## these lines
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1: \2/p' Makefile

run: $(VENV)/.installed ## run the study and print where the report is
	@$(SNAKEMAKE) --config study=$(STUDY)
	@$(BIN)/python -c 'import sys; from exoliver.loading import load_study; \
	  print("Report:", load_study(sys.argv[1]).settings.results + "/report.html")' $(STUDY)

preflight: $(VENV)/.installed ## check every dataset of the study, compute nothing
	@$(SNAKEMAKE) preflight --config study=$(STUDY)

test: $(VENV)/.installed ## run all tests (real datasets need ../shared)
	@$(BIN)/pytest -m "not validate"

validate: $(VENV)/.installed ## long calibrations, some ten minutes (WRITE=1: into docs/validation.md)
	@$(BIN)/pytest -m validate $(if $(WRITE),--write-validation)

bench: $(VENV)/.installed ## speed and memory as ratios (WRITE=1: into docs/performance.md); STUDY=...: that study by stage
	@$(BIN)/python -m $(if $(filter command environment,$(origin STUDY)), \
	  bench.stages $(STUDY) --cores $(CORES), bench $(if $(WRITE),--write))

lint: $(VENV)/.installed ## style, types, format and the workflow's own lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow
	@$(BIN)/snakemake --lint --config study=$(STUDY)

lock: $(VENV)/.installed ## resolve requirements.in into requirements.lock
	@$(BIN)/uv pip compile requirements.in -o requirements.lock --quiet --universal --python-version 3.11 \
	  --fork-strategy fewest --generate-hashes --no-emit-index-url --no-header --no-annotate

clean: ## remove results, logs, benchmarks and caches; keep .venv
	@rm -rf results logs benchmarks .snakemake .pytest_cache .ruff_cache .mypy_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Made anew whenever the lock changes, so that nothing of an older lock stays behind. PYTHON=... names another interpreter.
$(VENV)/.installed: requirements.lock
	@set -e; found=; \
	for python in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found=$$python; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'exoliver needs Python 3.11 or newer with its venv module, and none of python3.11, python3.12, python3.13, python3 is that.' >&2; \
	  echo 'Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.11)' >&2; \
	  echo 'or name it: make run PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$found: once, one to three minutes."; \
	"$$found" -m venv --clear $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; \
	touch $@
