# make demo and make test do everything on a machine with Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest -n 2
LOWEST := .venv-lowest
NEWEST := .venv-newest

.PHONY: help setup demo test test-slow test-lowest test-newest coverage lint format docs wheel bench clean

help:                 ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 14

setup: $(READY)       ## make the virtual environment with pinned packages

$(READY): pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("omitrans needs Python 3.11 or newer; say which with: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $(READY)

demo: $(READY)        ## simulate a cohort, compare models, write tables and figures to demo-output/
	$(BIN)/omitrans demo --output demo-output

test: $(READY)        ## the fast tests and all doctests
	$(PYTEST)

test-slow: $(READY)   ## the tests marked slow
	$(PYTEST) -m "slow and not gpu and not network" tests

test-lowest: $(LOWEST)/.ready ## the fast tests with the oldest packages that pyproject.toml allows
	$(LOWEST)/bin/python -m pytest -n 2

$(LOWEST)/.ready: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv --clear $(LOWEST)
	PIP_CONSTRAINT=constraints-lowest.txt $(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $(LOWEST)/.ready

# Without the extra anndata, which on Python 3.11 keeps pandas 2; torch is the one of constraints.txt.
test-newest:          ## the fast tests with the newest packages, renewed each time
	test -x $(NEWEST)/bin/python || $(PYTHON) -m venv $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager \
		"$$(grep '^torch==' constraints.txt)" "pandas>=3" -e ".[cluster,fetch,io,plot,test-tools]"
	$(NEWEST)/bin/python -m pytest -n 2

coverage: $(READY)    ## the fast tests with a coverage report
	$(PYTEST) --cov --cov-report=term --cov-report=html

lint: $(READY)        ## ruff, mypy, codespell; docstrings are checked by the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: $(READY)      ## let ruff write the layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)        ## build the pages into docs/_build/html (warnings are errors)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

wheel: $(READY)       ## build, check and try the wheel outside the checkout
	rm -rf dist build
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*
	BIN=$(BIN) sh tests/check_wheel.sh

clean:                ## remove what the targets made
	rm -rf $(VENV) $(LOWEST) $(NEWEST) build dist docs/_build docs/auto_examples docs/api/generated demo-output .pytest_cache .ruff_cache .mypy_cache htmlcov
