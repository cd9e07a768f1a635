# Two commands matter: `make run` and `make test`. Everything below sets itself up.
BIN := .venv/bin
SERVICE := shop
REQUIREMENTS := service
SBOM := dist/sbom.json
TEST_OPTIONS =
# only: eventstoredb and embedded
NODE := infrastructure/embedded/eventstoredb
NODE_NEEDS := $(NODE)/pyproject.toml
# end: eventstoredb and embedded
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" $(NODE_APART)
PINNED = $(COMPILE) -c requirements/dev.txt
NODE_APART = --no-emit-package embedded-eventstoredb # only: eventstoredb and embedded
ADAPTERS =
ADAPTERS += --extra eventstoredb # only: eventstoredb
ADAPTERS += --extra postgres # only: postgres
ADAPTERS += --extra dynamodb # only: dynamodb
ADAPTERS += --extra kafka # only: kafka
ADAPTERS += --extra s3 # only: s3
ADAPTERS += --extra opensearch # only: opensearch
ADAPTERS += --extra algolia # only: algolia
ADAPTERS += --extra temporal # only: temporal
ADAPTERS += --extra console # only: console
SERVERS = --extra embedded # only: embedded

.PHONY: help run fast test servers servers-stop check reference requirements sbom vulnerabilities manifests clean
.PHONY: node-test conformance # only: eventstoredb and embedded
.PHONY: bench # only: eventstoredb and embedded
.PHONY: screenshots # only: console and shop
.PHONY: template-matrix rehearsal tutorial # only: reference

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: .venv/.run ## start the service, with a server for each that is not set
	@$(BIN)/python -m infrastructure.$(SERVICE) run

fast: .venv/.dev ## the tests of domain and application, everything in memory
	@FEWER_EXAMPLES=1 $(BIN)/pytest -q -m "not slow" tests/domain tests/application tests/contracts tests/sample \
		$(wildcard tests/$(SERVICE)/domain tests/$(SERVICE)/application)

test: .venv/.dev docs/reference/commands.md ## run every test; needs no Docker and no server
	@$(BIN)/pytest $(TEST_OPTIONS)

servers: .venv/.dev ## install and start the servers that tests can use; prints their addresses
	@$(BIN)/python -m tests.servers start $(NAMES)

servers-stop: .venv/.dev ## end what `make servers` has started
	@$(BIN)/python -m tests.servers stop $(NAMES)

# only: eventstoredb and embedded
node-test: .venv/.dev ## run the tests of the embedded node alone; `pytest tests` leaves them out
	@$(BIN)/pytest $(NODE)/tests

conformance: .venv/.dev ## what a node answers otherwise than the real server did
	@cd $(NODE)/tests && $(CURDIR)/$(BIN)/python -m conformance

# end: eventstoredb and embedded
check: .venv/.dev docs/reference/commands.md ## lint, types, architecture rules, links in the docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/test_docs.py $(wildcard tests/$(SERVICE)/test_docs.py)
	@$(BIN)/python -m tests.template check # only: reference

# only: eventstoredb and embedded
bench: .venv/.dev ## measure, and print ratios
	@cd $(NODE)/tests && $(CURDIR)/$(BIN)/python -m benchmarks # only: eventstoredb and embedded
	@$(BIN)/python -m tests.$(SERVICE).benchmarks # only: reference

# end: eventstoredb and embedded
# only: reference
template-matrix: .venv/.dev ## make services with all pairs of answers, and check each; CELLS=kit: the kit alone
	@$(BIN)/python -m tests.template matrix $(CELLS)

rehearsal: .venv/.dev ## update a service from the last release to this state; ONLY=update: no other adapters
	@$(BIN)/python -m tests.template rehearsal $(if $(ONLY),--no-adapters)

tutorial: .venv/.dev ## take the steps of docs/your-own-service.md, in a new service
	@$(BIN)/python -m tests.template tutorial

# end: reference
sbom: .venv/.dev ## list the packages of the image, as CycloneDX, in dist/sbom.json
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements/$(REQUIREMENTS).txt --pyproject pyproject.toml \
		--output-reproducible --output-file $(SBOM)
	@echo $(SBOM)

vulnerabilities: .venv/.dev ## look up the packages of the image among known vulnerabilities
	@BIN=$(BIN) .ci/vulnerabilities $(REQUIREMENTS)

manifests: .venv/.manifests ## check the manifests for Kubernetes against its schemas
	@$(BIN)/pytest -q tests/delivery/test_kubernetes.py tests/delivery/test_kubernetes_schema.py

docs/reference/commands.md: | .venv/.dev # a new service has none yet
	@$(MAKE) -s reference

reference: .venv/.dev ## print docs/reference, .env.example, alerts and dashboard anew, from the source
	@mkdir -p docs/reference docs/operations
	@$(BIN)/python -m tests.reference.commands > docs/reference/commands.md
	@$(BIN)/python -m tests.reference.settings > docs/reference/settings.md
	@$(BIN)/python -m tests.reference.environment > .env.example
	@$(BIN)/python -m tests.reference.access > docs/reference/access.md
	@$(BIN)/python -m tests.reference.contract > docs/reference/asyncapi.json # only: bus
	@$(BIN)/python -m tests.reference.system_map > docs/reference/system-map.svg
	@$(BIN)/python -m tests.reference.operations alerts.yml > docs/operations/alerts.yml
	@$(BIN)/python -m tests.reference.operations dashboard.json > docs/operations/dashboard.json

.venv/.run: requirements/run.txt pyproject.toml $(NODE_NEEDS) .ci/venv
	@PYTHON=$(PYTHON) .ci/venv run

.venv/.dev: requirements/dev.txt pyproject.toml $(NODE_NEEDS) .ci/venv
	@PYTHON=$(PYTHON) .ci/venv dev
	@touch .venv/.run

.venv/.manifests: .venv/.dev requirements/manifests.txt
	@PYTHON=$(PYTHON) .ci/venv manifests

# only: console and shop
screenshots: .venv/.dev ## take the pictures of the console in the docs anew, with the browser
	@$(BIN)/python -m tests.$(SERVICE).browser.screenshots docs/images/console
# end: console and shop

requirements: ## pin the dependencies of pyproject.toml anew (needs uv)
	$(COMPILE) pyproject.toml $(ADAPTERS) $(SERVERS) --extra servers --extra build --extra dev -o requirements/dev.txt
	$(PINNED) pyproject.toml $(ADAPTERS) $(SERVERS) --extra build -o requirements/run.txt
	$(PINNED) pyproject.toml $(ADAPTERS) -o requirements/service.txt
	$(PINNED) pyproject.toml --extra postgres --extra console -o requirements/service-postgres.txt # only: reference
	echo hatchling | $(PINNED) - -o requirements/build.txt
	echo kubernetes-validate | $(PINNED) - -o requirements/manifests.txt

clean: ## remove the virtual environment and caches, never data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
