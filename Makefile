# Alsvid from a checkout: `make serve`, `make test`, `make help`.
#
# Needs python3 (3.11 or newer, with venv), gcc and make; everything else is installed into .venv.
# What takes long is done once: stamps in the environment say what is current.

PYTHON ?= python3
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000
APP ?= examples.hello:app
PYTEST_ARGS ?=
JOBS ?= 2
INPUTS ?= 1000000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
DECLARED := pyproject.toml setup.py compiled_modules.py
SOURCES := $(shell find src -name '*.py' -o -name '*.pxd')
PYTEST = $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not soak" $(PYTEST_ARGS)

export PIP_NO_INPUT = 1

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help serve build-ext test test-compiled test-pure lint build bench fuzz soak clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

serve: $(VENV)/.built  ## install, compile and serve examples/hello.py; APP=, HOST= and PORT= change that
	exec $(BIN)/alsvid $(APP) --host $(HOST) --port $(PORT)

build-ext: $(VENV)/.built  ## compile what has changed

test: test-compiled test-pure  ## all tests, in the compiled and in the pure build

test-compiled: $(VENV)/.built $(VENV)/.test  ## all tests in the compiled build; PYTEST_ARGS="-k word tests/net"
	@$(BIN)/python tests/packaging/which_build.py compiled
	$(PYTEST)

test-pure: $(VENV)/.built $(VENV)/.test  ## all tests in the pure build
	@ALSVID_PURE=1 $(BIN)/python tests/packaging/which_build.py pure
	ALSVID_PURE=1 $(PYTEST)

lint: $(VENV)/.dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

build: $(VENV)/.dev  ## wheel and sdist in dist/, each installed and tried, without a compiler too
	rm -rf dist
	$(BIN)/python -m build -q --no-isolation
	$(BIN)/python tests/packaging/try_distributions.py dist

bench: $(VENV)/.built  ## speed, against other servers where they are installed; see bench/README.md
	$(MAKE) -C bench bench PYTHON=$(abspath $(BIN))/python

fuzz: $(VENV)/.built $(VENV)/.test  ## a million inputs in both builds, compared; INPUTS= changes the number
	$(BIN)/python -m tests.fuzz.run --inputs $(INPUTS) --against-pure

soak: $(VENV)/.built $(VENV)/.test  ## what make test leaves out for its length
	$(BIN)/python -m pytest -q -s -m soak --timeout=3600 $(PYTEST_ARGS)

clean:  ## remove what was built and the environment
	rm -rf build dist src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis $(VENV)
	find src tests examples bench -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -name '*.so' -delete

# --- stamps -----------------------------------------------------------------------------------------------

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: Alsvid needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) -V 2>&1)." >&2; \
	  echo "make: name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "make: $(PYTHON) cannot make environments (Debian: apt install python3-venv)." >&2; exit 1; }
	$(PIP) install --upgrade pip 'setuptools>=77' 'Cython>=3.1'
	@touch $@

# Editable, so that the checkout is what runs. The compiling is left to the next step, which knows what is
# current; an install always begins anew.
$(VENV)/.installed: $(VENV)/.created $(DECLARED)
	ALSVID_BUILD=pure $(PIP) install --no-build-isolation --editable '.[standard]'
	@touch $@

# Compiles in place what has changed. Without a compiler the pure modules are served, and a line says so.
$(VENV)/.built: $(VENV)/.installed $(SOURCES)
	$(BIN)/python setup.py -q build_ext --inplace
	@if $(BIN)/python tests/packaging/which_build.py compiled; then touch $@; fi

$(VENV)/.test: $(VENV)/.installed
	ALSVID_BUILD=pure $(PIP) install --no-build-isolation --editable '.[standard,test]'
	@touch $@

$(VENV)/.dev: $(VENV)/.test
	ALSVID_BUILD=pure $(PIP) install --no-build-isolation --editable '.[standard,test,dev]'
	@touch $@
