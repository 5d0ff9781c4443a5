# Everything here runs from a fresh clone: it makes what it needs, once.
# PYTHON=python3.12 chooses the Python of a new .venv; PORT=8090 the port of the Airflow UI.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/bash
BIN := .venv/bin
RUN := .venv/.run-$(shell cksum < requirements.lock | cut -d' ' -f1)
EVERY_CORE := -n auto --dist worksteal
DEV := .venv/.dev-$(shell cksum < requirements-dev.lock | cut -d' ' -f1)

.PHONY: help setup run test unit check bench lock clean
.DELETE_ON_ERROR:

help: ## what there is (this list)
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(RUN) ## make .venv from requirements.lock; nothing else is installed anywhere
	@echo ".venv is ready. Next: make run, or make test."

run: $(RUN) ## the demonstration: Airflow, a site, the sample deliveries; until Ctrl-C
	@exec $(BIN)/safeconduct up --demo $(if $(PORT),--port $(PORT))

test: $(DEV) ## every test, real servers and a real Airflow among them
	@$(BIN)/python -m pytest -q $(EVERY_CORE) -m "not server and not airflow" $(ARGS) || [ $$? -eq 5 ]
	@$(BIN)/python -m pytest -q -m "server or airflow" $(ARGS) || [ $$? -eq 5 ]

unit: $(DEV) ## the tests that start no server and kill nothing, in some minutes
	@$(BIN)/python -m pytest -q $(EVERY_CORE) -m "not server and not airflow and not crash" $(ARGS) || [ $$? -eq 5 ]

check: $(DEV) ## ruff, mypy --strict, who may import whom, the documents
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python -m pytest -q --no-header tests/test_import_rules.py tests/test_docs.py > .venv/check.log 2>&1 \
		|| { cat .venv/check.log; exit 1; }

bench: $(DEV) ## receive and release, measured against polars alone and against pandas
	@exec $(BIN)/python -m benchmarks $(ARGS)

lock: ## write the lock files again, from pyproject.toml
	@.ci/lock

clean: ## remove what make made; a site with its deliveries stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN): requirements.lock pyproject.toml
	@.ci/install requirements.lock $@

$(DEV): requirements-dev.lock | $(RUN)
	@.ci/install requirements-dev.lock $@
