# Every target sets itself up: a virtual environment in .venv, filled from requirements.lock with hashes checked.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=

.PHONY: demo test check format bench proof lock clean

$(READY): requirements.lock pyproject.toml
	@echo "Setting up $(VENV): the libraries are downloaded and installed once, which takes a minute or two ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(READY)            ## the counter on a sample store; ARGS=--headless runs a scripted day and prints a reconciliation
	$(BIN)/edge-agent demo $(ARGS)

test: $(READY)            ## the whole suite; what needs a peer that is absent is skipped with its reason
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: $(READY)           ## format, lint, types, arrows
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)           ## ratios beside a peer or a physical limit, in one run
	$(BIN)/python -m tests.bench $(ARGS)

proof: $(READY)           ## the full fault counts
	$(BIN)/python -m tests.simulation $(ARGS)

lock:                     ## resolve pyproject.toml again; needs uv on the path
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate --all-extras pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
