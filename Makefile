# Two commands matter: `make run` and `make test`. Everything below sets itself up.
BIN := .venv/bin
SERVICE := shop
NODE := infrastructure/embedded/eventstoredb
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" \
	--no-emit-package embedded-eventstoredb
PINNED := $(COMPILE) -c requirements/dev.txt
BOTH := --extra eventstoredb --extra postgres
ADAPTERS := $(BOTH) --extra dynamodb --extra kafka --extra s3 --extra opensearch --extra algolia \
	--extra temporal

.PHONY: help run fast test servers servers-stop node-test conformance check bench kit-alone reference requirements clean
help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: .venv/.run ## start the service on embedded servers, with real orders in it
	@$(BIN)/python -m infrastructure.$(SERVICE) run

fast: .venv/.dev ## the tests of domain and application, everything in memory
	@FEWER_EXAMPLES=1 $(BIN)/pytest -q -m "not slow" tests/domain tests/application tests/contracts tests/sample \
		$(wildcard tests/$(SERVICE)/domain tests/$(SERVICE)/application)

test: .venv/.dev ## run every test; needs no Docker and no server
	@$(BIN)/pytest

servers: .venv/.dev ## install and start what tests can use: Kafka, S3, OpenSearch …; prints addresses
	@$(BIN)/python -m tests.servers start $(NAMES)

servers-stop: .venv/.dev ## end what `make servers` has started
	@$(BIN)/python -m tests.servers stop $(NAMES)

node-test: .venv/.dev ## run the tests of the embedded node alone; `pytest tests` leaves them out
	@$(BIN)/pytest $(NODE)/tests

conformance: .venv/.dev ## what a node answers otherwise than the real server did
	@cd $(NODE)/tests && $(CURDIR)/$(BIN)/python -m conformance

check: .venv/.dev ## lint, types, architecture rules, links in the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/test_docs.py $(wildcard tests/$(SERVICE)/test_docs.py)

bench: .venv/.dev ## measure, and print ratios
	@cd $(NODE)/tests && $(CURDIR)/$(BIN)/python -m benchmarks
	@$(BIN)/python -m tests.$(SERVICE).benchmarks

kit-alone: .venv/.dev ## check and test the kit without the shop; TESTS=fast: the fast ones
	@$(BIN)/python -m tests.alone $(TESTS)

reference: .venv/.dev ## print docs/reference, alerts and dashboard anew, from the source
	@$(BIN)/python -m tests.reference.commands > docs/reference/commands.md
	@$(BIN)/python -m tests.reference.settings > docs/reference/settings.md
	@$(BIN)/python -m tests.reference.operations alerts.yml > docs/operations/alerts.yml
	@$(BIN)/python -m tests.reference.operations dashboard.json > docs/operations/dashboard.json

.venv/.run: requirements/run.txt pyproject.toml $(NODE)/pyproject.toml .ci/venv
	@PYTHON=$(PYTHON) .ci/venv run

.venv/.dev: requirements/dev.txt pyproject.toml $(NODE)/pyproject.toml .ci/venv
	@PYTHON=$(PYTHON) .ci/venv dev
	@touch .venv/.run

requirements: ## pin the dependencies of pyproject.toml anew (needs uv)
	$(COMPILE) pyproject.toml $(ADAPTERS) --extra embedded --extra servers --extra build --extra dev \
		-o requirements/dev.txt
	$(PINNED) pyproject.toml $(BOTH) --extra embedded --extra build -o requirements/run.txt
	$(PINNED) pyproject.toml $(ADAPTERS) -o requirements/service.txt
	$(PINNED) pyproject.toml --extra postgres -o requirements/service-postgres.txt
	echo hatchling | $(PINNED) - -o requirements/build.txt

clean: ## remove the virtual environment and caches, never data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
