PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check torch-test

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# set up, then animate a real photograph
demo: $(BIN)/python
	$(BIN)/pip install -q .
	$(BIN)/vivant animate examples/stream.jpg -o stream.mp4 --overwrite

# set up, then run every check and test of the base install
test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev]'
	$(MAKE) check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# what needs PyTorch: networks, export parity, training
torch-test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev,train]'
	$(BIN)/pytest -m torch
