# The commands of this repository; `make` lists them.
PYTHON ?= python3
BIN := .venv/bin
AUDIT = $(BIN)/uv run --quiet --isolated --no-project --with-requirements audit.lock
STAMP := .venv/.ready
LOCK_SOURCES := requirements.in protos/pyproject.toml client/pyproject.toml server/pyproject.toml migrations/pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak check format protos docs lock audit sbom bench bench-profile bench-scale timing up down clean

help:  ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(STAMP)  ## make .venv with everything that is locked

$(STAMP): requirements.lock $(LOCK_SOURCES)
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Keyferry needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=/path/to/python3")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/^[^ ]/p' requirements.lock | sed '$$d' > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
	    --editable protos --editable client --editable server --editable migrations
	$(BIN)/python -m compileall -q protos client server migrations
	touch $@

demo: setup  ## run the main job end to end on a throw-away server
	$(BIN)/python demo/main_job.py

test: setup  ## run all tests
	$(BIN)/python -m pytest

# The seed stands in the command, which make prints: give it to repeat a run.
soak: setup  ## compare long random sequences of calls with the model (STEPS=20000 SEED=1)
	MODEL_STEPS=$(or $(STEPS),20000) MODEL_SEED=$(or $(SEED),$(shell date +%s)) $(BIN)/python -m pytest tests/model

check: setup  ## formatting, lint, types, layers, generated code, migrations, containers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python protos/check_generated.py
	$(BIN)/python docs/generate --check
	$(BIN)/python -m pytest -q tests/architecture
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: setup  ## format the code and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: setup  ## regenerate the contract's Python modules and the client's methods
	$(BIN)/uv run --quiet --isolated --no-project --with-requirements protos/generator.lock python protos/generate.py
	$(BIN)/uv run --quiet --isolated --no-project --with-requirements protos/generator.lock python client/generate.py

docs: setup  ## write the reference anew: a page for each operation
	$(BIN)/python docs/generate

lock: setup  ## resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	    --no-header --upgrade --no-emit-package keyferry-protos --no-emit-package keyferry-migrations \
	    --no-emit-package keyferry-client --no-emit-package keyferry-server \
	    --output-file requirements.lock requirements.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	    --no-emit-package keyferry-protos --no-emit-package keyferry-migrations --no-emit-package keyferry-server \
	    --constraints requirements.lock --output-file server/requirements.lock server/requirements.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 \
	    --constraints requirements.lock --output-file server/build.lock server/build.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	    --no-header --upgrade --output-file protos/generator.lock protos/generator.in
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	    --no-header --upgrade --output-file audit.lock audit.in

# `--strict`: a package that the database of vulnerabilities does not know is a failure, not a silence.
audit: setup  ## known vulnerabilities in what is locked, and ruff's security rules; asks the public index
	$(BIN)/ruff check --select S protos client server migrations demo
	for lock in requirements.lock server/build.lock protos/generator.lock; do \
	    $(AUDIT) pip-audit --strict --require-hashes --disable-pip --progress-spinner off --requirement $$lock || exit 1; \
	done

sbom: setup  ## what is in the container, as CycloneDX: build/sbom.cdx.json
	mkdir -p build
	$(AUDIT) cyclonedx-py requirements --pyproject server/pyproject.toml --output-reproducible \
	    --output-file build/sbom.cdx.json server/requirements.lock

# What is measured whole goes into the documents.
bench: setup  ## throughput and latency beside what is possible, and beside peers (QUICK=1 to try it)
	$(BIN)/python benchmarks/bench.py $(if $(QUICK),--quick,--out docs/performance)
	$(if $(QUICK),,$(BIN)/python benchmarks/pages.py)

bench-profile: setup  ## where the server's time goes, by operation
	$(BIN)/python benchmarks/cpu_profile.py --out docs/performance
	$(BIN)/python benchmarks/pages.py

bench-scale: setup  ## 1,000 keys beside 100,000 (MILLION=1: and 1,000,000)
	$(BIN)/python benchmarks/scale.py $(if $(MILLION),--million) --out docs/performance
	$(BIN)/python benchmarks/pages.py

timing: setup  ## how long unwrapping takes by what is wrong; printed, for a person to judge
	$(BIN)/python benchmarks/unwrap_timing.py

up: secrets/root-key secrets/postgres-password secrets/tls/server .env  ## start Postgres and the server in containers
	docker compose up --build --wait

# Made once and never overwritten. Compose mounts these files with the owner that they have,
# and the containers run as that owner (.env); root's files are given to the image's own user.
secrets/root-key:
	mkdir -p -m 700 secrets
	umask 077; key=$$(openssl rand -base64 32) && printf '1 %s\n' "$$key" > $@
	test "$$(id -u)" != 0 || chown 10001:10001 $@

secrets/postgres-password:
	mkdir -p -m 700 secrets
	umask 077; password=$$(openssl rand -hex 32) && printf '%s\n' "$$password" > $@
	test "$$(id -u)" != 0 || chown 10001:10001 $@

# The certificates are made in there by a container; the folder must be its user's.
secrets/tls/server:
	mkdir -p -m 700 secrets
	mkdir -p $@ && chmod 700 secrets/tls $@
	test "$$(id -u)" != 0 || chown -R 10001:10001 secrets/tls

.env:
	test "$$(id -u)" = 0 && cp .env.example $@ || \
	    sed "s/^KEYFERRY_UID=.*/KEYFERRY_UID=$$(id -u)/; s/^KEYFERRY_GID=.*/KEYFERRY_GID=$$(id -g)/" .env.example > $@

down:  ## stop the containers
	docker compose down

clean:  ## remove .venv and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
