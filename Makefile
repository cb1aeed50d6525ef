# make demo      set up, build example_project with dbt, suggest a mapping for it
# make test      set up, run the tests
# make help      the other targets

PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
BIN := .venv/bin
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
CASES ?= ../shared/cases
PROJECT ?= example_project
.PHONY: help setup demo example test lint sequences bench torture fuzz train ablate score pictures docs dbt-matrix python-matrix sizes clean

help: ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: $(BIN)/.stamp ## make .venv with everything the tests need

# torch goes first and alone: on Linux any other version than the pinned one may bring gigabytes of CUDA.
$(BIN)/.stamp: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON); the first time takes some minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq -c constraints.txt torch
	@$(BIN)/python -m pip install -qq -c constraints.txt -e '.[dev]'
	@touch $@

example: setup ## rebuild example_project and its committed artifacts with dbt
	@$(BIN)/python example_project/refresh.py

demo: example ## build example_project with dbt and suggest a mapping for it
	@$(BIN)/dbt-schema-embed suggest --project-dir example_project

test: setup ## run the tests
	@$(BIN)/python -m pytest $(ARGS)

lint: setup ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

sequences: setup ## 1,000 sequences of what people and runs do to a mapping file; nothing may be lost
	@SEQUENCES=1000 nice $(BIN)/python -m pytest tests/decide/test_nothing_lost.py $(ARGS)

bench: setup ## measure encoder, memo and suggest, PROJECT=example_project
	@$(BIN)/dbt-schema-embed bench --project-dir $(PROJECT) $(ARGS)

torture: setup ## kill what writes, 200 times each, and look for losses; inputs of a gigabyte
	@$(BIN)/python benchmarks/torture.py $(ARGS)
	@$(BIN)/python benchmarks/hostile_inputs.py

fuzz: setup ## feed every reader with hostile bytes, 10 minutes each; installs atheris
	@$(BIN)/python -m pip install -qq atheris
	@$(BIN)/python benchmarks/fuzz_readers.py $(ARGS)

train: setup ## train the matcher's weights on the cases, CASES=../shared/cases
	@$(BIN)/python benchmarks/train.py $(CASES) --keep build/corpora $(ARGS)

ablate: setup ## train without each signal in turn, and say what is lost
	@$(BIN)/python benchmarks/ablate.py $(CASES) --keep build/corpora $(ARGS)

score: setup ## score suggest on the cases, with the scripts beside them
	@for set in dbt wild foreign/dbt; do PATH="$(CURDIR)/$(BIN):$$PATH" $(CASES)/../tools/score_dbt.sh $(CASES)/$$set build/score/$$set; done
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python $(CASES)/../tools/score_pairs.py $(CASES)/pairs --warm
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python $(CASES)/../tools/score_pairs.py $(CASES)/foreign --warm --datasets pairs

pictures: setup ## make the pictures of README.md anew; installs pyte, needs chromium or chrome
	@$(BIN)/python -m pip install -qq pyte
	@$(BIN)/python docs/pictures/make.py

# zensical stays out of .venv: it wants a pathspec that dbt 1 does not.
docs: setup ## make the site in build/site and check its links
	@test -x build/zensical/bin/zensical || { $(BIN)/python -m venv build/zensical && build/zensical/bin/pip install -qq zensical==0.0.73; }
	@PATH="$(CURDIR)/build/zensical/bin:$$PATH" $(BIN)/python docs/site.py

dbt-matrix: setup ## try every dbt from 1.8 to 2.0, each in an environment of its own, ARGS="1.12 2.0" for some
	@$(BIN)/python benchmarks/dbt_matrix.py $(or $(ARGS),--write)

python-matrix: ## run the quick tests under every Python from 3.11 to 3.14 that is found
	@$(PYTHON) benchmarks/python_matrix.py $(ARGS)

sizes: setup ## install the wheel in each way from nothing, and say what that costs
	@$(BIN)/python benchmarks/bench_install.py $(ARGS)

clean: ## remove what can be made again, .venv included
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf example_project/dbt_packages example_project/logs example_project/*.duckdb
	find example_project/target -mindepth 1 -maxdepth 1 ! -name manifest.json ! -name catalog.json -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
