# Every target does its own set-up; a second run skips what is fresh.
# Needs: git, make, Python 3.11 or newer. `make help` lists the targets.

VENV    ?= .venv
BIN     := $(VENV)/bin
INSTALL := $(BIN)/python .ci/install.py --no-deps
PYTEST  := $(BIN)/python -m pytest
# Two more than there are processors: tests wait now and then, and each worker first spends 11 s on finding them all.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
           --no-emit-index-url --no-emit-find-links --no-header --no-annotate
RESOLVE := $(COMPILE) pyproject.toml
# All extras but that of development: the image has them.
EXTRAS  := yonbip postgres redis rabbit nats kafka mssql model mcp otel

# The first Python on the path that is new enough; `make PYTHON=/opt/python/bin/python3 …` names another.
FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; python=; done; \
	test -n "$$python" || { echo 'dingerp needs Python 3.11 or newer, and none is on the PATH.' >&2; exit 1; }

APT = export DEBIAN_FRONTEND=noninteractive; apt-get update -qq >/dev/null && apt-get install -qq -y --no-install-recommends

CLIENTS := tests/web/clients

CJK_FONT = /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

# Chromium without windows where there is a package of it: it is smaller, and the tests take two thirds of its time.
CHROMIUM = $$(apt-cache show chromium-headless-shell >/dev/null 2>&1 && echo chromium-headless-shell || echo chromium)
PROGRAMS = $(CHROMIUM) nodejs npm fonts-noto-cjk fonts-noto-color-emoji postgresql pgbouncer redis-server rabbitmq-server nats-server prometheus kubernetes-client

# The tests start the bot many times; without these caches each start compiles all of it (1.5 s instead of 1.2).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test soak coverage mutants mutants-rights bench lint fmt lock sbom docs pictures docs-check equipped browser tryton clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.runtime ## chat with the bot in a browser: simulator, bot and a demo company
	@exec $(BIN)/dingerp demo $(ARGS)

test: equipped ## all tests but the long ones (ARGS="-k stock" for some)
	@$(PYTEST) -m "not soak" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# The marker "hypothesis" is Hypothesis's own: `make test` tries each property with some examples, this with hundreds.
soak: $(VENV)/.dev ## the long tests: many kills, long loads, properties with many examples
	@$(PYTEST) -m "soak or hypothesis" --hypothesis-profile thorough --timeout 300 $(ARGS)

# Python that is watched is slower, so a test may take twice its time. Figures are told even where a test fails.
coverage: equipped ## how much of bot/ and commands/ `make test` runs (ARGS="-k stock" for some)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -m "not soak" --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --timeout 600 $(ARGS); \
	passed=$$?; $(BIN)/coverage combine --quiet && $(BIN)/coverage report --sort=cover && \
	echo "Coverage of bot/ and commands/: $$($(BIN)/coverage report --format=total) %"; exit $$passed

# CI=true gives Hypothesis the same examples each time: a mutant must not survive by luck, nor die by it.
mutants: $(VENV)/.dev ## which changes of the code that decides no test notices (ARGS="bot.erp.hub.*" for some)
	@CI=true nice -n 19 $(BIN)/mutmut run --max-children $(WORKERS) $(ARGS)
	@$(BIN)/mutmut results

mutants-rights: $(VENV)/.dev ## the listed mistakes about who may see what: each must fail a test (ARGS="NAME…" for some)
	@CI=true nice -n 19 $(BIN)/python -m tests.project.rights_mutants $(ARGS)

bench: $(VENV)/.dev ## answers per second, beside a bare loop and the SDK's sample bot
	@$(BIN)/python -m tests.load $(ARGS)

lint: $(VENV)/.dev ## style, types, arrows between the rooms, catalogues
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m bot.cards.catalogue check

fmt: $(VENV)/.dev ## format the code and mend what can be mended
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lock: $(VENV)/.dev ## resolve the dependencies again (UPGRADE=1 takes the newest)
	@$(RESOLVE) --all-extras $(if $(UPGRADE),--upgrade) --output-file requirements-dev.lock
	@$(RESOLVE) --constraint requirements-dev.lock $(if $(UPGRADE),--upgrade) --generate-hashes --output-file requirements.lock
	@$(RESOLVE) --constraint requirements-dev.lock $(addprefix --extra ,$(EXTRAS)) $(if $(UPGRADE),--upgrade) --generate-hashes --output-file requirements-image.lock
	@$(COMPILE) $(CLIENTS)/requirements.in $(if $(UPGRADE),--upgrade) --output-file $(CLIENTS)/requirements.lock

