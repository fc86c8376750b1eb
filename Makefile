# Two commands matter: `make demo` and `make test`. They need python3 (3.11 or later, with venv), git and make, and nothing else:
# the virtual environment is made here, and everything in it is installed from the lock, by hash.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV_SYNC := UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON=$(BIN)/python UV_PYTHON_DOWNLOADS=never $(BIN)/uv sync --frozen --quiet --no-install-project --inexact
RUN := PYTHONPATH=. $(BIN)/python
SOURCES := budget_gate tests scripts benchmarks

.PHONY: help demo test test-pythons lint check format docs prices cassettes clean
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.base ## the main job on a real diff, offline
	@$(BIN)/budget-gate demo

test: $(VENV)/.dev ## every test
	@$(RUN) -m pytest -n $(or $(JOBS),2) --dist loadgroup $(TESTS)

test-pythons: $(VENV)/.dev ## the unit tests on every other supported Python that is at hand
	@$(RUN) scripts/test_pythons.py

lint: $(VENV)/.dev ## linters, types, import contracts, workflow checks
	@PATH="$(abspath $(BIN)):$$PATH" $(RUN) scripts/lint.py

check: lint test ## what CI runs

format: $(VENV)/.dev ## rewrite the code in the house format
	@$(BIN)/ruff check --fix --quiet $(SOURCES); $(BIN)/ruff format --quiet $(SOURCES)

docs: $(VENV)/.dev ## regenerate the reference pages, the price file and the golden files
	@$(RUN) scripts/generate_docs.py

prices: $(VENV)/.dev ## regenerate the price file from genai-prices
	@$(RUN) scripts/generate_prices.py

cassettes: $(VENV)/.dev ## record the answers of the two APIs anew (see the scripts for recording from the real ones)
	@$(RUN) scripts/record_anthropic_cassettes.py
	@$(RUN) scripts/record_github_cassettes.py

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .venv-focus .venv-focus.lock .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/uv: requirements/uv.txt
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "budget-gate needs Python 3.11 or later; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.base: $(BIN)/uv uv.lock $(BIN)/budget-gate
	@echo "installing from the lock"
	@$(UV_SYNC)
	@touch $@

# The command, straight from this checkout: building a wheel would take packages that are not in the lock.
$(BIN)/budget-gate: $(BIN)/uv
	@printf '#!%s -P\nimport sys\n\nsys.path.insert(0, "%s")\nfrom budget_gate.cli.main import run\n\nrun()\n' "$(abspath $(BIN))/python" "$(CURDIR)" > $@
	@chmod +x $@

$(VENV)/.dev: $(BIN)/uv uv.lock $(BIN)/budget-gate
	@echo "installing from the lock, with what the tests need"
	@$(UV_SYNC) --all-extras --group dev
	@touch $@ $(VENV)/.base
