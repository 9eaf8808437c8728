PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check torch-test clients-test adapters-test weights

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# set up, then animate a real photograph
demo: $(BIN)/python
	$(BIN)/pip install -q .
	$(BIN)/vivant animate examples/lake.jpg -o lake.mp4 --overwrite

# set up, then run every check and test of the base install
test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev,serve]'
	$(MAKE) check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

# what needs PyTorch: networks, export parity, training
torch-test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev,train]'
	$(BIN)/pytest -m torch

# the libraries of foreign clients (OpenAI, fal, Replicate), Gradio and an S3 server, on loopback
clients-test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev,serve,s3,clients]'
	$(BIN)/pytest tests/test_foreign_clients.py tests/test_gradio.py tests/test_results_s3.py

# other people's video models, on random checkpoints of their layouts (under 10 minutes)
adapters-test: $(BIN)/python
	$(BIN)/pip install -q -e '.[dev,adapters,quantised]'
	$(BIN)/pytest -n 2 --dist loadfile tests/test_adapters*.py tests/test_gguf.py tests/test_hub.py \
		tests/test_carried.py tests/test_drift.py tests/test_moved_noise.py tests/test_tracks.py

# rebuild the shipped weights from a folder of clips with its manifest (about an hour on two cores)
weights: $(BIN)/python
	$(BIN)/pip install -q '.[train]'
	$(BIN)/vivant prepare $(CLIPS) --split train --procedural 240 --out shards/train
	$(BIN)/vivant prepare $(CLIPS) --split val --max-text 1 --out shards/val
	$(BIN)/vivant train recipes/builtin.py --data shards/train --val shards/val --out runs/builtin
