# Everything is done in .venv, which is made when it is missing and brought up to date when a
# lock changes. Each install takes exactly what a lock in requirements/ names, by hash.

PYTHON ?= python3
PACK   ?= trackerrms-uk
ARGS   ?=

VENV := .venv
PY   := $(VENV)/bin/python
LOCK := requirements

# Wheels only: building a foreign sdist would run code that no hash covers. -qq, because pip's
# warnings about its own configuration would drown what matters; errors are still shown.
PIP := $(PY) -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install -qq --no-compile --require-hashes --only-binary :all:

# What the tests call besides Python, each as binary:Debian-package; and the libraries that
# weasyprint loads, which no command tells of.
NEEDED := git:git chromium:chromium pdftotext:poppler-utils npm:npm
LOADED := libpango-1.0.so.0:libpango-1.0-0 libpangoft2-1.0.so.0:libpangoft2-1.0-0 libharfbuzz-subset.so.0:libharfbuzz-subset0

# The accessibility checker of the browser tests, from npm, as locked there.
AXE := tests/browser/node_modules/.installed

# The states of the venv. A stamp is newer than all that it was installed from.
RUN  := $(VENV)/.run
TEST := $(VENV)/.test
LINT := $(VENV)/.lint
MUTATION := $(VENV)/.mutation

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help audit test soak system lint format lock bench gallery mutants wheel clean

help: ## show this help
	@echo 'usage: make TARGET [PYTHON=python3.12] [ARGS="..."]'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

# ---- The main job ---------------------------------------------------------------------------

# Live, every exit code but 0 stops make: 1 something fails, 2 usage, 3 no audit could be made,
# 4 a verdict is unknown. The sample is a demonstration whose audit is meant to fail, so there 1
# and 4 are its result, and only 2 and 3 are errors. Make itself ends with 2 for any error: a
# scheduler that must tell the codes apart runs .venv/bin/consent-auditor.
audit: $(RUN) ## audit the tenant of AZURE_TENANT_ID, or a sample tenant without one (PACK=, ARGS=)
	@if [ -n "$$AZURE_TENANT_ID" ] && [ -n "$$AZURE_CLIENT_ID" ] && [ -n "$$AZURE_CLIENT_SECRET$$AZURE_CLIENT_CERTIFICATE_PATH$$AZURE_FEDERATED_TOKEN_FILE$$IDENTITY_ENDPOINT" ]; then \
		exec $(VENV)/bin/consent-auditor check --pack $(PACK) $(ARGS); \
	else \
		$(VENV)/bin/consent-auditor check --sample managed-default --pack $(PACK) $(ARGS); code=$$?; \
		case $$code in 0|1|4) exit 0;; *) exit $$code;; esac; \
	fi

# ---- Work on it -----------------------------------------------------------------------------

# All of them in parallel, one process for each processor. With ARGS, as pytest runs by itself: in one process,
# where --pdb and -x work; add `-n auto` to a long list.
test: system $(TEST) $(AXE) ## run all tests in parallel, or what ARGS= says to pytest
	@$(PY) -m pytest $(if $(strip $(ARGS)),$(ARGS),-n auto)

# Each run draws other tenants; what fails is kept in .hypothesis and is tried first the next time.
RUNS ?= 20
SOAKED := tests/oracle tests/consent tests/checks tests/snapshot tests/packs
soak: $(TEST) ## the property tests over and over, on other tenants each time (RUNS=20, half an hour)
	@for run in $$(seq $(RUNS)); do echo "run $$run of $(RUNS)"; $(PY) -m pytest -q -k 'not golden' $(SOAKED) || exit; done

gallery: system $(TEST) ## a report on each sample tenant in each format, into build/gallery; some are kept in docs/gallery
	@$(PY) -m tests.gallery.make

lint: $(LINT) ## ruff, mypy --strict and the floors of the house (import-linter)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint(prog_name="lint-imports")'

format: $(LINT) ## write the code as `make lint` wants it
	@$(PY) -m ruff check --fix --select I .
	@$(PY) -m ruff format .

bench: $(TEST) ## measure: start-up, an offline check, a live pre-flight (ARGS=)
	@$(PY) -m benchmarks $(ARGS)

