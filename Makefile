# Commands of the project. Needs Python 3.11 and make; everything else is installed into .venv.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.installed

.DEFAULT_GOAL := help

help: ## Show the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(SETUP): requirements/all.txt requirements/build.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/all.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	touch $(SETUP)

setup: $(SETUP) ## Install everything into .venv

lock: ## Pin the dependencies again, with hashes and without host names
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra local --extra dev -o requirements/all.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/build.in -o requirements/build.txt
	$(BIN)/uv pip compile --quiet --python-version 3.13 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/localstack.in -o requirements/localstack.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/localstack-py311.in -o requirements/localstack-py311.txt

.PHONY: help setup lock

check: $(SETUP) ## Lint, types, floors and doors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(SETUP) check ## The tests that every change must pass
	$(BIN)/pytest -n 2 --dist loadgroup -m "not localstack and not slow" $(PYTEST)

coverage: $(SETUP) ## The same tests, with the lines that they do not reach
	$(BIN)/pytest -n 2 --dist loadgroup -m "not localstack and not slow" --cov --cov-report=term:skip-covered $(PYTEST)

test-localstack: $(SETUP) ## The contract against LocalStack, run without Docker
	$(BIN)/pytest -m localstack $(PYTEST)

test-long: $(SETUP) ## Every component type deployed, scale, kill -9 and malformed input at length
	$(BIN)/pytest -n 2 --dist loadgroup -m "slow and not localstack" tests/unit tests/integration/component $(PYTEST)
	$(BIN)/pytest -m "slow and not localstack" --ignore=tests/unit --ignore=tests/integration/component $(PYTEST)

demo: $(SETUP) ## The main job on the embedded cloud: one deployspec over 60 accounts x 2 regions
	$(BIN)/python -m examples.demo

bench: $(SETUP) ## Benchmarks, each as a ratio to a peer or a floor measured in the same run
	$(BIN)/python -m benchmarks

up: $(SETUP) ## Start the platform on this machine
	$(BIN)/core up

down: $(SETUP) ## Stop it
	$(BIN)/core down

clean: ## Remove what was built; stop the platform first
	-test ! -x $(BIN)/core || { $(BIN)/core down; CORE_STATE_DIR=.demo $(BIN)/core down; }
	rm -rf build dist site .demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov .core $(VENV)

.PHONY: check coverage test test-localstack test-long demo bench up down clean

docs: $(SETUP) ## Build the manual into build/site; no warning is accepted
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: docs
