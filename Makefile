# Two commands are enough: `make demo` and `make test`. Both start from `make setup`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
DEMO ?= demo
TEXTS := $(patsubst %.po,%.mo,$(wildcard src/trialwright_web/*/locale/*/LC_MESSAGES/django.po))

# Where this is set (many containers do), each process that a test starts would compile all of the source again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint format tutorial translations bench bench-simulate bench-analysis bench-web \
	axe screenshots campaigns lock clean conformance attack-power attack-backup attack-crash attack-tampering attack-blind attack-erasure \
	attack-trials validation bench-durable \
	campaign-expressions campaign-randomisation campaign-two-worlds campaign-two-worlds-pages campaign-rehearsals campaign-mixed-models campaign-coverage campaign-api

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 24

setup: $(VENV)/ready translations ## Make the environment in .venv from the lock file

$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Trialwright needs Python 3.11 or newer: make PYTHON=python3.12 …'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.lock
	@$(RUN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true # by all cores; pip does it with one
	$(RUN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

translations: $(TEXTS) ## Compile the application's texts (bokmål, nynorsk)

%.mo: %.po | $(VENV)/ready
	@$(RUN)/pybabel --quiet compile --input-file $< --output-file $@

demo: setup ## Check, build and rehearse SMART-MS; open the application on it (DEMO_SERVE=no: only make it)
	@$(RUN)/trialwright check studies/smart-ms
	@$(RUN)/trialwright build studies/smart-ms --out $(DEMO)/build
	@rm -f $(DEMO)/smart-ms.db* $(DEMO)/smart-ms.closed.db*
	@$(RUN)/trialwright rehearse studies/smart-ms --participants 18 --seed 1 --store sqlite:///$(DEMO)/smart-ms.db --report $(DEMO)/report
	@echo 'Results: $(DEMO)/report/summary.md, $(DEMO)/smart-ms.db (open space), $(DEMO)/smart-ms.closed.db (closed space)'
	@$(RUN)/python -m trialwright_web.config.demo $(DEMO)/application $(if $(CI)$(filter no,$(DEMO_SERVE)),--prepare)

serve: setup ## Serve the process that the environment names; see docs/how-to/operate.md
	@$(RUN)/python -m trialwright_web serve

test: setup ## Run all tests
	$(RUN)/pytest --numprocesses 2

tutorial: setup ## Run every command that the documentation shows, and compare what it prints
	$(RUN)/python tests/repository/documents.py docs/tutorial/*.md docs/how-to/*.md

bench: setup ## Speed, memory, durable saves, a million events restored, beside their targets (PARTICIPANTS=2000: an hour more)
	$(RUN)/python benchmarks $(if $(PARTICIPANTS),--participants $(PARTICIPANTS))

bench-simulate: setup ## Simulated trials a second on one core, and a grid of a million trials
	$(RUN)/python benchmarks/simulate.py --grid

bench-analysis: setup ## Speed of the analyses, beside R where Rscript with nlme and lmerTest is installed
	OMP_NUM_THREADS=1 $(RUN)/python benchmarks/analysis.py
	$(RUN)/python benchmarks/exports.py

bench-web: setup ## Forms saved over HTTP on PostgreSQL and SQLite; a page of 300 participants (takes ten minutes)
	$(RUN)/python benchmarks/web.py
	$(RUN)/python -m trialwright_web.config.demo $(DEMO)/application --prepare
	$(RUN)/python benchmarks/matrix_page.py $(DEMO)/application

axe: setup ## Accessibility of every page, in 3 languages at 2 widths
	$(RUN)/python tests/campaigns/axe.py

screenshots: setup ## Make docs/screens again
	$(RUN)/python tests/campaigns/screenshots.py

lint: setup ## Style, types and the layers of the house
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports

format: setup ## Format the code
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

conformance: setup ## CDISC CORE on the SDTM export of every study, clean and with planted errors (some minutes)
	CORE_CONFORMANCE=1 $(RUN)/pytest tests/conformance

campaigns: ## Everything that takes longer than a test may; paste the figures into docs/evidence/
	$(MAKE) campaign-expressions campaign-randomisation campaign-two-worlds campaign-two-worlds-pages campaign-rehearsals campaign-mixed-models campaign-coverage campaign-api

campaign-expressions: setup ## 720,000 evaluations on Python, DuckDB, PostgreSQL and JavaScript
	$(RUN)/pytest tests/campaigns/expressions.py -s

campaign-randomisation: setup ## Every method over 10,000 seeds
	$(RUN)/python tests/campaigns/randomisation.py

campaign-two-worlds: setup ## Arms exchanged: nothing blinded people can read may differ
	$(RUN)/python tests/campaigns/two_worlds.py

campaign-two-worlds-pages: setup ## The same over every page, form, answer, file and mail of the application
	$(RUN)/python tests/campaigns/two_worlds_pages.py

campaign-rehearsals: setup ## Every study, many seeds and sizes
	$(RUN)/python tests/campaigns/rehearsals.py

campaign-api: setup ## 300 examples of every operation of the API, every answer held against its description
	API_EXAMPLES=300 $(RUN)/pytest -q -s tests/web/test_api.py -k attacked

campaign-coverage: setup ## 1,000 simulated trials, 20 of them lived through, exported and analysed (ten minutes)
	$(RUN)/python tests/campaigns/coverage.py

campaign-mixed-models: setup ## Type-I error of the mixed models
	$(RUN)/python tests/campaigns/mixed_model_errors.py

lock: ## Pin every dependency with hashes (after a change in pyproject.toml)
	$(RUN)/pip-compile --quiet --strip-extras --all-extras --all-build-deps --generate-hashes \
		--allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock pyproject.toml

clean: ## Remove the environment and everything made
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis

attack-tampering: setup ## 100,000 databases changed by their owner; goes on where it was stopped (ten minutes to half an hour)
	$(RUN)/python tests/campaigns/attack_tampering.py 100000 --kept build/attack-tampering.jsonl

attack-blind: setup ## A classifier on the open space of 200 trials, and 21 planted leaks (takes half an hour)
	$(RUN)/python tests/campaigns/attack_blind.py 200 2

attack-trials: setup ## 10,000 random trials of 2,000 random studies; goes on where it was stopped (takes half an hour)
	$(RUN)/python tests/campaigns/attack_trials.py 10000 --kept build/attack-trials.jsonl

validation: setup ## docs/validation/report.md: each requirement, its risk, its tests and their results (takes half an hour)
	$(RUN)/python tests/campaigns/validation.py

attack-erasure: setup ## 500 identities, their keys destroyed, looked for in everything left
	$(RUN)/python tests/campaigns/attack_erasure.py 500

attack-power: setup ## 10,000 power cuts on SQLite
	$(RUN)/python tests/campaigns/attack_power.py 10000

attack-crash: setup ## 43 failpoints and random kills on SQLite and PostgreSQL, the server too (takes half an hour)
	$(RUN)/python tests/campaigns/attack_crash.py 1000 200

attack-backup: setup ## 500 rounds of backups while four people write, restored whole, behind, at a moment, and attacked
	$(RUN)/python tests/campaigns/attack_backup.py 500

bench-durable: setup ## Of make bench the durable saves and the million events alone (takes ten minutes)
	$(RUN)/python benchmarks/durable.py
	$(RUN)/python benchmarks/restoring.py