SAMPLE ?= 400
mutants: $(MUTATION) ## how many mistakes in judge/ and consent/ do the tests notice? (half an hour; SAMPLE=0 for all)
	@$(PY) -m tests.mutation.run --sample $(SAMPLE)

wheel: $(TEST) ## build the wheel into dist/
	@rm -rf build
	@$(PY) -m build --no-isolation --wheel .

# One resolution for Python 3.11 and later on every platform, taken from setup.cfg. Pins stay as
# they are while they fit; UPGRADE=1 takes the newest.
COMPILE = $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: $(PY) ## write requirements/*.txt from setup.cfg (UPGRADE=1 for the newest)
	@$(INSTALL) -r $(LOCK)/lock.txt
	@$(COMPILE) $(LOCK)/lock.in -o $(LOCK)/lock.txt
	@$(COMPILE) $(LOCK)/build.in -o $(LOCK)/build.txt
	@$(COMPILE) setup.cfg -o $(LOCK)/run.txt
	@$(COMPILE) setup.cfg --extra test -c $(LOCK)/run.txt -c $(LOCK)/build.txt -o $(LOCK)/test.txt
	@$(COMPILE) setup.cfg --extra test --extra mutation -c $(LOCK)/test.txt -c $(LOCK)/build.txt -o $(LOCK)/mutation.txt
	@$(COMPILE) setup.cfg --extra test --extra lint -c $(LOCK)/test.txt -c $(LOCK)/build.txt -o $(LOCK)/lint.txt

clean: ## remove the venv and all that was built
	rm -rf $(VENV) $(dir $(AXE)) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache mutants
	find auditor tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- The virtual environment ----------------------------------------------------------------

# A PYTHON that was asked for by name replaces a venv of another version.
FIT := import sys; sys.exit(sys.version_info < (3, 11))
ifneq ($(origin PYTHON),file)
ifneq ($(wildcard $(PY)),)
ifneq ($(shell $(PY) -V 2>&1),$(shell $(PYTHON) -V 2>&1))
$(shell $(PYTHON) -c '$(FIT)' && rm -rf $(VENV))
endif
endif
endif

$(PY):
	@$(PYTHON) -c '$(FIT)' || { \
		echo "consent-auditor needs Python 3.11 or later, and $(PYTHON) is: $$($(PYTHON) -V 2>&1)"; \
		echo "Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv)
	@echo "making $(VENV) with $$($(PYTHON) -V)" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)

# The project itself is installed from where it lies: edits take effect without installing again.
$(RUN): $(LOCK)/build.txt $(LOCK)/run.txt setup.cfg pyproject.toml | $(PY)
	@echo "installing what the program needs (a minute or so)" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/run.txt
	@$(PIP) install -qq --no-index --no-deps --no-build-isolation -e .
	@touch $@

$(TEST): $(RUN) $(LOCK)/test.txt
	@echo "installing what the tests need" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/test.txt
	@touch $@

$(LINT): $(TEST) $(LOCK)/lint.txt
	@echo "installing what the linters need" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/lint.txt
	@touch $@

$(MUTATION): $(TEST) $(LOCK)/mutation.txt
	@echo "installing what makes mutants" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/mutation.txt
	@touch $@

$(AXE): tests/browser/package-lock.json
	@echo "installing axe-core from npm" >&2
	@cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

system:
	@missing=; for pair in $(NEEDED); do \
		command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	for pair in $(LOADED); do \
		$(PYTHON) -c "import ctypes; ctypes.CDLL('$${pair%%:*}')" 2>/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	[ -z "$$missing" ] || $(call apt,$$missing)

# Install Debian packages, if this is Debian and we may; else say which ones are missing.
define apt
{ \
	if [ "$$(id -u)" = 0 ]; then root=env; elif sudo -n true 2>/dev/null; then root='sudo -n env'; else root=; fi; \
	if [ -n "$$root" ] && command -v apt-get >/dev/null; then \
		echo "installing with apt-get: $(1)" >&2; \
		$$root apt-get -qq update && $$root DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $(1) >/dev/null; \
	else echo "please install first: $(1)" >&2; exit 1; fi; \
}
endef