sbom: $(VENV)/.dev ## list what the image holds of Python, with licences, as CycloneDX in dist/
	@$(BIN)/python -m venv --clear --without-pip build/image
	@$(BIN)/python .ci/install.py --python build/image/bin/python --no-deps -r requirements-image.lock
	@$(BIN)/python .ci/install.py --python build/image/bin/python --no-deps .
	@mkdir -p dist
	@$(BIN)/cyclonedx-py environment build/image/bin/python --pyproject pyproject.toml --output-reproducible --output-file dist/dingerp.cdx.json

docs: $(VENV)/.dev ## write the generated pages of docs/reference again
	@$(BIN)/python -m tests.project.reference

pictures: equipped ## take the pictures of the tutorial and the guides again
	@PICTURES=docs/tutorial/images $(PYTEST) -q tests/browser/test_whole_bot.py tests/browser/test_alerts.py tests/browser/test_walks.py
	@PICTURES=docs/how-to/images $(PYTEST) -q tests/browser/test_rights.py tests/browser/test_setup.py

docs-check: $(VENV)/.dev ## links, generated pages, READMEs in step
	@$(PYTEST) -q tests/project

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .tryton .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis mutants build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

# Nothing is installed for something else's sake: all dependencies come from the lock alone.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo 'Installing what the bot needs …'
	@$(INSTALL) -r requirements.lock
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo 'Installing what the bot and its tests need …'
	@$(INSTALL) -r requirements-dev.lock
	@$(INSTALL) --editable .
	@touch $(VENV)/.runtime $@

# Side by side: Python's packages, the system's, a real ERP, and what makes clients of the API.
equipped:
	@$(MAKE) --no-print-directory --jobs=3 $(VENV)/.compiled browser tryton $(VENV)/clients/.installed

# Apart, for it wants other versions than the bot. Without npm those tests skip.
$(VENV)/clients/.installed: $(wildcard $(CLIENTS)/*.lock $(CLIENTS)/package*.json) | $(VENV)/.dev browser
	@echo 'Installing what makes clients of the API for the tests …'
	@rm -rf $(VENV)/clients && $(BIN)/python -m venv --without-pip $(VENV)/clients
	@$(BIN)/python .ci/install.py --python $(VENV)/clients/bin/python --no-deps -r $(CLIENTS)/requirements.lock
	@cp $(CLIENTS)/package.json $(CLIENTS)/package-lock.json $(VENV)/clients
	@! command -v npm >/dev/null || (cd $(VENV)/clients && npm ci --ignore-scripts --no-audit --no-fund --silent)
	@touch $@

# Once, and while the other packages come: else every worker of the first run compiles all tests and packages for itself.
# What is wrong, the run says: here some programs may still be missing.
$(VENV)/.compiled: | $(VENV)/.dev
	@$(PYTEST) -p tests.importing --collect-only -qq >/dev/null 2>&1 || true
	@touch $@

# A Tryton server with a company of today, half a minute of work once a day. What is wrong, its tests say.
tryton: | $(VENV)/.dev
	@$(BIN)/python -m tests.erp.tryton.server >/dev/null 2>&1 || true

# Debian splits venv off Python; root may fetch it, everybody else is told what to install.
$(BIN)/python:
	@set -e; $(FIND_PYTHON); \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
		package=$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(APT) "$$package" >/dev/null; \
		else echo "Python's venv is missing. On Debian and Ubuntu: apt install $$package" >&2; exit 1; fi; \
	fi; \
	"$$python" -m venv $(VENV)

# The tests of the chat page need a browser, Node for its scripts, and Chinese letters. Where root can fetch them, it does;
# elsewhere those tests skip with the reason. After Python's own, for which apt-get may be needed as well.
browser: | $(BIN)/python
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		! { { command -v chromium-headless-shell || command -v chromium; } && command -v node && command -v npm && test -e $(CJK_FONT) && ls /usr/lib/postgresql/*/bin/initdb && \
		ls /usr/bin/redis-server /usr/lib/rabbitmq/bin/rabbitmq-server /usr/sbin/nats-server /usr/bin/prometheus; } \
		>/dev/null 2>&1; then \
		echo 'Installing Chromium, Node, fonts, PostgreSQL, message brokers and Prometheus for the tests …'; \
		{ $(APT) $(PROGRAMS) >/dev/null; } || echo 'They could not be installed.' >&2; \
	fi
