# The two commands of a fresh machine are `make demo` and `make test`; both set up what they need in .venv.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
CRON_SECRET ?= demo
BIN := .venv/bin

# Where Python may not keep what it has compiled, every worker and every server of the tests compiles all of it again.
test quick: export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo dev test quick lint types requirements audit axe markup lighthouse compare soak bench scaling imports clean

demo: .venv/runtime
	@echo "The sample feed: http://127.0.0.1:$(or $(PORT),8000)/   for iframes: /embed"
	@echo "Its studio:      http://127.0.0.1:$(or $(PORT),8000)/studio   (any user name, password: $(CRON_SECRET))"
	@echo "Its status:      http://127.0.0.1:$(or $(PORT),8000)/api/instagram/refresh-token   (the same password)"
	@IGFEED_DEMO=1 CRON_SECRET="$(CRON_SECRET)" $(if $(PORT),PORT="$(PORT)") $(BIN)/gunicorn wsgi:app

# The demo in debug mode: a saved template, style, script or module shows at the next reload.
dev: .venv/runtime
	@echo "The sample feed, with what you save: http://127.0.0.1:$(or $(PORT),8000)/   for iframes: /embed"
	@IGFEED_DEMO=1 CRON_SECRET="$(CRON_SECRET)" $(BIN)/flask --app wsgi run --debug --port $(or $(PORT),8000)

test: .venv/development
	$(BIN)/python -m pytest -n auto --dist worksteal

# What most changes need; its last line says what it leaves out.
quick: .venv/development
	$(BIN)/python -m pytest -n auto --dist worksteal --quick

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/development
	$(BIN)/mypy

# After a change in a *.in file: every package of every depth, with the hashes of its files.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links

requirements: .venv/development
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-granian.in -c requirements.txt -o requirements-granian.txt

# Accessibility (also a part of `test`), markup and speed; the latter two need Java and Node.js besides.
audit: axe markup lighthouse

axe: .venv/development
	$(BIN)/python -m pytest -n auto tests/browser/test_accessibility.py

markup: .venv/development lab/audit/node_modules
	$(BIN)/python -m lab.audit.nu

lighthouse: .venv/development lab/audit/node_modules
	$(BIN)/python -m lab.audit.lighthouse

# Our bytes and requests beside instafeed.js's, as a table.
compare: .venv/development lab/audit/node_modules
	$(BIN)/python -m lab.audit.compare

lab/audit/node_modules: lab/audit/package-lock.json
	@cd lab/audit && npm ci --no-audit --no-fund --ignore-scripts --loglevel error
	@touch $@

soak: .venv/development
	$(BIN)/python -m lab.soak --seconds 180
	$(BIN)/python -m lab.simulation --histories 800 --years 10 --seed 1

# Ratios against the limits of Flask, nginx and this machine; wrk and nginx from Debian, granian from PyPI.
bench: .venv/development
	$(BIN)/python -m lab.bench

# What a month costs at any size, played: docs/scaling.md and its drawing.
scaling: .venv/development
	$(BIN)/python -m lab.growth

# Which room imports which: docs/architecture.svg. It needs Graphviz.
imports: .venv/development
	$(BIN)/python -m lab.imports

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/runtime: requirements.txt
	@test -n "$(PYTHON)" || { echo "igfeed needs Python 3.11 or newer: install it, or say where it is with PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing: on Debian and Ubuntu run 'apt install python3-venv'"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development: requirements-dev.txt .venv/runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
