# Two commands on a fresh clone: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CODE := lira_rag integrations tests benchmarks

.PHONY: setup demo test test-vllm check bench docs notebooks train-arca clean

setup: $(READY)

# The CPU build of torch goes in first: without it pip would pull gigabytes of CUDA libraries.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/lira models pull
	touch $(READY)

demo: $(READY)
	$(BIN)/lira demo

test: $(READY)
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n 2

# Real vLLM servers in an environment of their own (3.4 GB, made once).
test-vllm: $(READY)
	PYTHON=$(PYTHON) .ci/vllm-env.sh .venv-vllm
	HF_HUB_OFFLINE=1 LIRA_VLLM_PYTHON=$(CURDIR)/.venv-vllm/bin/python $(BIN)/python -m pytest tests/vllm

check: $(READY)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pylint --jobs=2 --disable=all --enable=duplicate-code --min-similarity-lines=8 lira_rag integrations/langchain-lira/langchain_lira integrations/llama-index-retrievers-lira/llama_index

bench: $(READY)
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

# Rebuilds the shipped checkpoint from the data folder; the same seed gives the same weights to 1e-5. Encoded texts are
# kept, so a run that was stopped goes on.
DATA ?= ../shared/data
ARCA ?= lira_rag/checkpoints/arca-e5-small

train-arca: $(READY)
	$(BIN)/lira train arca --data $(DATA) --out $(ARCA)

# Runs copies of the notebooks; each must take under 90 seconds on an idle machine. Then every plot must be there as an image.
EXECUTED := build/notebooks

notebooks: $(READY)
	rm -rf $(EXECUTED) && mkdir -p $(EXECUTED) && cp notebooks/*.ipynb $(EXECUTED)
	HF_HUB_OFFLINE=1 MPLBACKEND=module://matplotlib_inline.backend_inline $(BIN)/python -m pytest --nbmake --overwrite --nbmake-timeout=300 --nbmake-kernel=python3 -p no:cacheprovider $(EXECUTED)
	$(BIN)/python -m tests.notebook_plots $(EXECUTED)

# The documentation site, into site/; a warning is an error.
docs: $(READY)
	$(BIN)/zensical build --strict --clean

clean:
	rm -rf $(VENV) .venv-vllm
