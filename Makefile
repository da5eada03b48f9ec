# Two commands are enough: `make demo` and `make test`. Each makes .venv itself when it is missing or stale.
SHELL := /bin/bash
BIN := .venv/bin
STAMP := .venv/.stamp
NODE := tests/sandbox/node
NODE_STAMP := $(NODE)/node_modules/.stamp
MODERN := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: venv node demo test check bench lock
.DEFAULT_GOAL := demo

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@python=; for each in "$$PYTHON" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$each" ] && "$$each" -c '$(MODERN)' 2>/dev/null; then python=$$each; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "discubot needs Python 3.11 or newer: install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; fi; \
	"$$python" -m venv --clear .venv || { \
	  echo "Python's venv module is missing: install it (Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "Installing into .venv (once, about a minute) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

# Only some tests need these packages; without Node.js 20, or where npm cannot get them, they are left out by name.
node: $(NODE_STAMP)

$(NODE_STAMP): $(NODE)/package-lock.json
	@if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
	  if (cd $(NODE) && npm ci --prefer-offline --loglevel=error); then touch $@; \
	  else rm -rf $(NODE)/node_modules; echo "npm could not install $(NODE): the tests that need it are left out."; fi; \
	else echo "No Node.js 20 with npm: the tests that need it are left out."; fi

demo: $(STAMP)
	@$(BIN)/discubot demo

# The running system is tested in one process and all the rest in another; a database of yours has room for one only.
test: $(STAMP) node
	@$(BIN)/python -m pytest $(if $(DISCUBOT_TEST_DATABASE_URL),,-n 3 --dist loadscope --no-loadscope-reorder)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python -m bench

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock
