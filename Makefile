# Huanjing's house-keeping. Everything runs in .venv, made from the versions and hashes in requirements.lock.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
MINUTES ?= 2

.PHONY: help setup demo test check format bench lock clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with Huanjing and all it needs

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Huanjing needs Python 3.11 to 3.13; $(PYTHON) is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: setup ## See and dream: recognise photographs, train a generator for MINUTES (2), write demo/report.html
	$(BIN)/huanjing demo --minutes $(MINUTES) --output demo

test: setup ## Run all tests, in two processes
	$(BIN)/pytest -q --numprocesses 2 --dist loadfile

check: setup ## Check style, types, and which part may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Put the code into its usual form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure side by side with what one would use instead; results in benchmarks/results/
	$(BIN)/python -m benchmarks

lock: ## Renew requirements.lock (needs uv)
	uv pip compile --quiet pyproject.toml --extra train --extra search --extra export --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --output-file requirements.lock

clean: ## Remove .venv and what was made, but no runs
	rm -rf .venv demo .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
