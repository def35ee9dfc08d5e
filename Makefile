# Everything a user or a contributor runs. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types bench bench-large soak docs ui clean

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## prepare .venv from the lock file

$(STAMP): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --frozen --quiet --inexact
	@touch $(STAMP)

run: setup ## the main job: a synthetic book, a year of days closed, a summary
	$(BIN)/paidthrough demo

test: setup ## all tests
	POLARS_MAX_THREADS=1 $(BIN)/python -m pytest

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy, strict
	$(BIN)/mypy

bench: setup ## speed and memory, as ratios against peers in the same run
	$(BIN)/python -m benchmarks

bench-large: setup ## the same, with a book of a million policies
	$(BIN)/python -m benchmarks --large

soak: setup ## slow tests: many seeds, many crashes, long books
	$(BIN)/python -m pytest -m soak --no-cov

docs: setup ## write the generated pages of docs/
	$(BIN)/python -m pipelines.docs
	$(BIN)/python -m tests.rules

ui: setup ## Dagster's web server on this home
	$(BIN)/paidthrough ui

clean: ## remove the virtual environment and caches
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
